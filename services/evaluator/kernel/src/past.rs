//! History of many profiles as columns, as `history/columns` of the core's side writes it.
//!
//! [share, profiles, bounds, commits, names, codes, times, id bounds, ids, property bounds, properties]: the events of
//! the profile i are at [bounds[i], bounds[i + 1]). Numbers are little-endian, of 8 bytes (commits, times) or of 4.

use std::collections::HashSet;
use std::ops::Range;

use crate::event::Event;
use crate::halt::{Halt, Result};
use crate::json;
use crate::msgpack::Reader;
use crate::profile::{Arena, keep};
use crate::value::Value;

const FIELDS: usize = 11;
const SHORT: Halt = Halt::Bad("columns of different lengths");

/// Where the columns lie in the bytes of a chunk, so that these are read once.
pub struct Past {
    profiles: Vec<Range<usize>>,
    bounds: Range<usize>,
    commits: Range<usize>,
    names: Vec<Range<usize>>,
    codes: Range<usize>,
    times: Range<usize>,
    id_bounds: Range<usize>,
    ids: Range<usize>,
    property_bounds: Range<usize>,
    properties: Range<usize>,
}

impl Past {
    pub fn index(data: &[u8]) -> Result<Past> {
        let from = &mut Reader::new(data);
        from.array_of(FIELDS)?;
        from.raw()?;
        let place = |part: &[u8]| {
            let start = part.as_ptr() as usize - data.as_ptr() as usize;
            start..start + part.len()
        };
        let profiles = (0..from.array()?).map(|_| from.str().map(|text| place(text.as_bytes()))).collect::<Result<_>>()?;
        let (bounds, commits) = (place(from.bin()?), place(from.bin()?));
        let names = (0..from.array()?).map(|_| from.str().map(|text| place(text.as_bytes()))).collect::<Result<_>>()?;
        let mut next = || from.bin().map(place);
        let past = Past {
            profiles,
            bounds,
            commits,
            names,
            codes: next()?,
            times: next()?,
            id_bounds: next()?,
            ids: next()?,
            property_bounds: next()?,
            properties: next()?,
        };
        if from.done() { Ok(past) } else { Err(Halt::Bad("a chunk that goes on")) }
    }

    pub fn len(&self) -> usize {
        self.profiles.len()
    }
}

/// One profile of a chunk.
#[derive(Clone, Copy)]
pub struct Place<'d> {
    pub past: &'d Past,
    pub data: &'d [u8],
    pub at: usize,
}

impl<'d> Place<'d> {
    pub fn profile(&self) -> Result<&'d str> {
        text(self.data, self.past.profiles.get(self.at).cloned().ok_or(SHORT)?)
    }

    /// The events of a profile with the numbers of their commits. `reads`: the names whose properties matter; those of
    /// others are left empty.
    pub fn events<'a>(&self, reads: &HashSet<String>, arena: &'a Arena) -> Result<Vec<(i64, Event<'a>)>>
    where
        'd: 'a,
    {
        let Place { past, data, at } = *self;
        let profile = self.profile()?;
        let (first, end) = (short(data, &past.bounds, at)?, short(data, &past.bounds, at + 1)?);
        let mut found = Vec::with_capacity(end.saturating_sub(first).min(past.times.len() / 8));
        for place in first..end {
            let name = past.names.get(short(data, &past.codes, place)?).cloned().ok_or(SHORT)?;
            let name = text(data, name)?;
            let properties = if reads.contains(name) {
                let written = cut(data, &past.property_bounds, &past.properties, place)?;
                Reader::new(keep(arena, json::packed(written)?)).value()?
            } else {
                Value::Map(Vec::new())
            };
            let event = Event {
                id: cut(data, &past.id_bounds, &past.ids, place)?.into(),
                profile,
                name,
                time_ms: long(data, &past.times, place)?,
                properties,
                raw: &[],
            };
            found.push((long(data, &past.commits, place)?, event));
        }
        Ok(found)
    }
}

fn text(data: &[u8], at: Range<usize>) -> Result<&str> {
    std::str::from_utf8(data.get(at).ok_or(SHORT)?).map_err(|_| Halt::Bad("is not UTF-8"))
}

fn number<const N: usize>(data: &[u8], column: &Range<usize>, place: usize) -> Result<[u8; N]> {
    let column = data.get(column.clone()).ok_or(SHORT)?;
    let start = place.checked_mul(N).ok_or(SHORT)?;
    let bytes = column.get(start..).and_then(|rest| rest.get(..N)).ok_or(SHORT)?;
    bytes.try_into().map_err(|_| SHORT)
}

fn long(data: &[u8], column: &Range<usize>, place: usize) -> Result<i64> {
    number(data, column, place).map(i64::from_le_bytes)
}

fn short(data: &[u8], column: &Range<usize>, place: usize) -> Result<usize> {
    usize::try_from(number(data, column, place).map(i32::from_le_bytes)?).map_err(|_| SHORT)
}

/// A text of a column, whose bounds begin anywhere.
fn cut<'d>(data: &'d [u8], bounds: &Range<usize>, texts: &Range<usize>, place: usize) -> Result<&'d str> {
    let base = short(data, bounds, 0)?;
    let (first, end) = (short(data, bounds, place)?, short(data, bounds, place + 1)?);
    let texts = data.get(texts.clone()).ok_or(SHORT)?;
    let (first, end) = (first.checked_sub(base).ok_or(SHORT)?, end.checked_sub(base).ok_or(SHORT)?);
    std::str::from_utf8(texts.get(first..end).ok_or(SHORT)?).map_err(|_| Halt::Bad("is not UTF-8"))
}
