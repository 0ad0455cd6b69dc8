//! The stamps (time, event id) of the events of a sequence's later step, ascending.

use std::borrow::Cow;

use crate::entries::{Entries, Entry, Probe};
use crate::halt::Result;
use crate::msgpack::{self, Reader};
use crate::window::{Frame, Shift};

pub const SLACK_MS: i64 = 4 * 86_400_000;

pub type Stamp<'a> = (i64, Cow<'a, str>);
pub type Stamps<'a> = Entries<'a, Stamp<'a>>;

impl<'a> Entry<'a> for Stamp<'a> {
    type Shape = ();

    fn number(&self) -> i64 {
        self.0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_stamp(self, out);
    }

    fn decode(from: &mut Reader<'a>, (): ()) -> Result<Self> {
        stamp(from)
    }

    fn decode_owned(from: &mut Reader<'_>, (): ()) -> Result<Self> {
        let (time_ms, id) = stamp(from)?;
        Ok((time_ms, id.into_owned().into()))
    }
}

/// The trails of one window. `slack`: how much uneven months may take away.
pub struct Trail {
    pub frame: Frame,
    pub within: Shift,
    pub slack: i64,
}

impl Trail {
    /// Whether an event at that time can still matter.
    pub fn wants(&self, time_ms: i64, now_ms: i64) -> Result<bool> {
        Ok(match &self.frame {
            Frame::Sliding { leave, .. } => leave.at(time_ms)?.saturating_add(self.slack) > now_ms,
            Frame::Absolute { from, to } => *from <= time_ms && time_ms <= self.within.at(*to)?.saturating_add(self.slack),
        })
    }

    /// Adds a stamp that is wanted.
    pub fn add<'a>(&self, stamps: &mut Stamps<'a>, stamp: &Stamp<'a>, now_ms: i64) -> Result<()> {
        stamps.put(stamp.clone(), &at(stamp))?;
        if let Some(first) = stamps.first() {
            if !self.wants(first.0, now_ms)? {
                stamps.let_go(|time_ms| Ok(!self.wants(time_ms, now_ms)?))?;
            }
        }
        stamps.bound(())
    }
}

pub fn stamp<'a>(from: &mut Reader<'a>) -> Result<Stamp<'a>> {
    from.array_of(2)?;
    Ok((from.int()?, from.str()?.into()))
}

pub fn put_stamp(stamp: &Stamp, out: &mut Vec<u8>) {
    msgpack::put_array(out, 2);
    msgpack::put_int(out, stamp.0);
    msgpack::put_str(out, &stamp.1);
}

/// The place of a stamp.
pub fn at<'s, 'a>(stamp: &'s Stamp) -> Probe<impl Fn(&Stamp<'a>) -> bool + 's> {
    Probe { number: stamp.0, is_whole: true, before: move |each: &Stamp| less(each, stamp) }
}

/// After a stamp.
fn after<'s, 'a>(stamp: &'s Stamp) -> Probe<impl Fn(&Stamp<'a>) -> bool + 's> {
    Probe { number: stamp.0, is_whole: true, before: move |each: &Stamp| !less(stamp, each) }
}

/// The last stamp below another one.
pub fn below<'a>(stamps: &Stamps<'a>, stamp: &Stamp) -> Result<Option<Stamp<'a>>> {
    stamps.below(&at(stamp))
}

pub fn next_after<'a>(stamps: &Stamps<'a>, stamp: &Stamp) -> Result<Option<Stamp<'a>>> {
    stamps.at_least(&after(stamp))
}

/// Going back through trails, the latest stamp of each; that of the first trail.
pub fn latest_before<'a>(stamp: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<Option<Stamp<'a>>> {
    let mut found = stamp.clone();
    for stamps in trails.iter().rev() {
        let Some(before) = below(stamps, &found)? else { return Ok(None) };
        found = before;
    }
    Ok(Some(found))
}

/// Going on through trails, the earliest stamp of each after the one before; that of the last trail.
pub fn earliest_after<'a>(stamp: &Stamp<'a>, trails: &[&Stamps<'a>]) -> Result<Option<Stamp<'a>>> {
    let mut found = stamp.clone();
    for stamps in trails {
        let Some(after) = next_after(stamps, &found)? else { return Ok(None) };
        found = after;
    }
    Ok(Some(found))
}

pub fn less(left: &Stamp, right: &Stamp) -> bool {
    (left.0, left.1.as_ref()) < (right.0, right.1.as_ref())
}
