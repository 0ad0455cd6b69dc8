//! One profile, one thing that happens, and everything that follows from it: `event` and `clock`.
//!
//! As in module `step` of the core: the change is applied to the registers and the facts, each of which names the
//! few segments that it may flip; only then are those judged, in topological order, once each.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::adoption::Adoption;
use crate::amount::Amount;
use crate::bounds::{Refusal, beyond};
use crate::change::Change;
use crate::computed::Tell;
use crate::dedup::remember;
use crate::event::{Event, MERGE, PROFILE, RETRACT, SEGMENT_ENTERED, SEGMENT_EXITED};
use crate::fact::{Kind, State};
use crate::halt::{Halt, Result};
use crate::merging::GONE;
use crate::msgpack::{self, Reader};
use crate::plan::{Plan, Segment};
use crate::profile::{Arena, Due, Membership, Profile, keep};
use crate::retraction::{is_taken, take_back};
use crate::track::Track;
use crate::trail::Stamps;
use crate::transition;
use crate::value::Value;

/// `state` is None where nothing changed (a repeat). `transitions` and `derived` are arrays in msgpack, one after
/// the other.
pub struct Done {
    pub state: Option<Vec<u8>>,
    pub wake_ms: Option<i64>,
    pub transitions: Vec<u8>,
    pub flips: usize,
    pub derived: Vec<u8>,
    pub events: usize,
    pub refused: Option<Refusal>,
}

/// What became of an event; of one that was refused nothing is applied.
pub enum Took {
    Applied,
    Repeat,
    Refused(Refusal),
}

/// A profile that goes from step to step. `transitions` and `derived` are those of all its steps. `retracted`: it has
/// a retraction more to be carried out.
pub struct Stepping<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) arena: &'a Arena,
    pub(crate) profile_id: &'a str,
    pub(crate) profile: Profile<'a>,
    pub(crate) now_ms: i64,
    pub(crate) affected: Vec<u32>,
    pub(crate) is_new: bool,
    revision: i64,
    /// Where the profile is of an older plan: the way to this one.
    adoption: Option<&'a Adoption>,
    pub judged: usize,
    pub changed: bool,
    pub retracted: bool,
    /// Of every transition the position of its segment, and whether it was entered.
    pub moves: Vec<(u32, bool)>,
    pub transitions: Vec<u8>,
    pub flips: usize,
    pub derived: Vec<u8>,
    pub events: usize,
}

/// Applies an event, as a record carries it, to a state, empty of a profile never seen.
pub fn event(plan: &Plan, revision: i64, state: &[u8], event: &[u8], now_ms: i64) -> Result<Done> {
    let from = &mut Reader::new(event);
    let event = Event::read(from, &plan.workspace)?;
    if !from.done() {
        return Err(Halt::Bad("an event that goes on"));
    }
    let arena = Arena::new();
    let mut stepping = Stepping::begin(plan, &arena, revision, state, event.profile)?;
    let took = stepping.event(&event, now_ms)?;
    let mut done = stepping.end();
    if let Took::Refused(refusal) = took {
        done.refused = Some(refusal);
    }
    Ok(done)
}

/// Lets the clock alone reach `now_ms`, the profile's next due instant.
pub fn clock(plan: &Plan, revision: i64, profile_id: &str, state: &[u8], now_ms: i64) -> Result<Done> {
    let arena = Arena::new();
    let mut stepping = Stepping::begin(plan, &arena, revision, state, profile_id)?;
    stepping.clock(now_ms)?;
    Ok(stepping.end())
}

/// Brings a profile to the plan, whose way is `adoption`, at an instant up to which all that was due has fired.
pub fn adopt(plan: &Plan, revision: i64, adoption: &Adoption, profile_id: &str, state: &[u8], now_ms: i64) -> Result<Done> {
    let arena = Arena::new();
    let mut stepping = Stepping::begin_older(plan, &arena, revision, state, profile_id, None)?;
    stepping.adopt(adoption, revision, now_ms)?;
    Ok(stepping.end())
}

impl<'a> Stepping<'a> {
    pub fn begin(plan: &'a Plan, arena: &'a Arena, revision: i64, state: &'a [u8], profile_id: &'a str) -> Result<Self> {
        let stepping = Self::begin_older(plan, arena, revision, state, profile_id, None)?;
        if stepping.profile.plan != revision {
            return Err(Halt::Lacks("bringing a profile to a plan"));
        }
        Ok(stepping)
    }

    /// With a profile of any plan: `upto` is what must come first.
    pub fn begin_older(
        plan: &'a Plan, arena: &'a Arena, revision: i64, state: &'a [u8], profile_id: &'a str, adoption: Option<&'a Adoption>,
    ) -> Result<Self> {
        let profile = if state.is_empty() { Profile::new(profile_id, revision) } else { Profile::decode(profile_id, state)? };
        let adoption = adoption.filter(|_| profile.plan != revision);
        Ok(Stepping {
            plan,
            arena,
            profile_id,
            profile,
            now_ms: 0,
            affected: Vec::new(),
            is_new: state.is_empty(),
            revision,
            adoption,
            judged: 0,
            changed: false,
            retracted: false,
            moves: Vec::new(),
            transitions: Vec::new(),
            flips: 0,
            derived: Vec::new(),
            events: 0,
        })
    }

    /// What was stored without a number gets the next one. Whether that was so.
    pub fn numbered(&mut self, next: i64) -> bool {
        let lacks = self.profile.number == 0;
        if lacks {
            self.profile.number = next;
        }
        lacks
    }

    pub fn event(&mut self, event: &Event<'a>, now_ms: i64) -> Result<Took> {
        let plan = self.plan;
        if self.profile.plan == GONE {
            return Err(Halt::Lacks("events of a profile that is gone"));
        }
        self.now_ms = now_ms;
        let Some(seen) = remember(&self.profile.seen, &event.id, now_ms, plan.window_ms, plan.max_ids)? else {
            return Ok(Took::Repeat);
        };
        let change = if event.name == PROFILE { Some(Change::read(event.raw)?) } else { None };
        if let Some(refusal) = change.as_ref().map_or(Ok(None), |change| beyond(&mut self.profile, change, &plan.bounds))? {
            return Ok(Took::Refused(refusal));
        }
        self.profile.seen = seen.into();
        self.changed = true;
        if std::mem::take(&mut self.is_new) {
            self.affected.extend_from_slice(&plan.born);
        }
        match event.name {
            RETRACT => self.retract(event)?,
            MERGE => return Err(Halt::Lacks("a merge by itself")),
            _ => match &change {
                Some(change) => self.change(event, change)?,
                None if is_taken(self.profile.taken, event)? => {}
                None => self.feed(event, None)?,
            },
        }
        self.judge(if change.is_some() { "attribute" } else { "event" }, Some(&event.id))?;
        Ok(Took::Applied)
    }

    fn retract(&mut self, event: &Event<'a>) -> Result<()> {
        if let Some(taken) = take_back(self.profile.taken, event)? {
            self.profile.taken = keep(self.arena, taken);
            self.retracted = true;
        }
        Ok(())
    }

    /// The clock alone comes to the next due instant.
    pub fn clock(&mut self, now_ms: i64) -> Result<()> {
        self.now_ms = now_ms;
        self.changed = true;
        self.tick()?;
        self.judge("clock", None)
    }

    /// Brings the profile to the plan, and through what is due up to an instant, each at its own.
    ///
    /// An older plan is left at the last instant at which all that was due has fired, so what falls due then is judged by
    /// the new plan.
    pub fn upto(&mut self, until_ms: i64) -> Result<()> {
        if let Some(adoption) = self.adoption.take() {
            let at_ms = self.wake_at().map_or(until_ms, |wake| until_ms.min(wake.saturating_sub(1)));
            self.judged += self.adopt(adoption, self.revision, at_ms)?;
        }
        while let Some(wake) = self.wake_at().filter(|wake| *wake <= until_ms) {
            self.clock(wake)?;
            if self.wake_at().is_some_and(|next| next <= wake) {
                return Err(Halt::Bad("a due time that fired lies in the past"));
            }
        }
        Ok(())
    }

    pub fn wake_at(&self) -> Option<i64> {
        self.profile.wake_at()
    }

    pub fn state(&self) -> Vec<u8> {
        let mut state = Vec::with_capacity(1_024);
        self.profile.encode(&mut state);
        state
    }

    pub(crate) fn end(self) -> Done {
        let (state, wake_ms) = (self.changed.then(|| self.state()), self.wake_at());
        let Stepping { transitions, flips, derived, events, .. } = self;
        Done { state, wake_ms, transitions, flips, derived, events, refused: None }
    }

    // -- what changes

    /// Gives an event to every fact that it feeds, but those of the segment `ignored`.
    pub(crate) fn feed(&mut self, event: &Event<'a>, ignored: Option<&str>) -> Result<()> {
        let plan = self.plan;
        let Some(feeds) = plan.feeds.get(event.name) else { return Ok(()) };
        let mut linked = Vec::new();
        for index in feeds.fed(event, |index| plan.wants(index))? {
            let track = &plan.tracks[index];
            if ignored.is_some() && track.owner.as_deref() == ignored {
                continue;
            }
            if track.is_linked() {
                linked.push(index);
                continue;
            }
            let state = self.take(track)?;
            let Some((mut state, old, new)) = track.kind.added(state, event, self.now_ms)? else { continue };
            let due = track.next_ms(&mut state, self.now_ms)?;
            self.profile.put(track.id, state);
            if old != new {
                track.changed(&old, &new, &self.profile.facts, &mut self.affected);
            }
            self.profile.set_due(Due::Fact(track.id), due);
        }
        if linked.is_empty() { Ok(()) } else { self.follow(&linked, event) }
    }

    /// The state of a fact, open; another one must be put in its place.
    pub(crate) fn take(&mut self, track: &Track) -> Result<Option<State<'a>>> {
        let Some(at) = self.profile.slot(track.id) else { return Ok(None) };
        let state = std::mem::replace(&mut self.profile.facts[at].state, State::Whole(0));
        track.kind.open(state).map(Some)
    }

    /// Gives an event to trails and chains, and then to the chains that the profile has begun.
    fn follow(&mut self, fed: &[usize], event: &Event<'a>) -> Result<()> {
        let plan = self.plan;
        let mut chains: Vec<(usize, Option<Amount>)> = Vec::new();
        for index in fed {
            let track = &plan.tracks[*index];
            let mut state = self.take(track)?;
            if !matches!(track.kind, Kind::Trail(_)) {
                chains.retain(|each| each.0 != *index);
                chains.push((*index, Some(track.kind.value(state.as_mut(), self.now_ms)?)));
            }
            if let Some(state) = track.kind.followed(state, event, self.now_ms)? {
                self.profile.put(track.id, state);
            }
            for follower in &track.followers {
                let begun = self.profile.slot(plan.tracks[*follower].id).is_some();
                if begun && !chains.iter().any(|each| each.0 == *follower) {
                    chains.push((*follower, None));
                }
            }
        }
        let stamp = (event.time_ms, event.id.clone());
        for (index, before) in chains {
            let track = &plan.tracks[index];
            let Some(mut state) = self.take(track)? else { continue };
            let trails = self.trails(track)?;
            let old = before.map_or_else(|| track.kind.value(Some(&mut state), self.now_ms), Ok)?;
            let at: Vec<usize> = (0..track.trails.len()).filter(|at| fed.contains(&track.trails[*at])).collect();
            let (first, all) = (fed.contains(&index), slices(track, &trails));
            match (&track.kind, &mut state) {
                (Kind::Absent(kind), State::Awaited(state)) => kind.follow(state, &stamp, first, &at, &all, self.now_ms)?,
                (Kind::Present(kind), State::Begun(state)) => kind.follow(state, &stamp, first, &at, &all, self.now_ms)?,
                _ => return Err(Halt::Bad("a state of another kind")),
            }
            let new = track.kind.value(Some(&mut state), self.now_ms)?;
            let due = track.next_ms(&mut state, self.now_ms)?;
            self.give_back(track, trails);
            self.profile.put(track.id, state);
            if old != new {
                track.changed(&old, &new, &self.profile.facts, &mut self.affected);
            }
            self.profile.set_due(Due::Fact(track.id), due);
        }
        Ok(())
    }

    /// The stamps of a sequence's later steps, which are to be given back; those of a step that comes twice stand in
    /// its first place.
    pub(crate) fn trails(&mut self, track: &Track) -> Result<Vec<Stamps<'a>>> {
        let mut found = Vec::with_capacity(track.trails.len());
        for (at, index) in track.trails.iter().enumerate() {
            if track.trails[..at].contains(index) {
                found.push(Stamps::empty());
                continue;
            }
            match self.take(&self.plan.tracks[*index])? {
                None => found.push(Stamps::empty()),
                Some(State::Stamps(stamps)) => found.push(stamps),
                Some(_) => return Err(Halt::Bad("a state of another kind")),
            }
        }
        Ok(found)
    }

    pub(crate) fn give_back(&mut self, track: &Track, trails: Vec<Stamps<'a>>) {
        for (place, (index, stamps)) in track.trails.iter().zip(trails).enumerate() {
            if track.trails[..place].contains(index) {
                continue;
            }
            if let Some(at) = self.profile.slot(self.plan.tracks[*index].id) {
                self.profile.facts[at].state = State::Stamps(stamps);
            }
        }
    }

    /// The clock alone comes to what is due.
    fn tick(&mut self) -> Result<()> {
        let due: Vec<Due> = self.profile.dues.iter().filter(|due| due.1 <= self.now_ms).map(|due| due.0).collect();
        for name in due {
            let fact = match name {
                Due::Fact(fact) => fact,
                Due::Attribute(name) => {
                    self.tick_attribute(name)?;
                    continue;
                }
            };
            let track = self.plan.track(fact).ok_or(Halt::Bad("a fact that is not in the plan"))?;
            let mut state = self.take(track)?.ok_or(Halt::Bad("a due time without a fact"))?;
            let trails = self.trails(track)?;
            let old = track.kind.value(Some(&mut state), self.now_ms.saturating_sub(1))?;
            match (&track.kind, &mut state) {
                (Kind::Absent(kind), State::Awaited(state)) => kind.settle(state, &slices(track, &trails), self.now_ms)?,
                (Kind::Present(kind), State::Begun(state)) => kind.settle(state, self.now_ms)?,
                _ => {}
            }
            let new = track.kind.value(Some(&mut state), self.now_ms)?;
            let next = track.next_ms(&mut state, self.now_ms)?;
            self.give_back(track, trails);
            self.profile.put(track.id, state);
            if old != new {
                track.changed(&old, &new, &self.profile.facts, &mut self.affected);
            }
            track.ticked(&self.profile.facts, &mut self.affected);
            self.profile.set_due(name, next);
        }
        Ok(())
    }

    fn tick_attribute(&mut self, name: &'a str) -> Result<()> {
        let watch = self.plan.watches.get(name).ok_or(Halt::Bad("a due time of an attribute that nobody asks about"))?;
        watch.ticked(&self.profile.facts, &mut self.affected);
        let register = self.profile.attribute(name).ok_or(Halt::Bad("a due time without an attribute"))?;
        let due = watch.due(&register.read()?, self.now_ms)?;
        self.profile.set_due(Due::Attribute(name), due);
        Ok(())
    }

    // -- what follows

    /// Judges the affected segments, and whatever their flips affect, in order.
    pub(crate) fn judge(&mut self, cause: &'static str, event_id: Option<&str>) -> Result<()> {
        let plan = self.plan;
        let mut pending: BinaryHeap<Reverse<u32>> = self.affected.drain(..).map(Reverse).collect();
        let mut last = None;
        while let Some(Reverse(position)) = pending.pop() {
            if last == Some(position) {
                continue;
            }
            if last.is_some_and(|last| last > position) {
                return Err(Halt::Bad("segments that depend on each other in a circle"));
            }
            last = Some(position);
            let Some(segment) = plan.segments.get(position as usize).and_then(Option::as_ref) else { continue };
            let was = self.profile.is_member(&segment.id);
            if segment.program.holds(plan, &mut self.profile, self.now_ms)? == was {
                continue;
            }
            self.flip(segment, cause, event_id, &segment.tells)?;
            self.moves.push((position, !was));
            if let Some(reach) = plan.dependents.get(&position) {
                reach.collect(&self.profile.facts, &mut self.affected);
            }
            let name = if was { SEGMENT_EXITED } else { SEGMENT_ENTERED };
            if plan.feeds.contains_key(name) {
                let told = Event {
                    id: format!("{}~segment~{}", event_id.unwrap_or(cause), segment.id).into(),
                    profile: self.profile_id,
                    name,
                    time_ms: self.now_ms,
                    properties: Value::Map(vec![("segment", Value::Str(&segment.id))]),
                    raw: &[],
                };
                self.feed(&told, Some(&segment.id))?;
            }
            pending.extend(self.affected.drain(..).map(Reverse));
        }
        Ok(())
    }

    pub(crate) fn flip(&mut self, segment: &'a Segment, cause: &str, event_id: Option<&str>, tells: &[Tell]) -> Result<()> {
        let memberships = &mut self.profile.memberships;
        let at = memberships.iter().position(|each| each.segment == segment.id).unwrap_or_else(|| {
            memberships.push(Membership { segment: &segment.id, sequence: 0, entered_ms: None });
            memberships.len() - 1
        });
        let membership = &mut memberships[at];
        let entered = membership.entered_ms.is_none();
        membership.sequence = membership.sequence.saturating_add(1);
        membership.entered_ms = entered.then_some(self.now_ms);
        let mut fields = Vec::with_capacity(128);
        for text in [self.plan.workspace.as_str(), &segment.id, self.profile_id, if entered { "entered" } else { "exited" }] {
            msgpack::put_str(&mut fields, text);
        }
        msgpack::put_int(&mut fields, self.now_ms);
        msgpack::put_int(&mut fields, membership.sequence);
        msgpack::put_str(&mut fields, cause);
        match event_id {
            Some(id) => msgpack::put_str(&mut fields, id),
            None => fields.push(0xc0),
        }
        msgpack::put_int(&mut fields, segment.version);
        let computed = self.told(tells)?;
        transition::put(&mut self.transitions, &fields, computed.as_deref());
        self.flips += 1;
        Ok(())
    }

    /// The values of the computed attributes that a definition asks about, as a map; None where it asks about none.
    fn told(&mut self, tells: &[Tell]) -> Result<Option<Vec<u8>>> {
        if tells.is_empty() {
            return Ok(None);
        }
        let (mut values, mut count) = (Vec::new(), 0);
        for tell in tells {
            let amount = self.plan.value(&mut self.profile, tell.fact, self.now_ms)?;
            count += usize::from(tell.put(&amount, &mut values)?);
        }
        let mut out = Vec::with_capacity(values.len() + 5);
        msgpack::put_map(&mut out, count);
        out.extend_from_slice(&values);
        Ok(Some(out))
    }
}

pub(crate) fn slices<'s, 'a>(track: &Track, trails: &'s [Stamps<'a>]) -> Vec<&'s Stamps<'a>> {
    let first = |index: &usize| track.trails.iter().position(|each| each == index).unwrap_or(0);
    track.trails.iter().map(|index| &trails[first(index)]).collect()
}
