//! A profile of an older plan comes to the plan in hand: `on_plan` of the core.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::halt::{Halt, Result};
use crate::profile::Due;
use crate::registered::names;
use crate::fact::State;
use crate::step::Stepping;

/// The `plan` of a profile that no plan has reached yet; what is less says something else.
const NONE: i64 = -1;
/// Begins the key of a list's register that waits for its segment.
const WAITING: char = '?';
/// More segments than this are judged by the interpreted core, which asks first which of them a profile leads to.
const FEW: usize = 32;

/// What came after an older plan: positions of segments, and whether some of them were given their history.
pub struct Newer {
    pub positions: Vec<u32>,
    pub backfilled: bool,
}

/// Asks the plan of the core what came after a revision.
pub trait Asks: Send + Sync {
    fn newer(&self, revision: i64) -> Result<Newer>;
}

/// The way of a partition's profiles to a plan. `since`: fact → the revision from which the partition keeps it.
/// `walked`: the revision to which every stored profile was brought.
pub struct Adoption {
    plan: Box<dyn Asks>,
    since: HashMap<i64, i64>,
    walked: i64,
    known: Mutex<HashMap<i64, Arc<Newer>>>,
}

/// Profiles are at a few revisions; the answers of so many are kept.
const KEPT: usize = 64;

impl Adoption {
    pub fn new(plan: Box<dyn Asks>, since: HashMap<i64, i64>, walked: i64) -> Self {
        Adoption { plan, since, walked, known: Mutex::new(HashMap::new()) }
    }

    fn newer(&self, revision: i64) -> Result<Arc<Newer>> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&revision) {
            return Ok(found.clone());
        }
        let found = Arc::new(self.plan.newer(revision)?);
        let mut known = known(); // not while the core is asked: another thread may run meanwhile
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(revision, found.clone());
        Ok(found)
    }

    /// Whether a fact's state is of a time before the fact went and came back.
    fn is_stale(&self, fact: i64, before: i64) -> bool {
        self.since.get(&fact).is_some_and(|since| *since > before)
    }
}

impl Stepping<'_> {
    /// All dues up to `now_ms` must have fired. Returns how many segments the profile was judged by.
    pub(crate) fn adopt(&mut self, adoption: &Adoption, revision: i64, now_ms: i64) -> Result<usize> {
        let plan = self.plan;
        if self.profile.plan < NONE {
            return Err(Halt::Lacks("a profile that is owed something, or that has gone"));
        }
        let before = self.profile.plan.max(adoption.walked);
        let newer = adoption.newer(before)?;
        if newer.positions.len() > FEW {
            return Err(Halt::Lacks("so many new definitions"));
        }
        if names(self.profile.lists)?.iter().any(|name| name.starts_with(WAITING)) {
            return Err(Halt::Lacks("places on lists that wait for their segment"));
        }
        if self.profile.memberships.iter().any(|each| each.entered_ms.is_some() && !plan.ids.contains(each.segment)) {
            return Err(Halt::Lacks("the exit of a segment that is no more"));
        }
        self.now_ms = now_ms;
        self.profile.plan = revision;
        let count = self.profile.facts.len();
        self.profile.facts.retain(|slot| plan.track(slot.fact).is_some() && !adoption.is_stale(slot.fact, before));
        let stale = self.profile.facts.len() < count;
        let dues = std::mem::take(&mut self.profile.dues);
        for at in 0..self.profile.facts.len() {
            let slot = &mut self.profile.facts[at];
            let Some(track) = plan.track(slot.fact) else { continue };
            slot.state = track.kind.open(std::mem::replace(&mut slot.state, State::Whole(0)))?;
            if let Some(due) = track.next_ms(&mut slot.state, now_ms)? {
                self.profile.dues.push((Due::Fact(track.id), due));
            }
        }
        for register in &self.profile.attributes {
            let Some(watch) = plan.watches.get(register.name) else { continue };
            if let Some(due) = watch.due(&register.read()?, now_ms)? {
                self.profile.dues.push((Due::Attribute(register.name), due));
            }
        }
        let moved = dues.len() != self.profile.dues.len() || dues.iter().any(|due| !self.profile.dues.contains(due));
        let flips = self.flips;
        self.affected.extend_from_slice(&newer.positions);
        self.judge(if newer.backfilled { "backfill" } else { "definition" }, None)?;
        self.changed |= stale || moved || self.flips > flips;
        Ok(newer.positions.len())
    }
}
