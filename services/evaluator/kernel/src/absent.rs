//! Sequences whose last step must stay away: an abandoned cart, a trial without a purchase.
//!
//! A first event is open until the clock comes to the instant at which the sequence would begin to hold; there it
//! is decided. Module `absent` of the core says why that is enough.

use crate::entries::{Entries, Entry, LISTED, MAX_ENTRIES, Probe};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::trail::{self, Stamp, Stamps, at, below, less, next_after};
use crate::window::{FOREVER, Frame, Shift};

/// At most this many open first events are looked at for the next due instant.
const LOOKED_AT: usize = 4;

/// (begins, stamp): an open first event.
type Open<'a> = (i64, Stamp<'a>);

impl<'a> Entry<'a> for Open<'a> {
    type Shape = ();

    fn number(&self) -> i64 {
        self.0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        msgpack::put_int(out, self.0);
        msgpack::put_int(out, self.1.0);
        msgpack::put_str(out, &self.1.1);
    }

    fn decode(from: &mut Reader<'a>, (): ()) -> Result<Self> {
        from.array_of(3)?;
        Ok((from.int()?, (from.int()?, from.str()?.into())))
    }

    fn decode_owned(from: &mut Reader<'_>, (): ()) -> Result<Self> {
        from.array_of(3)?;
        Ok((from.int()?, (from.int()?, from.str()?.to_owned().into())))
    }
}

fn place<'s, 'a>(entry: &'s Open) -> Probe<impl Fn(&Open<'a>) -> bool + 's> {
    Probe { number: entry.0, is_whole: true, before: move |each: &Open| precedes(each, entry) }
}

fn precedes(left: &Open, right: &Open) -> bool {
    (left.0, left.1.0, left.1.1.as_ref()) < (right.0, right.1.0, right.1.1.as_ref())
}

/// After all entries.
fn end<T>() -> Probe<impl Fn(&T) -> bool> {
    Probe { number: i64::MAX, is_whole: false, before: |_: &T| true }
}

/// `between`: whether there are steps between first and last.
pub struct Absent {
    pub frame: Frame,
    pub within: Shift,
    pub slack: i64,
    pub between: bool,
}

/// The fields are those of the core's struct of this name.
pub struct Awaited<'a> {
    open: Entries<'a, Open<'a>>,
    decided: Stamps<'a>,
    until: i64,
    best: Option<Stamp<'a>>,
    pub due_ms: Option<i64>,
}

impl<'a> Awaited<'a> {
    pub fn empty() -> Self {
        Awaited { open: Entries::empty(), decided: Stamps::empty(), until: 0, best: None, due_ms: None }
    }

    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        if from.array()? != 6 {
            return Err(Halt::Lacks("sequences of an older shape"));
        }
        let (open, decided) = (Entries::decode(from, ())?, Stamps::decode(from, ())?);
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
        self.open.encode(out);
        self.decided.encode(out);
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
}

impl Absent {
    pub fn add<'a>(&self, state: Option<Awaited<'a>>, stamp: &Stamp<'a>, now_ms: i64) -> Result<Option<Awaited<'a>>> {
        let Some((enter, leave)) = self.span(stamp.0)? else { return Ok(state) };
        if leave <= now_ms {
            return Ok(state);
        }
        let mut state = state.unwrap_or_else(Awaited::empty);
        let entry = (enter, stamp.clone());
        state.open.put(entry.clone(), &place(&entry))?;
        self.bound(&mut state)?;
        Ok(Some(state))
    }

    /// An event that matches the first step or not, and the later steps `at`.
    pub fn follow<'a>(
        &self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, first: bool, steps: &[usize], trails: &[&Stamps<'a>], now_ms: i64,
    ) -> Result<()> {
        let last = trails.len() - 1;
        if first && !self.between {
            self.end_if_late(state, stamp, trails)?;
        }
        if steps.contains(&last) {
            if self.between {
                self.break_off(state, stamp, trails)?;
            } else {
                self.end(state, stamp)?;
            }
        }
        if steps.iter().any(|index| *index != last) {
            self.mend(state, stamp, trails)?;
        }
        self.settle(state, trails, now_ms)
    }

    pub fn settle<'a>(&self, state: &mut Awaited<'a>, trails: &[&Stamps<'a>], now_ms: i64) -> Result<()> {
        if state.open.first().is_some_and(|first| first.0 <= now_ms) {
            for (_, first) in state.open.until(now_ms)? {
                self.decide(state, first, trails, now_ms)?;
            }
            if !state.open.is_list() {
                state.open.fit(())?;
            }
        }
        if let Some(first) = state.decided.first() {
            if self.leave(first.0)? <= now_ms {
                state.decided.let_go(|time_ms| Ok(self.leave(time_ms)? <= now_ms))?;
                state.decided.fit(())?;
            }
        }
        state.due_ms = self.due(state, trails, now_ms)?;
        Ok(())
    }

    /// No more than a fact may have.
    fn bound(&self, state: &mut Awaited) -> Result<()> {
        if state.open.len() > LISTED {
            state.open.fit(())?;
        }
        let beyond = (state.open.len() + state.decided.len()).saturating_sub(MAX_ENTRIES);
        if beyond > 0 {
            let old = beyond.min(state.decided.len());
            state.decided.pop_first(old)?;
            state.open.pop_first(beyond - old)?;
        }
        Ok(())
    }

    fn decide<'a>(&self, state: &mut Awaited<'a>, first: Stamp<'a>, trails: &[&Stamps<'a>], now_ms: i64) -> Result<()> {
        let leave = self.leave(first.0)?;
        if leave <= now_ms {
            return Ok(());
        }
        state.decided.put(first.clone(), &at(&first))?;
        if state.decided.is_list() {
            state.decided.fit(())?;
        }
        if leave > state.until && (!self.between || self.complete(&first, trails)?) {
            (state.until, state.best) = (leave, Some(first));
        }
        Ok(())
    }

    /// A first event after which the event that should stay away has come already.
    fn end_if_late<'a>(&self, state: &mut Awaited<'a>, first: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<()> {
        if self.complete(first, trails)? {
            return Ok(());
        }
        if let Some((enter, _)) = self.span(first.0)? {
            let entry = (enter, first.clone());
            if state.open.at_least(&place(&entry))?.as_ref() == Some(&entry) {
                state.open.remove(&place(&entry))?;
            }
        }
        Ok(())
    }

    /// The event that should stay away has come: it ends the first events for which it is in time.
    fn end<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>) -> Result<()> {
        let mut gone = Vec::new();
        state.open.descend(&end(), |entry| {
            let (ends, goes_on) = self.ends(stamp, &entry.1)?;
            gone.extend(ends.then(|| entry.clone()));
            Ok(goes_on)
        })?;
        if !gone.is_empty() {
            state.open.without(&gone, precedes, ())?;
        }
        let mut gone = Vec::new();
        state.decided.descend(&end(), |first| {
            let (ends, goes_on) = self.ends(stamp, first)?;
            gone.extend(ends.then(|| first.clone()));
            Ok(goes_on)
        })?;
        if !gone.is_empty() {
            state.decided.without(&gone, less, ())?;
        }
        let concerned = match &state.best {
            Some(best) => self.concerns(stamp, best)?,
            None => false,
        };
        if concerned { self.find_best(state, None) } else { Ok(()) }
    }

    /// Whether a stamp ends a first event, and whether it may end earlier ones.
    fn ends(&self, stamp: &Stamp, first: &Stamp) -> Result<(bool, bool)> {
        if !less(first, stamp) {
            return Ok((false, true));
        }
        let last_ms = self.within.at(first.0)?;
        Ok((last_ms >= stamp.0, last_ms >= stamp.0 || last_ms + self.slack >= stamp.0))
    }

    fn break_off<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<()> {
        let Some(best) = &state.best else { return Ok(()) };
        if !self.concerns(stamp, best)? || self.complete(best, trails)? {
            return Ok(());
        }
        self.find_best(state, Some(trails))
    }

    /// `trails` where a decided first event may be incomplete.
    fn find_best<'a>(&self, state: &mut Awaited<'a>, trails: Option<&[&Stamps<'a>]>) -> Result<()> {
        let (mut until, mut best) = (0, None);
        state.decided.descend(&end(), |first| {
            let leave = self.leave(first.0)?;
            if leave + self.slack <= until {
                return Ok(false);
            }
            if leave > until && trails.map_or(Ok(true), |trails| self.complete(first, trails))? {
                (until, best) = (leave, Some(first.clone()));
            }
            Ok(true)
        })?;
        (state.until, state.best) = (until, best);
        Ok(())
    }

    /// A step between that is late may complete decided first events.
    fn mend<'a>(&self, state: &mut Awaited<'a>, stamp: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<()> {
        let (mut until, mut best) = (state.until, None);
        state.decided.descend(&at(stamp), |first| {
            let leave = self.leave(first.0)?;
            if self.within.at(first.0)? + self.slack < stamp.0 || leave + self.slack <= until {
                return Ok(false);
            }
            if leave > until && self.complete(first, trails)? {
                (until, best) = (leave, Some(first.clone()));
            }
            Ok(true)
        })?;
        if best.is_some() {
            (state.until, state.best) = (until, best);
        }
        Ok(())
    }

    fn concerns(&self, stamp: &Stamp, first: &Stamp) -> Result<bool> {
        Ok(less(first, stamp) && stamp.0 <= self.within.at(first.0)?)
    }

    fn complete<'a>(&self, first: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<bool> {
        let end: Stamp = (self.within.at(first.0)? + 1, "".into());
        let mut at = first.clone();
        if self.between {
            for stamps in &trails[..trails.len() - 1] {
                match next_after(stamps, &at)? {
                    Some(after) if less(&after, &end) => at = after,
                    _ => return Ok(false),
                }
            }
            // The latest end leaves the least time in which what should stay away could come.
            at = below(trails[trails.len() - 2], &end)?.unwrap_or(at);
        }
        Ok(next_after(trails[trails.len() - 1], &at)?.is_none_or(|after| !less(&after, &end)))
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

    fn due<'a>(&self, state: &Awaited<'a>, trails: &[&Stamps<'a>], now_ms: i64) -> Result<Option<i64>> {
        if state.until > now_ms {
            return Ok((state.until < FOREVER).then_some(state.until));
        }
        if !self.between {
            return Ok(state.open.first().map(|each| each.0));
        }
        for index in 0..LOOKED_AT {
            let Some((begins, first)) = state.open.nth(index)? else { return Ok(None) };
            if self.complete(&first, trails)? {
                return Ok(Some(begins));
            }
        }
        Ok(state.open.nth(LOOKED_AT)?.map(|each| each.0))
    }
}
