//! The kernel's share of the commit in the making: records and due times, applied to the states that are remembered.
//!
//! Profiles know nothing of each other. So what the kernel can't do for one of them is left to the interpreted core
//! for that one alone, undone, and all others go on. A profile that the interpreted core has touched in this commit
//! is its own until the commit ends (`take`).

use foldhash::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::adoption::Adoption;
use crate::bounds::Refusal;
use crate::cache::{Cache, Key};
use crate::dues::{Dues, Entry};
use crate::event::MERGE;
use crate::fault;
use crate::halt::{Halt, Result};
use crate::merging::Leaving;
use crate::msgpack::{self, Reader};
use crate::plan::Plan;
use crate::profile::Arena;
use crate::record::Record;
use crate::sealed::{Move, Sealed, sealed};
use crate::sets::Sets;
use crate::step::{Stepping, Took};

/// How a workspace is served; `Served` at a revision, with the way to it.
#[derive(Clone)]
pub enum Serving {
    Unknown,
    Interpreted,
    Served(Arc<Plan>, i64, Arc<Adoption>),
}

/// A profile that was changed: its new state, its due instants before the commit and now. `passing`: it was only passed
/// by, and is not remembered for that. `quiet`: it is in no segment that waits for its history.
pub struct Changed {
    pub key: Key,
    pub state: Box<[u8]>,
    pub before_ms: Option<i64>,
    pub wake_ms: Option<i64>,
    pub taken: bool,
    pub passing: bool,
    pub quiet: bool,
}

/// What became of a record's events, by their places. `left`, with the clock at each, are for the interpreted core.
/// `derived` is an array of [place of the cause, event] in msgpack. `retracted` are the places of profiles that have a
/// retraction to be carried out; `leaving` goes with the place of a profile that went into another one.
#[derive(Default)]
pub struct Applied {
    pub clock_ms: i64,
    pub repeats: Vec<usize>,
    pub idle: Vec<usize>,
    pub refused: Vec<(usize, Refusal)>,
    pub retracted: Vec<usize>,
    pub leaving: Vec<(usize, Leaving)>,
    pub unknown: Vec<usize>,
    pub left: Vec<(usize, i64)>,
    pub derived: Vec<u8>,
}

#[derive(Default)]
pub struct Ledger {
    pub changed: Vec<Changed>,
    pub sets: Sets,
    places: HashMap<Key, usize>,
    touched: HashSet<Key>,
    transitions: Vec<u8>,
    moves: Vec<Move>,
    scratch: Vec<u8>,
}

/// What a profile's steps left.
pub struct Step {
    pub key: Key,
    pub state: Box<[u8]>,
    pub before_ms: Option<i64>,
    pub wake_ms: Option<i64>,
    pub passing: bool,
    pub quiet: bool,
}

impl Ledger {
    /// Applies a record. `clock_ms`: the clock before the first event; `stamps`, in order: (place, instant), before the
    /// event there the clock comes to that instant. `keeps_out` says of a profile never seen whether
    /// it was erased and is kept out: that is left to the interpreted core. `commit`: the number of the one in the making.
    #[allow(clippy::too_many_arguments)]
    pub fn apply(
        &mut self, cache: &Cache, dues: &mut Dues, record: &Record, data: &[u8], serving: &[Serving], clock_ms: i64,
        stamps: &[(usize, i64)], keeps_out: impl Fn(&str) -> bool, commit: i64,
    ) -> Result<Applied> {
        let (events, arena) = (record.events(data)?, Arena::new());
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut steppings: Vec<Option<Stepping>> = Vec::with_capacity(record.profiles.len());
        for who in &record.profiles {
            let Serving::Served(plan, revision, adoption) = &serving[who.workspace] else {
                steppings.push(None);
                continue;
            };
            let state = found(&self.changed, &self.places, &self.touched, cache, &who.key);
            let state = state.filter(|state| !(state.is_empty() && keeps_out(&who.key)));
            let id = &who.key[record.workspaces[who.workspace].len() + 1..];
            let begun = state.and_then(|state| guarded(|| Stepping::begin_older(plan, &arena, *revision, state, id, Some(adoption))).ok());
            steppings.push(begun);
        }
        let before: Vec<Option<i64>> = steppings.iter().map(|each| each.as_ref().and_then(Stepping::wake_at)).collect();
        let mut applied = Applied { clock_ms, ..Applied::default() };
        let mut marks = Vec::with_capacity(events.len());
        let mut stamps = stamps.iter().peekable();
        for (place, event) in events.iter().enumerate() {
            while let Some((_, at_ms)) = stamps.next_if(|stamp| stamp.0 <= place) {
                applied.clock_ms = applied.clock_ms.max(*at_ms);
            }
            let index = record.of[place];
            if matches!(serving[record.profiles[index].workspace], Serving::Unknown) {
                applied.unknown.push(place);
                continue;
            }
            applied.clock_ms = applied.clock_ms.max(event.time_ms);
            let clock_ms = applied.clock_ms;
            let mut mark = Mark { place, index, clock_ms, ..Mark::default() };
            if let Some(stepping) = &mut steppings[index] {
                let done = guarded(|| {
                    fault::trip("step");
                    stepping.upto(clock_ms)?;
                    if event.name == MERGE {
                        return stepping.merge(event, clock_ms, commit).map(Became::Gone);
                    }
                    stepping.event(event, clock_ms).map(Became::There)
                });
                match done {
                    Ok(became) => mark.stands(stepping, became),
                    Err(_) => steppings[index] = None,
                }
            }
            marks.push(mark);
        }
        for (who, stepping) in record.profiles.iter().zip(&mut steppings) {
            if let Some(stepping) = stepping.as_mut().filter(|stepping| stepping.changed && stepping.profile.number == 0) {
                stepping.profile.number = self.sets.number(&record.workspaces[who.workspace]);
                self.sets.new.push((who.key.clone(), stepping.profile.number));
            }
        }
        let (transitions, mut moves) = gather(&mut applied, record, &steppings, marks)?;
        let mut steps = Vec::with_capacity(steppings.len());
        for (index, ((who, stepping), before_ms)) in record.profiles.iter().zip(&steppings).zip(before).enumerate() {
            if stepping.as_ref().is_some_and(|stepping| stepping.retracted) {
                applied.retracted.push(index);
            }
            if let Some(stepping) = stepping.as_ref().filter(|stepping| stepping.changed) {
                scratch.clear();
                stepping.profile.encode(&mut scratch);
                steps.push(Step { key: who.key.clone(), state: scratch.as_slice().into(), before_ms, wake_ms: stepping.wake_at(), passing: false, quiet: false });
            }
        }
        self.scratch = scratch;
        self.transitions.extend_from_slice(&transitions);
        self.moves.append(&mut moves);
        for step in steps {
            if step.wake_ms != step.before_ms {
                dues.put(&step.key, step.wake_ms, step.before_ms);
            }
            self.put(step);
        }
        Ok(applied)
    }

    /// Fires at most `limit` dues up to an instant, in order. How many, the instant of the last, and those that are left to
    /// the interpreted core.
    pub fn fire(
        &mut self, cache: &Cache, dues: &mut Dues, mut serving: impl FnMut(&str) -> Serving, until_ms: i64, limit: usize,
    ) -> (usize, Option<i64>, Vec<Entry>) {
        let (mut count, mut last, mut left) = (0, None, Vec::new());
        for _ in 0..limit {
            let Some((due_ms, key)) = dues.pop(until_ms) else { break };
            (count, last) = (count + 1, Some(due_ms));
            let (workspace, id) = split(&key);
            let next = self.sets.last(workspace) + 1;
            let state = self.state(cache, &key).filter(|state| !state.is_empty());
            let (Serving::Served(plan, revision, adoption), Some(state)) = (serving(workspace), state) else {
                left.push((due_ms, key));
                continue;
            };
            fault::trip("fire");
            let fired = guarded(|| {
                let arena = Arena::new();
                let mut stepping = Stepping::begin_older(&plan, &arena, revision, state, id, Some(&adoption))?;
                let numbered = stepping.numbered(next);
                stepping.upto(due_ms)?;
                Ok((stepping.state(), stepping.wake_at(), told(&stepping, &key), numbered))
            });
            let Ok((state, wake_ms, (transitions, mut moves), numbered)) = fired else {
                left.push((due_ms, key));
                continue;
            };
            if numbered {
                self.sets.give(&key);
            }
            self.transitions.extend_from_slice(&transitions);
            self.moves.append(&mut moves);
            if wake_ms.is_some() {
                dues.put(&key, wake_ms, None);
            }
            self.put(Step { key, state: state.into(), before_ms: Some(due_ms), wake_ms, passing: false, quiet: false });
        }
        (count, last, left)
    }

    /// Hands a profile over to the interpreted core, until the commit ends; None where it was not changed here.
    pub fn take(&mut self, key: &str) -> Option<&Changed> {
        if self.touched.contains(key) {
            return None;
        }
        let found = self.places.get_key_value(key).map(|(key, at)| (key.clone(), *at));
        self.touched.insert(found.as_ref().map_or_else(|| key.into(), |found| found.0.clone()));
        let changed = self.changed.get_mut(found?.1)?;
        changed.taken = true;
        Some(changed)
    }

    /// The interpreted core's profiles are nobody's again: nothing came of what it looked at.
    pub fn release(&mut self) {
        self.touched.clear();
    }

    /// Undoes all of the commit in the making.
    pub fn undo(&mut self, dues: &mut Dues) {
        for each in &self.changed {
            dues.restore(&each.key, each.before_ms);
        }
        self.clear();
    }

    /// Ends the commit in the making, at an instant of the clock; the states are remembered.
    pub fn seal(&mut self, cache: &mut Cache, dues: &mut Dues, clock_ms: i64) -> Sealed {
        let (transitions, moves) = (std::mem::take(&mut self.transitions), std::mem::take(&mut self.moves));
        let sealed = sealed(&self.changed, &dues.take_unwritten(clock_ms), transitions, moves, &self.sets);
        for each in self.changed.drain(..).filter(|each| !each.taken) {
            if !each.passing || cache.look(&each.key).is_some() {
                cache.put(each.key, each.state);
            }
        }
        self.clear();
        sealed
    }

    fn clear(&mut self) {
        self.changed.clear();
        self.places.clear();
        self.touched.clear();
        self.transitions.clear();
        self.moves.clear();
        self.sets.new.clear();
    }

    /// None where it is the interpreted core's, or not remembered.
    pub fn state<'s>(&'s self, cache: &'s Cache, key: &str) -> Option<&'s [u8]> {
        found(&self.changed, &self.places, &self.touched, cache, key)
    }

    pub fn is_touched(&self, key: &str) -> bool {
        !self.touched.is_empty() && self.touched.contains(key)
    }

    pub fn tell(&mut self, transitions: &[u8], moves: &mut Vec<Move>) {
        self.transitions.extend_from_slice(transitions);
        self.moves.append(moves);
    }

    pub fn put(&mut self, step: Step) {
        let Step { key, state, before_ms, wake_ms, passing, quiet } = step;
        if let Some(at) = self.places.get(&key) {
            let changed = &mut self.changed[*at];
            (changed.state, changed.wake_ms) = (state, wake_ms);
            (changed.passing, changed.quiet) = (changed.passing && passing, changed.quiet && quiet);
            return;
        }
        self.places.insert(key.clone(), self.changed.len());
        self.changed.push(Changed { key, state, before_ms, wake_ms, taken: false, passing, quiet });
    }
}

/// A profile's state; None where it is the interpreted core's, or not remembered.
fn found<'s>(
    changed: &'s [Changed], places: &HashMap<Key, usize>, touched: &HashSet<Key>, cache: &'s Cache, key: &str,
) -> Option<&'s [u8]> {
    if !touched.is_empty() && touched.contains(key) {
        return None;
    }
    match places.get(key) {
        Some(at) => Some(&changed[*at].state),
        None => cache.look(key),
    }
}

/// What came of the events of those that are not left: transitions, and where the profiles moved.
fn gather(
    applied: &mut Applied, record: &Record, steppings: &[Option<Stepping>], marks: Vec<Mark>,
) -> Result<(Vec<u8>, Vec<Move>)> {
    let mut at = vec![Reached::default(); steppings.len()];
    let (mut transitions, mut moves, mut derived, mut events) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for mark in marks {
        let Some(stepping) = &steppings[mark.index] else {
            applied.left.push((mark.place, mark.clock_ms));
            continue;
        };
        let now = mark.reached;
        let before = std::mem::replace(&mut at[mark.index], now);
        transitions.extend_from_slice(&stepping.transitions[before.transitions..now.transitions]);
        for moved in &stepping.moves[before.moves..now.moves] {
            moves.push(Move::of(stepping, *moved, &record.profiles[mark.index].key));
        }
        let from = &mut Reader::new(&stepping.derived[before.derived..now.derived]);
        for _ in before.events..now.events {
            msgpack::put_array(&mut derived, 2);
            msgpack::put_int(&mut derived, mark.place as i64);
            derived.extend_from_slice(from.raw()?);
        }
        events += now.events - before.events;
        match mark.became {
            Became::There(Took::Applied) => {}
            Became::There(Took::Repeat) => applied.repeats.push(mark.place),
            Became::There(Took::Refused(refusal)) => applied.refused.push((mark.place, refusal)),
            Became::Gone(None) => applied.idle.push(mark.place),
            Became::Gone(Some(leaving)) => applied.leaving.push((mark.index, leaving)),
        }
    }
    applied.derived = msgpack::counted(events, &derived);
    Ok((transitions, moves))
}

/// What became of an event; None: its `$merge` changes nothing.
enum Became {
    There(Took),
    Gone(Option<Leaving>),
}

impl Default for Became {
    fn default() -> Self {
        Became::There(Took::Applied)
    }
}

/// An event of a record, and how far its profile was after it.
#[derive(Default)]
struct Mark {
    place: usize,
    index: usize,
    clock_ms: i64,
    became: Became,
    reached: Reached,
}

/// How far a profile's `Stepping` was.
#[derive(Clone, Copy, Default)]
struct Reached {
    transitions: usize,
    moves: usize,
    derived: usize,
    events: usize,
}

impl Mark {
    fn stands(&mut self, stepping: &Stepping, became: Became) {
        let (transitions, moves) = (stepping.transitions.len(), stepping.moves.len());
        (self.became, self.reached) = (became, Reached { transitions, moves, derived: stepping.derived.len(), events: stepping.events });
    }
}

pub fn told(stepping: &Stepping, key: &Key) -> (Vec<u8>, Vec<Move>) {
    let moves = stepping.moves.iter().map(|moved| Move::of(stepping, *moved, key)).collect();
    (stepping.transitions.clone(), moves)
}

/// The ids of the workspace and of the profile.
pub fn split(key: &str) -> (&str, &str) {
    key.split_once('\0').unwrap_or((key, ""))
}

/// A fault of ours leaves a profile to the interpreted core, as what the kernel lacks does.
pub fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Halt::Lacks("a step without a fault of the kernel")))
}
