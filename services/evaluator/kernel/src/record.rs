//! A packed record, applied to the states of the profiles that it touches.
//!
//! Profiles know nothing of each other. So what the kernel can't do for one of them is given back for that one
//! alone, undone from the record's beginning, and all others go on.

use std::collections::HashMap;

use crate::event::Event;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::plan::Plan;
use crate::profile::Arena;
use crate::step::Stepping;

/// One that changed. The due instants are the one before and the one now.
pub struct Changed<'a> {
    pub profile: &'a str,
    pub state: Vec<u8>,
    pub before_ms: Option<i64>,
    pub wake_ms: Option<i64>,
}

/// `transitions`, in the order of the events, and `derived`, as [place of the cause, event], are arrays in msgpack.
pub struct Applied<'a> {
    pub changed: Vec<Changed<'a>>,
    pub repeats: Vec<usize>,
    pub transitions: Vec<u8>,
    pub derived: Vec<u8>,
    pub given_back: Vec<(&'a str, &'static str)>,
}

/// One whose due time came; `state` is None where nothing was due after all.
pub struct Fired {
    pub state: Option<Vec<u8>>,
    pub wake_ms: Option<i64>,
}

/// Brings profiles (id, state, until) to an instant each, through all that was due by then. Of those that are given
/// back there is only why.
pub fn fire<'a>(
    plan: &'a Plan, revision: i64, due: &[(&'a str, &'a [u8], i64)],
) -> (Vec<std::result::Result<Fired, &'static str>>, Vec<u8>) {
    let (mut transitions, mut flips) = (Vec::new(), 0);
    let arena = Arena::new();
    let fired = due
        .iter()
        .map(|(profile, state, until_ms)| {
            let mut stepping = Stepping::begin(plan, &arena, revision, state, profile)?;
            upto(&mut stepping, *until_ms)?;
            transitions.extend_from_slice(&stepping.transitions);
            flips += stepping.flips;
            Ok(Fired { state: stepping.changed.then(|| stepping.state()), wake_ms: stepping.wake_at() })
        })
        .map(|fired: Result<Fired>| fired.map_err(|(Halt::Lacks(what) | Halt::Bad(what))| what))
        .collect();
    (fired, msgpack::counted(flips, &transitions))
}

/// The events of a record, whose workspace must be the plan's.
pub struct Record<'a> {
    pub events: Vec<Event<'a>>,
    /// The profiles in the order in which they come, and of each event which one it is of.
    pub profiles: Vec<&'a str>,
    of: Vec<usize>,
}

impl<'a> Record<'a> {
    pub fn read(record: &'a [u8], workspace: &str) -> Result<Self> {
        let from = &mut Reader::new(record);
        from.array_of(2)?;
        if from.str()? != "e" {
            return Err(Halt::Bad("not a record of events"));
        }
        let count = from.array()?;
        let room = from.room(count);
        let mut found =
            Record { events: Vec::with_capacity(room), profiles: Vec::new(), of: Vec::with_capacity(room) };
        let mut known: HashMap<&str, usize> = HashMap::with_capacity(room);
        for _ in 0..count {
            let event = Event::read(from, workspace)?;
            let next = found.profiles.len();
            let index = *known.entry(event.profile).or_insert(next);
            if index == next {
                found.profiles.push(event.profile);
            }
            found.of.push(index);
            found.events.push(event);
        }
        if from.done() { Ok(found) } else { Err(Halt::Bad("a record that goes on")) }
    }

    /// `states` are those of `profiles`, empty of one never seen. `clock_ms`: the clock before the first event.
    pub fn apply(
        &self, plan: &'a Plan, arena: &'a Arena, revision: i64, states: &[&'a [u8]], clock_ms: i64,
    ) -> Result<Applied<'a>> {
        let mut applied = Applied {
            changed: Vec::with_capacity(self.profiles.len()),
            repeats: Vec::new(),
            transitions: Vec::new(),
            derived: Vec::new(),
            given_back: Vec::new(),
        };
        let mut steppings: Vec<Result<Stepping<'a>>> = Vec::with_capacity(self.profiles.len());
        for (profile, state) in self.profiles.iter().zip(states) {
            steppings.push(Stepping::begin(plan, arena, revision, state, profile));
        }
        let before: Vec<Option<i64>> =
            steppings.iter().map(|each| each.as_ref().ok().and_then(Stepping::wake_at)).collect();
        let (mut clock, mut marks) = (clock_ms, Vec::with_capacity(self.events.len()));
        for (place, event) in self.events.iter().enumerate() {
            clock = clock.max(event.time_ms);
            let index = self.of[place];
            let Ok(stepping) = &mut steppings[index] else { continue };
            let (transitions, derived) = (stepping.transitions.len(), stepping.derived.len());
            let (flips, events) = (stepping.flips, stepping.events);
            match one(stepping, event, clock) {
                Ok(is_new) => {
                    let mark = Mark {
                        place,
                        index,
                        is_new,
                        transitions: transitions..stepping.transitions.len(),
                        flips: stepping.flips - flips,
                        derived: derived..stepping.derived.len(),
                        events: stepping.events - events,
                    };
                    marks.push(mark);
                }
                Err(halt) => steppings[index] = Err(halt),
            }
        }
        self.gather(&mut applied, &steppings, &marks)?;
        for ((profile, stepping), before_ms) in self.profiles.iter().zip(&steppings).zip(before) {
            match stepping {
                Ok(stepping) if stepping.changed => applied.changed.push(Changed {
                    profile,
                    state: stepping.state(),
                    before_ms,
                    wake_ms: stepping.wake_at(),
                }),
                Ok(_) => {}
                Err(Halt::Lacks(what) | Halt::Bad(what)) => applied.given_back.push((profile, what)),
            }
        }
        Ok(applied)
    }

    /// What came of the events of those that are not given back.
    fn gather(&self, applied: &mut Applied, steppings: &[Result<Stepping>], marks: &[Mark]) -> Result<()> {
        let (mut transitions, mut derived) = (Vec::new(), Vec::new());
        let (mut flips, mut events) = (0, 0);
        for mark in marks {
            let Ok(stepping) = &steppings[mark.index] else { continue };
            if !mark.is_new {
                applied.repeats.push(mark.place);
            }
            transitions.extend_from_slice(&stepping.transitions[mark.transitions.clone()]);
            flips += mark.flips;
            let from = &mut Reader::new(&stepping.derived[mark.derived.clone()]);
            for _ in 0..mark.events {
                msgpack::put_array(&mut derived, 2);
                msgpack::put_int(&mut derived, mark.place as i64);
                derived.extend_from_slice(from.raw()?);
            }
            events += mark.events;
        }
        applied.transitions = msgpack::counted(flips, &transitions);
        applied.derived = msgpack::counted(events, &derived);
        Ok(())
    }
}

/// What an event left in its profile's `Stepping`.
struct Mark {
    place: usize,
    index: usize,
    is_new: bool,
    transitions: std::ops::Range<usize>,
    flips: usize,
    derived: std::ops::Range<usize>,
    events: usize,
}

/// What is due before an event, each at its own instant, and then the event.
fn one<'a>(stepping: &mut Stepping<'a>, event: &Event<'a>, clock_ms: i64) -> Result<bool> {
    upto(stepping, clock_ms)?;
    stepping.event(event, clock_ms)
}

fn upto(stepping: &mut Stepping, clock_ms: i64) -> Result<()> {
    while let Some(wake) = stepping.wake_at().filter(|wake| *wake <= clock_ms) {
        stepping.clock(wake)?;
        if stepping.wake_at().is_some_and(|next| next <= wake) {
            return Err(Halt::Bad("a due time that fired lies in the past"));
        }
    }
    Ok(())
}
