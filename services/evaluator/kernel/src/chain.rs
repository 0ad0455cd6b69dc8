//! Sequences whose steps are all events that must happen.

use crate::entries::{Entries, Entry, LISTED, Probe};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::trail::{Stamp, Stamps, at, earliest_after, latest_before, less};
use crate::window::{FOREVER, Frame, Shift};

pub struct Present {
    pub frame: Frame,
    pub within: Shift,
    pub slack: i64,
}

type Span = (i64, i64);

impl<'a> Entry<'a> for Span {
    type Shape = ();

    fn number(&self) -> i64 {
        self.0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 2);
        msgpack::put_int(out, self.0);
        msgpack::put_int(out, self.1);
    }

    fn decode(from: &mut Reader<'a>, (): ()) -> Result<Self> {
        Span::decode_owned(from, ())
    }

    fn decode_owned(from: &mut Reader<'_>, (): ()) -> Result<Self> {
        from.array_of(2)?;
        Ok((from.int()?, from.int()?))
    }
}

/// First events that nothing completes yet; the spans of complete ones that are still to enter, ascending; it
/// holds until then.
pub struct Begun<'a> {
    firsts: Stamps<'a>,
    waiting: Entries<'a, Span>,
    until: i64,
}

impl<'a> Begun<'a> {
    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        if from.array()? != 3 {
            return Err(Halt::Lacks("sequences of an older shape"));
        }
        Ok(Begun { firsts: Stamps::decode(from, ())?, waiting: Entries::decode(from, ())?, until: from.int()? })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        self.firsts.encode(out);
        self.waiting.encode(out);
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

    fn enter(&mut self, now_ms: i64) -> Result<()> {
        if self.waiting.first().is_some_and(|first| first.0 <= now_ms) {
            let latest = self.waiting.until(now_ms)?.into_iter().map(|each| each.1).max();
            self.until = self.until.max(latest.unwrap_or(i64::MIN));
            self.waiting.fit(())?;
        }
        Ok(())
    }

    pub fn value(&mut self, now_ms: i64) -> Result<bool> {
        self.enter(now_ms)?;
        Ok(now_ms < self.until)
    }

    pub fn next_ms(&mut self, now_ms: i64) -> Result<Option<i64>> {
        if self.value(now_ms)? {
            return Ok((self.until < FOREVER).then_some(self.until));
        }
        Ok(self.waiting.first().map(|each| each.0))
    }
}

impl Present {
    pub fn add<'a>(&self, state: Option<Begun<'a>>, stamp: &Stamp<'a>, now_ms: i64) -> Result<Option<Begun<'a>>> {
        let Some((_, leave)) = self.frame.span(stamp.0)? else { return Ok(state) };
        if leave <= now_ms {
            return Ok(state);
        }
        let mut state = state.unwrap_or(Begun { firsts: Stamps::empty(), waiting: Entries::empty(), until: 0 });
        if state.until < leave {
            state.firsts.put(stamp.clone(), &at(stamp))?;
            if state.firsts.len() > LISTED {
                state.firsts.bound(())?;
            }
        }
        Ok(Some(state))
    }

    pub fn follow<'a>(
        &self, state: &mut Begun<'a>, stamp: &Stamp<'a>, first: bool, steps: &[usize], trails: &[&Stamps<'a>], now_ms: i64,
    ) -> Result<()> {
        for index in steps {
            let before = latest_before(stamp, &trails[..*index])?;
            let end = earliest_after(stamp, &trails[index + 1..])?;
            if let (Some(before), Some(end)) = (before, end) {
                self.complete(state, &before, end.0, now_ms)?;
            }
        }
        if first && !state.firsts.is_empty() {
            let in_time = match earliest_after(stamp, trails)? {
                Some(end) => end.0 <= self.within.at(stamp.0)?,
                None => false,
            };
            if in_time && state.firsts.at_least(&at(stamp))?.as_ref() == Some(stamp) {
                self.holds(state, stamp.0, now_ms)?;
                state.firsts.remove(&at(stamp))?;
            }
        }
        self.settle(state, now_ms)
    }

    /// Completes the first events before a stamp by a sequence that ends at `end_ms`, if in time.
    fn complete<'a>(&self, state: &mut Begun<'a>, before: &Stamp<'a>, end_ms: i64, now_ms: i64) -> Result<()> {
        let mut gone = Vec::new();
        state.firsts.descend(&at(before), |first| {
            let last_ms = self.within.at(first.0)?;
            if last_ms >= end_ms {
                gone.push(first.clone());
            }
            Ok(last_ms >= end_ms || last_ms + self.slack >= end_ms)
        })?;
        for first in &gone {
            self.holds(state, first.0, now_ms)?;
        }
        if gone.is_empty() { Ok(()) } else { state.firsts.without(&gone, less, ()) }
    }

    fn holds(&self, state: &mut Begun, first_ms: i64, now_ms: i64) -> Result<()> {
        let counted = self.frame.span(first_ms)?.ok_or(Halt::Bad("a first event that never counts"))?;
        if counted.0 > now_ms {
            let probe = Probe { number: counted.0, is_whole: true, before: |each: &Span| *each < counted };
            state.waiting.put(counted, &probe)?;
            if state.waiting.len() > LISTED {
                state.waiting.bound(())?;
            }
        } else {
            state.until = state.until.max(counted.1);
        }
        Ok(())
    }

    pub fn settle(&self, state: &mut Begun, now_ms: i64) -> Result<()> {
        state.enter(now_ms)?;
        let done = state.until.max(now_ms);
        if let Some(first) = state.firsts.first() {
            if self.leave(first.0)? <= done {
                state.firsts.let_go(|time_ms| Ok(self.leave(time_ms)? <= done))?;
                if !state.firsts.is_list() {
                    state.firsts.fit(())?;
                }
            }
        }
        Ok(())
    }

    fn leave(&self, time_ms: i64) -> Result<i64> {
        Ok(self.frame.span(time_ms)?.map_or(0, |counted| counted.1))
    }
}
