//! The most frequent value of a property; of equally frequent ones the one that was used last.

use std::collections::HashMap;

use crate::amount::{Amount, Scalar};
use crate::entries::LISTED;
use crate::fold::{Item, Of, Use};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::value::Key;

const OTHER: Halt = Halt::Bad("a payload of another measure");

/// Of the uses of a sliding window.
pub fn most_frequent<'s, 'a: 's>(uses: impl Iterator<Item = &'s Item<'a>>) -> Result<Amount> {
    let mut counts: HashMap<Key, (i64, &Use)> = HashMap::new();
    for item in uses {
        let Item::Use(used) = item else { return Err(OTHER) };
        let found = counts.entry(used.value.key()?.ok_or(OTHER)?).or_insert((0, used));
        found.0 += 1;
        if used.stamp() > found.1.stamp() {
            found.1 = used;
        }
    }
    best(counts.into_values())
}

/// The most frequent of different values, by how often each was used, and its last use.
fn best<'s, 'a: 's>(values: impl Iterator<Item = (i64, &'s Use<'a>)>) -> Result<Amount> {
    let mut best: Option<(i64, &Use)> = None;
    for (times, last) in values {
        let ahead = match best {
            None => true,
            Some(known) if known.0 == times => known.1.order(last)?.is_lt(),
            Some(known) => known.0 < times,
        };
        if ahead {
            best = Some((times, last));
        }
    }
    best.map_or(Ok(Amount::Nothing), |(_, used)| Scalar::of(&used.value).map(Amount::Value))
}

/// The different values of an absolute window, in the order in which they came: how often, and the last use.
pub struct Tally<'a>(Vec<(i64, Box<Use<'a>>)>);

impl<'a> Tally<'a> {
    pub fn empty() -> Self {
        Tally(Vec::new())
    }

    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        if from.array()? != 1 {
            return Err(Halt::Lacks("values in chunks"));
        }
        let count = from.array()?;
        let mut values = Vec::with_capacity(from.room(count));
        for _ in 0..count {
            from.array_of(2)?;
            let times = from.int()?;
            let Item::Use(last) = Item::decode(from, Of::Mode)? else { return Err(OTHER) };
            values.push((times, last));
        }
        Ok(Tally(values))
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 1);
        msgpack::put_array(out, self.0.len());
        for (times, last) in &self.0 {
            msgpack::put_array(out, 2);
            msgpack::put_int(out, *times);
            Item::Use(last.clone()).encode(out);
        }
    }

    pub fn add(&mut self, item: Item<'a>) -> Result<()> {
        let Item::Use(used) = item else { return Err(OTHER) };
        let key = used.value.key()?;
        for (times, last) in &mut self.0 {
            if last.value.key()? == key {
                *times = times.saturating_add(1);
                if used.stamp() > last.stamp() {
                    *last = used;
                }
                return Ok(());
            }
        }
        self.0.push((1, used));
        if self.0.len() > LISTED { Err(Halt::Lacks("values in chunks")) } else { Ok(()) }
    }

    pub fn read(&self) -> Result<Amount> {
        best(self.0.iter().map(|(times, last)| (*times, last.as_ref())))
    }
}
