//! The stamps (time, event id) of the events of a sequence's later step, ascending.

use std::borrow::Cow;

use crate::bag::LISTED;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::window::{Frame, Shift};

pub const SLACK_MS: i64 = 4 * 86_400_000;
const CHUNKED: Halt = Halt::Lacks("stamps in chunks");

pub type Stamp<'a> = (i64, Cow<'a, str>);
pub type Stamps<'a> = Vec<Stamp<'a>>;

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

    /// Adds a stamp that is wanted. Fails where there are more than a list holds.
    pub fn add<'a>(&self, stamps: &mut Stamps<'a>, stamp: Stamp<'a>, now_ms: i64) -> Result<()> {
        let at = stamps.partition_point(|each| *each < stamp);
        stamps.insert(at, stamp);
        if !self.wants(stamps[0].0, now_ms)? {
            let_go(stamps, |time_ms| Ok(!self.wants(time_ms, now_ms)?))?;
        }
        if stamps.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }
}

pub fn decode<'a>(from: &mut Reader<'a>) -> Result<Stamps<'a>> {
    if !from.is_array() {
        return Err(CHUNKED);
    }
    let count = from.array()?;
    let mut stamps = Vec::with_capacity(from.room(count) + 1);
    for _ in 0..count {
        stamps.push(stamp(from)?);
    }
    Ok(stamps)
}

pub fn stamp<'a>(from: &mut Reader<'a>) -> Result<Stamp<'a>> {
    from.array_of(2)?;
    Ok((from.int()?, from.str()?.into()))
}

pub fn encode(stamps: &[Stamp], out: &mut Vec<u8>) {
    msgpack::put_array(out, stamps.len());
    stamps.iter().for_each(|each| put_stamp(each, out));
}

pub fn put_stamp(stamp: &Stamp, out: &mut Vec<u8>) {
    msgpack::put_array(out, 2);
    msgpack::put_int(out, stamp.0);
    msgpack::put_str(out, &stamp.1);
}

/// Puts a stamp in its place. Fails where there are more than a list holds.
pub fn put<'a>(stamps: &mut Stamps<'a>, stamp: Stamp<'a>) -> Result<()> {
    let at = stamps.partition_point(|each| *each < stamp);
    stamps.insert(at, stamp);
    if stamps.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
}

/// Takes out the first stamp, and others as long as their time is past.
pub fn let_go(stamps: &mut Stamps, is_past: impl Fn(i64) -> Result<bool>) -> Result<()> {
    let mut count = 1;
    while count < stamps.len() && is_past(stamps[count].0)? {
        count += 1;
    }
    stamps.drain(..count.min(stamps.len()));
    Ok(())
}

/// The last stamp below another one.
pub fn below<'s, 'a>(stamps: &'s [Stamp<'a>], stamp: &Stamp) -> Option<&'s Stamp<'a>> {
    let at = stamps.partition_point(|each| less(each, stamp));
    at.checked_sub(1).and_then(|before| stamps.get(before))
}

pub fn next_after<'s, 'a>(stamps: &'s [Stamp<'a>], stamp: &Stamp) -> Option<&'s Stamp<'a>> {
    stamps.get(stamps.partition_point(|each| !less(stamp, each)))
}

pub fn less(left: &Stamp, right: &Stamp) -> bool {
    (left.0, left.1.as_ref()) < (right.0, right.1.as_ref())
}
