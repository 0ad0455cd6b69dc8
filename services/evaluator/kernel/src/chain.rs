//! Sequences whose steps are all events that must happen.

use crate::bag::LISTED;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::trail::{self, Stamp, Stamps, below, less, next_after};
use crate::window::{FOREVER, Frame, Shift};

const CHUNKED: Halt = Halt::Lacks("first events in chunks");

pub struct Present {
    pub frame: Frame,
    pub within: Shift,
    pub slack: i64,
}

/// First events that nothing completes yet; the spans of complete ones that are still to enter, ascending; it
/// holds until then.
pub struct Begun<'a> {
    firsts: Stamps<'a>,
    waiting: Vec<(i64, i64)>,
    until: i64,
}

impl<'a> Begun<'a> {
    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        if from.array()? != 3 {
            return Err(Halt::Lacks("sequences of an older shape"));
        }
        let firsts = trail::decode(from)?;
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut waiting = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            from.array_of(2)?;
            waiting.push((from.int()?, from.int()?));
        }
        Ok(Begun { firsts, waiting, until: from.int()? })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        trail::encode(&self.firsts, out);
        msgpack::put_array(out, self.waiting.len());
        for (enter, leave) in &self.waiting {
            msgpack::put_array(out, 2);
            msgpack::put_int(out, *enter);
            msgpack::put_int(out, *leave);
        }
        msgpack::put_int(out, self.until);
    }

    pub fn until(&self) -> i64 {
        self.until
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many first events and spans it has.
    pub fn size(&self) -> usize {
        self.firsts.len() + self.waiting.len()
    }

    fn enter(&mut self, now_ms: i64) {
        let entered = self.waiting.partition_point(|each| each.0 <= now_ms);
        let latest = self.waiting.drain(..entered).map(|each| each.1).max();
        self.until = self.until.max(latest.unwrap_or(i64::MIN));
    }

    pub fn value(&mut self, now_ms: i64) -> bool {
        self.enter(now_ms);
        now_ms < self.until
    }

    pub fn next_ms(&mut self, now_ms: i64) -> Option<i64> {
        if self.value(now_ms) {
            return (self.until < FOREVER).then_some(self.until);
        }
        self.waiting.first().map(|each| each.0)
    }
}

impl Present {
    pub fn add<'a>(&self, state: Option<Begun<'a>>, stamp: &Stamp<'a>, now_ms: i64) -> Result<Option<Begun<'a>>> {
        let Some((_, leave)) = self.frame.span(stamp.0)? else { return Ok(state) };
        if leave <= now_ms {
            return Ok(state);
        }
        let mut state = state.unwrap_or(Begun { firsts: Vec::new(), waiting: Vec::new(), until: 0 });
        if state.until < leave {
            trail::put(&mut state.firsts, stamp.clone())?;
        }
        Ok(Some(state))
    }

    pub fn follow<'a>(
        &self, state: &mut Begun<'a>, stamp: &Stamp<'a>, first: bool, at: &[usize], trails: &[&[Stamp<'a>]], now_ms: i64,
    ) -> Result<()> {
        for index in at {
            let before = latest_before(stamp, &trails[..*index]);
            let end = earliest_after(stamp, &trails[index + 1..]);
            if let (Some(before), Some(end)) = (before, end) {
                self.complete(state, before, end.0, now_ms)?;
            }
        }
        if first && !state.firsts.is_empty() {
            let in_time = match earliest_after(stamp, trails) {
                Some(end) => end.0 <= self.within.at(stamp.0)?,
                None => false,
            };
            let place = state.firsts.partition_point(|each| less(each, stamp));
            if in_time && state.firsts.get(place) == Some(stamp) {
                self.holds(state, stamp.0, now_ms)?;
                state.firsts.remove(place);
            }
        }
        self.settle(state, now_ms)
    }

    /// Completes the first events before a stamp by a sequence that ends at `end_ms`, if in time.
    fn complete<'a>(&self, state: &mut Begun<'a>, before: &Stamp<'a>, end_ms: i64, now_ms: i64) -> Result<()> {
        let mut gone = Vec::new();
        for at in (0..state.firsts.partition_point(|each| less(each, before))).rev() {
            let last_ms = self.within.at(state.firsts[at].0)?;
            if last_ms >= end_ms {
                gone.push(at);
            } else if last_ms + self.slack < end_ms {
                break;
            }
        }
        for at in &gone {
            self.holds(state, state.firsts[*at].0, now_ms)?;
        }
        for at in gone {
            state.firsts.remove(at);
        }
        Ok(())
    }

    fn holds(&self, state: &mut Begun, first_ms: i64, now_ms: i64) -> Result<()> {
        let counted = self.frame.span(first_ms)?.ok_or(Halt::Bad("a first event that never counts"))?;
        if counted.0 > now_ms {
            let at = state.waiting.partition_point(|each| *each < counted);
            state.waiting.insert(at, counted);
            if state.waiting.len() > LISTED {
                return Err(CHUNKED);
            }
        } else {
            state.until = state.until.max(counted.1);
        }
        Ok(())
    }

    pub fn settle(&self, state: &mut Begun, now_ms: i64) -> Result<()> {
        state.enter(now_ms);
        let done = state.until.max(now_ms);
        if let Some(first) = state.firsts.first() {
            if self.leave(first.0)? <= done {
                trail::let_go(&mut state.firsts, |time_ms| Ok(self.leave(time_ms)? <= done))?;
            }
        }
        Ok(())
    }

    fn leave(&self, time_ms: i64) -> Result<i64> {
        Ok(self.frame.span(time_ms)?.map_or(0, |counted| counted.1))
    }
}

/// Going back through trails, the latest stamp of each; that of the first trail.
fn latest_before<'s, 'a>(stamp: &'s Stamp<'a>, trails: &[&'s [Stamp<'a>]]) -> Option<&'s Stamp<'a>> {
    trails.iter().rev().try_fold(stamp, |stamp, stamps| below(stamps, stamp))
}

/// Going on through trails, the earliest stamp of each after the one before; that of the last trail.
fn earliest_after<'s, 'a>(stamp: &'s Stamp<'a>, trails: &[&'s [Stamp<'a>]]) -> Option<&'s Stamp<'a>> {
    trails.iter().try_fold(stamp, |stamp, stamps| next_after(stamps, stamp))
}
