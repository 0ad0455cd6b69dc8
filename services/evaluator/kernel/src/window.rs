//! Windows: t ⊕ d, and the span of instants in which an event counts.
//!
//! Calendar arithmetic is the core's: it is asked once for every quarter hour, and the answer is kept. Within a
//! quarter hour an answer moves along with the instant (a month later), or stays (the end of the month).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::asked::Core;
use crate::halt::Result;

pub const FOREVER: i64 = 253_402_300_799_999;
const QUARTER_MS: i64 = 900_000;
/// So many runs of quarter hours are kept.
const KEPT: usize = 8_192;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Moves(i64),
    Stays(i64),
    Uneven,
}

/// Neighbours with the same answer are one run: of a year there are some, not 35,000 quarter hours.
#[derive(Default)]
struct Known(BTreeMap<i64, (i64, Answer)>);

impl Known {
    fn get(&self, quarter: i64) -> Option<Answer> {
        let (_, (last, answer)) = self.0.range(..=quarter).next_back()?;
        (*last >= quarter).then_some(*answer)
    }

    fn put(&mut self, quarter: i64, answer: Answer) {
        if self.get(quarter).is_some() {
            return; // another thread was first
        }
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let (mut first, mut last) = (quarter, quarter);
        if let Some((start, (end, before))) = self.0.range(..quarter).next_back() {
            if end + 1 == quarter && *before == answer {
                first = *start;
            }
        }
        if let Some((end, after)) = self.0.get(&(quarter + 1)).copied() {
            if after == answer {
                self.0.remove(&(quarter + 1));
                last = end;
            }
        }
        self.0.insert(first, (last, answer));
    }
}

/// A shift that the core's calendar answers.
pub struct Calendar {
    core: Arc<dyn Core>,
    known: Mutex<Known>,
}

impl Calendar {
    pub fn new(core: Arc<dyn Core>) -> Self {
        Calendar { core, known: Mutex::new(Known::default()) }
    }

    pub fn at(&self, t_ms: i64) -> Result<i64> {
        if t_ms <= 0 || t_ms > FOREVER {
            return self.core.instant(t_ms);
        }
        let quarter = t_ms / QUARTER_MS;
        let known = || self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let found = known().get(quarter);
        let answer = match found {
            Some(answer) => answer,
            None => {
                let first = quarter * QUARTER_MS;
                let (low, high) = (self.core.instant(first)?, self.core.instant(first + QUARTER_MS - 1)?);
                let answer = if low == high {
                    Answer::Stays(low)
                } else if high - low == QUARTER_MS - 1 {
                    Answer::Moves(low - first)
                } else {
                    Answer::Uneven
                };
                known().put(quarter, answer); // not while the core is asked: another thread may run meanwhile
                answer
            }
        };
        match answer {
            Answer::Moves(by) => Ok(t_ms + by),
            Answer::Stays(at) => Ok(at),
            Answer::Uneven => self.core.instant(t_ms),
        }
    }
}

#[derive(Clone)]
pub enum Shift {
    Fixed(i64),
    Asked(Arc<Calendar>),
}

impl Shift {
    pub fn at(&self, t_ms: i64) -> Result<i64> {
        match self {
            Shift::Fixed(ms) => Ok(t_ms.saturating_add(*ms).min(FOREVER)),
            Shift::Asked(asked) => asked.at(t_ms),
        }
    }
}

/// `Absolute`: from ≤ t < to. `Sliding`: an event counts from `enter` (at once where there is none) to `leave`.
pub enum Frame {
    Absolute { from: i64, to: i64 },
    Sliding { enter: Option<Shift>, leave: Shift },
}

impl Frame {
    /// [enter, leave) in which an event at t counts; None if it never does.
    pub fn span(&self, t_ms: i64) -> Result<Option<(i64, i64)>> {
        match self {
            Frame::Absolute { from, to } => Ok((*from <= t_ms && t_ms < *to).then_some((t_ms, FOREVER))),
            Frame::Sliding { enter, leave } => {
                let enter = enter.as_ref().map_or(Ok(t_ms), |shift| shift.at(t_ms))?;
                let leave = leave.at(t_ms)?;
                Ok((enter < leave).then_some((enter, leave)))
            }
        }
    }
}
