//! History given to facts that are new: late events, which facts take by design. As `backfill` of the core.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::event::{Event, SEGMENT_ENTERED, SEGMENT_EXITED};
use crate::fact::{Kind, State};
use crate::halt::{Halt, Result};
use crate::plan::Plan;
use crate::profile::Due;
use crate::step::{Stepping, slices};
use crate::value::Value;

const RETRACT: &str = "$retract";

/// What is given. `upto`: fact → the commit up to which it wants its history. `edges`: those of the facts once the
/// segments that wait are served. `needed`: a plan of segments one of which holds for whoever may be in a segment that
/// waits; None: anybody may. `reads`: the names of events whose properties matter.
pub struct Wish {
    pub upto: HashMap<i64, i64>,
    pub edges: HashMap<i64, Vec<i64>>,
    pub needed: Option<Arc<Plan>>,
    pub reads: HashSet<String>,
}

/// Whether events were for facts of the profile, and whether any of them has something to keep of that.
#[derive(Default)]
pub struct Given {
    pub fed: bool,
    pub kept: bool,
}

impl<'a> Stepping<'a> {
    /// Gives the profile, which must be at the plan and the clock, its history. In what order events come decides
    /// nothing, so the first events of sequences come last.
    pub(crate) fn give(&mut self, past: &[(i64, Event<'a>)], wish: &Wish, now_ms: i64) -> Result<Given> {
        if !self.profile.is_plain() || past.iter().any(|each| each.1.name == RETRACT) {
            return Err(Halt::Lacks("the history of a profile that took something back, or was merged"));
        }
        let plan = self.plan;
        self.now_ms = now_ms;
        let (mut touched, mut firsts, mut given) = (Vec::new(), Vec::new(), Given::default());
        for (commit, event) in past {
            let Some(feeds) = plan.feeds.get(event.name) else { continue };
            let own = own(event);
            let mut trails = Vec::new();
            for index in feeds.fed(event, |index| plan.wants(index))? {
                let track = &plan.tracks[index];
                let wanted = wish.upto.get(&track.id).is_some_and(|upto| commit <= upto);
                if !wanted || (own.is_some() && own == track.owner.as_deref()) {
                    continue;
                }
                given.fed = true;
                if matches!(track.kind, Kind::Absent(_) | Kind::Present(_)) {
                    firsts.push((index, event));
                    continue;
                }
                let state = self.take(track)?;
                if matches!(track.kind, Kind::Trail(_)) {
                    let Some(state) = track.kind.followed(state, event, now_ms)? else { continue };
                    self.profile.put(track.id, state);
                    given.kept = true;
                    trails.push(index);
                } else {
                    let Some((state, ..)) = track.kind.added(state, event, now_ms)? else { continue };
                    self.profile.put(track.id, state);
                    given.kept = true;
                    touched.push(index);
                }
            }
            if !trails.is_empty() {
                self.follow_late(&trails, event, &mut touched)?;
            }
        }
        for (index, event) in firsts {
            let track = &plan.tracks[index];
            let state = self.take(track)?;
            let Some(state) = track.kind.followed(state, event, now_ms)? else { continue };
            self.profile.put(track.id, state);
            given.kept = true;
            self.lead(index, event, true, &[])?;
            touched.push(index);
        }
        touched.sort_unstable();
        touched.dedup();
        for index in touched {
            self.set_due(index, wish)?;
        }
        Ok(given)
    }

    /// Whether one of the segments that wait may hold for the profile.
    pub(crate) fn may_hold(&mut self, wish: &Wish) -> Result<bool> {
        let Some(needed) = &wish.needed else { return Ok(true) };
        for segment in needed.segments.iter().flatten() {
            if segment.program.holds(needed, &mut self.profile, self.now_ms)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A later step comes to sequences that have begun: live, or in an earlier part of the history.
    fn follow_late(&mut self, trails: &[usize], event: &Event<'a>, touched: &mut Vec<usize>) -> Result<()> {
        let plan = self.plan;
        let mut begun = Vec::new();
        for follower in trails.iter().flat_map(|trail| &plan.tracks[*trail].followers) {
            if !begun.contains(follower) && self.profile.slot(plan.tracks[*follower].id).is_some() {
                begun.push(*follower);
            }
        }
        for index in begun {
            let steps: Vec<usize> =
                (0..plan.tracks[index].trails.len()).filter(|at| trails.contains(&plan.tracks[index].trails[*at])).collect();
            self.lead(index, event, false, &steps)?;
            touched.push(index);
        }
        Ok(())
    }

    /// Leads a sequence on by an event, its first one or one of the later `steps`.
    fn lead(&mut self, index: usize, event: &Event<'a>, first: bool, steps: &[usize]) -> Result<()> {
        let (track, stamp) = (&self.plan.tracks[index], (event.time_ms, event.id.clone()));
        let Some(mut state) = self.take(track)? else { return Ok(()) };
        let trails = self.trails(track)?;
        let all = slices(track, &trails);
        match (&track.kind, &mut state) {
            (Kind::Absent(kind), State::Awaited(state)) => kind.follow(state, &stamp, first, steps, &all, self.now_ms)?,
            (Kind::Present(kind), State::Begun(state)) => kind.follow(state, &stamp, first, steps, &all, self.now_ms)?,
            _ => return Err(Halt::Bad("a state of another kind")),
        }
        self.give_back(track, trails);
        self.profile.put(track.id, state);
        Ok(())
    }

    fn set_due(&mut self, index: usize, wish: &Wish) -> Result<()> {
        let track = &self.plan.tracks[index];
        let Some(mut state) = self.take(track)? else { return Ok(()) };
        let due = match wish.edges.get(&track.id) {
            Some(edges) => track.kind.next_ms(&mut state, self.now_ms, edges)?,
            None => track.next_ms(&mut state, self.now_ms)?,
        };
        self.profile.put(track.id, state);
        self.profile.set_due(Due::Fact(track.id), due);
        Ok(())
    }
}

/// The segment that was entered or exited.
fn own<'e>(event: &'e Event) -> Option<&'e str> {
    if event.name != SEGMENT_ENTERED && event.name != SEGMENT_EXITED {
        return None;
    }
    match event.properties.member("segment") {
        Some(Value::Str(segment)) => Some(segment),
        _ => None,
    }
}
