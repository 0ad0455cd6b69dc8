//! Sequences whose last step must stay away: an abandoned cart, a trial without a purchase.
//!
//! A first event is open until the clock comes to the instant at which the sequence would begin to hold; there it
//! is decided. Module `absent` of the core says why that is enough.

use crate::bag::LISTED;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::trail::{self, Stamp, Stamps, below, less, next_after};
use crate::window::{FOREVER, Frame, Shift};

/// At most this many open first events are looked at for the next due instant.
const LOOKED_AT: usize = 4;
const CHUNKED: Halt = Halt::Lacks("first events in chunks");

/// `between`: whether there are steps between first and last.
pub struct Absent {
    pub frame: Frame,
    pub within: Shift,
    pub slack: i64,
    pub between: bool,
}

/// The fields are those of the core's struct of this name; `open` is (begins, stamp).
pub struct Awaited<'a> {
    open: Vec<(i64, Stamp<'a>)>,
    decided: Stamps<'a>,
    until: i64,
    best: Option<Stamp<'a>>,
    pub due_ms: Option<i64>,
}

impl<'a> Awaited<'a> {
    pub fn empty() -> Self {
        Awaited { open: Vec::new(), decided: Vec::new(), until: 0, best: None, due_ms: None }
    }

    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        if from.array()? != 6 {
            return Err(Halt::Lacks("sequences of an older shape"));
        }
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut open = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            from.array_of(3)?;
            open.push((from.int()?, (from.int()?, from.str()?.into())));
        }
        let decided = trail::decode(from)?;
        let until = from.int()?;
        let best = if from.is_nil() { from.nil().map(|()| None)? } else { Some(trail::stamp(from)?) };
        let due_ms = from.int_or_nil()?;
        if !from.is_nil() {
            return Err(Halt::Lacks("sequences of an older shape"));
        }
        from.nil()?;
        Ok(Awaited { open, decided, until, best, due_ms })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 6);
        msgpack::put_array(out, self.open.len());
        for (begins, stamp) in &self.open {
            msgpack::put_array(out, 3);
            msgpack::put_int(out, *begins);
            msgpack::put_int(out, stamp.0);
            msgpack::put_str(out, &stamp.1);
        }
        trail::encode(&self.decided, out);
        msgpack::put_int(out, self.until);
        match &self.best {
            Some(best) => trail::put_stamp(best, out),
            None => out.push(0xc0),
        }
        msgpack::put_int_or_nil(out, self.due_ms);
        out.push(0xc0);
    }

    pub fn value(&self, now_ms: i64) -> bool {
        now_ms < self.until
    }

    pub fn until(&self) -> i64 {
        self.until
    }

    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// How many first events it has.
    pub fn size(&self) -> usize {
        self.open.len() + self.decided.len()
    }

    fn is_short(&self) -> Result<()> {
        if self.open.len() > LISTED || self.decided.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }
}

impl Absent {
    pub fn add<'a>(&self, state: Option<Awaited<'a>>, stamp: &Stamp<'a>, now_ms: i64) -> Result<Option<Awaited<'a>>> {
        let Some((enter, leave)) = self.span(stamp.0)? else { return Ok(state) };
        if leave <= now_ms {
            return Ok(state);
        }
        let mut state = state.unwrap_or_else(Awaited::empty);
        let entry = (enter, stamp.clone());
        let at = state.open.partition_point(|each| *each <= entry);
        state.open.insert(at, entry);
        state.is_short()?;
        Ok(Some(state))
    }

    /// An event that matches the first step or not, and the later steps `at`.
    pub fn follow<'a>(
        &self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, first: bool, at: &[usize], trails: &[&[Stamp<'a>]], now_ms: i64,
    ) -> Result<()> {
        let last = trails.len() - 1;
        if first && !self.between {
            self.end_if_late(state, stamp, trails)?;
        }
        if at.contains(&last) {
            if self.between {
                self.break_off(state, stamp, trails)?;
            } else {
                self.end(state, stamp)?;
            }
        }
        if at.iter().any(|index| *index != last) {
            self.mend(state, stamp, trails)?;
        }
        self.settle(state, trails, now_ms)
    }

    pub fn settle<'a>(&self, state: &mut Awaited<'a>, trails: &[&[Stamp<'a>]], now_ms: i64) -> Result<()> {
        let begun = state.open.partition_point(|each| each.0 <= now_ms);
        for (_, first) in state.open.drain(..begun).collect::<Vec<_>>() {
            self.decide(state, first, trails, now_ms)?;
        }
        if let Some(first) = state.decided.first() {
            if self.leave(first.0)? <= now_ms {
                trail::let_go(&mut state.decided, |time_ms| Ok(self.leave(time_ms)? <= now_ms))?;
            }
        }
        state.due_ms = self.due(state, trails, now_ms)?;
        state.is_short()
    }

    fn decide<'a>(&self, state: &mut Awaited<'a>, first: Stamp<'a>, trails: &[&[Stamp<'a>]], now_ms: i64) -> Result<()> {
        let leave = self.leave(first.0)?;
        if leave <= now_ms {
            return Ok(());
        }
        let at = state.decided.partition_point(|each| *each <= first);
        state.decided.insert(at, first.clone());
        state.is_short()?;
        if leave > state.until && (!self.between || self.complete(&first, trails)?) {
            (state.until, state.best) = (leave, Some(first));
        }
        Ok(())
    }

    /// A first event after which the event that should stay away has come already.
    fn end_if_late<'a>(&self, state: &mut Awaited<'a>, first: &Stamp<'a>, trails: &[&[Stamp<'a>]]) -> Result<()> {
        if self.complete(first, trails)? {
            return Ok(());
        }
        if let Some((enter, _)) = self.span(first.0)? {
            let entry = (enter, first.clone());
            let at = state.open.partition_point(|each| *each < entry);
            if state.open.get(at) == Some(&entry) {
                state.open.remove(at);
            }
        }
        Ok(())
    }

    /// The event that should stay away has come: it ends the first events for which it is in time.
    fn end<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>) -> Result<()> {
        let open: Vec<&Stamp> = state.open.iter().map(|each| &each.1).collect();
        let gone = self.ended(&open, stamp)?;
        drop_marked(&mut state.open, &gone);
        let decided: Vec<&Stamp> = state.decided.iter().collect();
        let gone = self.ended(&decided, stamp)?;
        drop_marked(&mut state.decided, &gone);
        let concerned = match &state.best {
            Some(best) => self.concerns(stamp, best)?,
            None => false,
        };
        if concerned { self.find_best(state, None) } else { Ok(()) }
    }

    /// Which of the first events a stamp ends.
    fn ended(&self, firsts: &[&Stamp], stamp: &Stamp) -> Result<Vec<bool>> {
        let mut gone = vec![false; firsts.len()];
        for (at, first) in firsts.iter().enumerate().rev() {
            if less(first, stamp) {
                let last_ms = self.within.at(first.0)?;
                if last_ms >= stamp.0 {
                    gone[at] = true;
                } else if last_ms + self.slack < stamp.0 {
                    break;
                }
            }
        }
        Ok(gone)
    }

    fn break_off<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, trails: &[&[Stamp<'a>]]) -> Result<()> {
        let Some(best) = &state.best else { return Ok(()) };
        if !self.concerns(stamp, best)? || self.complete(best, trails)? {
            return Ok(());
        }
        self.find_best(state, Some(trails))
    }

    /// `trails` where a decided first event may be incomplete.
    fn find_best<'a>(&self, state: &mut Awaited<'a>, trails: Option<&[&[Stamp<'a>]]>) -> Result<()> {
        let (mut until, mut best) = (0, None);
        for first in state.decided.iter().rev() {
            let leave = self.leave(first.0)?;
            if leave + self.slack <= until {
                break;
            }
            if leave > until && trails.map_or(Ok(true), |trails| self.complete(first, trails))? {
                (until, best) = (leave, Some(first.clone()));
            }
        }
        (state.until, state.best) = (until, best);
        Ok(())
    }

    /// A step between that is late may complete decided first events.
    fn mend<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, trails: &[&[Stamp<'a>]]) -> Result<()> {
        let (mut until, mut best) = (state.until, None);
        for first in state.decided.iter().rev() {
            if !less(first, stamp) {
                continue;
            }
            let leave = self.leave(first.0)?;
            if self.within.at(first.0)? + self.slack < stamp.0 || leave + self.slack <= until {
                break;
            }
            if leave > until && self.complete(first, trails)? {
                (until, best) = (leave, Some(first.clone()));
            }
        }
        if best.is_some() {
            (state.until, state.best) = (until, best);
        }
        Ok(())
    }

    fn concerns(&self, stamp: &Stamp, first: &Stamp) -> Result<bool> {
        Ok(less(first, stamp) && stamp.0 <= self.within.at(first.0)?)
    }

    fn complete<'a>(&self, first: &Stamp<'a>, trails: &[&[Stamp<'a>]]) -> Result<bool> {
        let end: Stamp = (self.within.at(first.0)? + 1, "".into());
        let mut at = first;
        if self.between {
            for stamps in &trails[..trails.len() - 1] {
                match next_after(stamps, at) {
                    Some(after) if less(after, &end) => at = after,
                    _ => return Ok(false),
                }
            }
            // The latest end leaves the least time in which what should stay away could come.
            at = below(trails[trails.len() - 2], &end).unwrap_or(at);
        }
        Ok(next_after(trails[trails.len() - 1], at).is_none_or(|after| !less(after, &end)))
    }

    fn span(&self, time_ms: i64) -> Result<Option<(i64, i64)>> {
        let Some((enter, leave)) = self.frame.span(time_ms)? else { return Ok(None) };
        let enter = enter.max(self.within.at(time_ms)?);
        Ok((enter < leave).then_some((enter, leave)))
    }

    fn leave(&self, time_ms: i64) -> Result<i64> {
        match &self.frame {
            Frame::Sliding { leave, .. } => leave.at(time_ms),
            Frame::Absolute { .. } => Ok(FOREVER),
        }
    }

    fn due<'a>(&self, state: &Awaited<'a>, trails: &[&[Stamp<'a>]], now_ms: i64) -> Result<Option<i64>> {
        if state.until > now_ms {
            return Ok((state.until < FOREVER).then_some(state.until));
        }
        if !self.between {
            return Ok(state.open.first().map(|each| each.0));
        }
        for (begins, first) in state.open.iter().take(LOOKED_AT) {
            if self.complete(first, trails)? {
                return Ok(Some(*begins));
            }
        }
        Ok(state.open.get(LOOKED_AT).map(|each| each.0))
    }
}

fn drop_marked<T>(entries: &mut Vec<T>, gone: &[bool]) {
    let mut marks = gone.iter();
    entries.retain(|_| !marks.next().copied().unwrap_or(false));
}
