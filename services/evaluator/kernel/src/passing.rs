//! Many stored profiles, one after the other: those that a walk brings to the plan, and those that are given history.
//!
//! Whoever is met so takes no place in memory from those that events come for.

use crate::adoption::Adoption;
use crate::cache::{Cache, Key};
use crate::dues::Dues;
use crate::given::Wish;
use crate::halt::{Halt, Result};
use crate::ledger::{Ledger, Step, guarded, told};
use crate::msgpack::Reader;
use crate::past::Place;
use crate::plan::Plan;
use crate::profile::Arena;
use crate::sealed::Move;
use crate::step::{self, Stepping};

/// A workspace's plan at a revision, and the way to it.
pub struct Toward<'p> {
    pub workspace: &'p str,
    pub plan: &'p Plan,
    pub revision: i64,
    pub adoption: &'p Adoption,
    pub now_ms: i64,
}

/// What came of one profile; `state` None: nothing of it changed. `numbered`: it has the next number of the workspace.
struct Done {
    state: Option<Vec<u8>>,
    before_ms: Option<i64>,
    wake_ms: Option<i64>,
    transitions: Vec<u8>,
    moves: Vec<Move>,
    judged: usize,
    numbered: bool,
    quiet: bool,
}

impl Ledger {
    /// Brings a stored profile to the plan and the clock. How many segments judged it; an error leaves it to the
    /// interpreted core.
    pub fn walk(&mut self, cache: &Cache, dues: &mut Dues, toward: &Toward, id: &str, stored: &[u8]) -> Result<usize> {
        let (key, next) = (key(toward.workspace, id), self.sets.last(toward.workspace) + 1);
        let done = {
            let Some(state) = self.met(cache, &key, Some(stored))? else { return Ok(0) };
            if number(state)? == toward.revision {
                return Ok(0);
            }
            guarded(|| {
                let arena = Arena::new();
                let mut stepping = Stepping::begin_older(toward.plan, &arena, toward.revision, state, id, Some(toward.adoption))?;
                let numbered = stepping.numbered(next);
                let before_ms = stepping.wake_at();
                stepping.upto(toward.now_ms)?;
                Ok(ended(&stepping, &key, before_ms, numbered, false))
            })?
        };
        Ok(self.pass(dues, key, done))
    }

    /// Gives a profile its history. Whether there was any for it; else nothing of it changes.
    pub fn fill(
        &mut self, cache: &Cache, dues: &mut Dues, toward: &Toward, wish: &Wish, place: Place, stored: Option<&[u8]>,
    ) -> Result<bool> {
        let id = place.profile()?;
        let (key, next) = (key(toward.workspace, id), self.sets.last(toward.workspace) + 1);
        let done = {
            let Some(state) = self.met(cache, &key, stored)? else { return Ok(false) };
            guarded(|| {
                let arena = Arena::new();
                let mut stepping = Stepping::begin_older(toward.plan, &arena, toward.revision, state, id, Some(toward.adoption))?;
                let numbered = stepping.numbered(next);
                let before_ms = stepping.wake_at();
                let events = place.events(&wish.reads, &arena)?;
                stepping.upto(toward.now_ms)?;
                let touched = stepping.changed;
                if !stepping.give(&events, wish, toward.now_ms)?.kept {
                    return Ok(None); // it comes to the plan when something else brings it there
                }
                stepping.changed = true;
                let quiet = !touched && !stepping.may_hold(wish)?;
                Ok(Some(ended(&stepping, &key, before_ms, numbered, quiet)))
            })?
        };
        let given = done.is_some();
        if let Some(done) = done {
            self.pass(dues, key, done);
        }
        Ok(given)
    }

    /// Its newest state; None: it was never stored. What the interpreted core touches is its own.
    fn met<'s>(&'s self, cache: &'s Cache, key: &str, stored: Option<&'s [u8]>) -> Result<Option<&'s [u8]>> {
        if self.is_touched(key) {
            return Err(Halt::Lacks("what the interpreted core has touched"));
        }
        Ok(self.state(cache, key).or(stored).filter(|state| !state.is_empty()))
    }

    fn pass(&mut self, dues: &mut Dues, key: Key, done: Done) -> usize {
        let Done { state, before_ms, wake_ms, transitions, mut moves, judged, numbered, quiet } = done;
        let Some(state) = state else { return judged };
        if numbered {
            self.sets.give(&key);
        }
        if wake_ms != before_ms {
            dues.put(&key, wake_ms, before_ms);
        }
        self.tell(&transitions, &mut moves);
        self.put(Step { key, state: state.into(), before_ms, wake_ms, passing: true, quiet });
        judged
    }
}

/// Gives a profile that is at the plan its history.
pub fn give(plan: &Plan, revision: i64, state: &[u8], place: Place, wish: &Wish, now_ms: i64) -> Result<step::Done> {
    let arena = Arena::new();
    let mut stepping = Stepping::begin(plan, &arena, revision, state, place.profile()?)?;
    stepping.changed = stepping.give(&place.events(&wish.reads, &arena)?, wish, now_ms)?.fed;
    Ok(stepping.end())
}

fn ended(stepping: &Stepping, key: &Key, before_ms: Option<i64>, numbered: bool, quiet: bool) -> Done {
    let (transitions, moves) = told(stepping, key);
    let (state, wake_ms) = (stepping.changed.then(|| stepping.state()), stepping.wake_at());
    Done { state, before_ms, wake_ms, transitions, moves, judged: stepping.judged, numbered, quiet }
}

fn key(workspace: &str, id: &str) -> Key {
    [workspace, "\0", id].concat().into()
}

/// The `plan` of a state.
fn number(state: &[u8]) -> Result<i64> {
    let from = &mut Reader::new(state);
    from.array()?;
    from.int()
}
