//! A measure over a sliding window as a bag of entries.

use std::cmp::Ordering;

use crate::amount::Amount;
use crate::entries::{Entries, Entry, LISTED, MAX_ENTRIES, Probe, prefix};
use crate::fact::edge_below;
use crate::fold::{Item, Of, merged, nothing, unmerged};
use crate::halt::{Halt, Result};
use crate::hashes::{Hashes, hashed};
use crate::mode;
use crate::msgpack::{self, Reader};

const CHUNKED: Halt = Halt::Lacks("first, last or most frequent values in chunks");

/// (leave, payload).
pub type Inside<'a> = (i64, Item<'a>);
/// (enter, leave, payload).
type Waiting<'a> = (i64, i64, Item<'a>);

impl<'a> Entry<'a> for Inside<'a> {
    type Shape = Of;

    fn number(&self) -> i64 {
        self.0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 2);
        msgpack::put_int(out, self.0);
        self.1.encode(out);
    }

    fn decode(from: &mut Reader<'a>, of: Of) -> Result<Self> {
        from.array_of(2)?;
        Ok((from.int()?, Item::decode(from, of)?))
    }

    fn decode_owned(from: &mut Reader<'_>, of: Of) -> Result<Self> {
        from.array_of(2)?;
        Ok((from.int()?, Item::owned(from, of)?))
    }
}

impl<'a> Entry<'a> for Waiting<'a> {
    type Shape = Of;

    fn number(&self) -> i64 {
        self.0
    }

    fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        msgpack::put_int(out, self.0);
        msgpack::put_int(out, self.1);
        self.2.encode(out);
    }

    fn decode(from: &mut Reader<'a>, of: Of) -> Result<Self> {
        from.array_of(3)?;
        Ok((from.int()?, from.int()?, Item::decode(from, of)?))
    }

    fn decode_owned(from: &mut Reader<'_>, of: Of) -> Result<Self> {
        from.array_of(3)?;
        Ok((from.int()?, from.int()?, Item::owned(from, of)?))
    }
}

pub struct Bagged<'a> {
    /// (leave, payload), ascending by leave.
    inside: Entries<'a, Inside<'a>>,
    /// (enter, leave, payload), ascending by enter.
    waiting: Entries<'a, Waiting<'a>>,
    /// Of sums and averages.
    total: Option<Item<'a>>,
    /// Of keys in chunks, their leaves by their hashes.
    hashes: Option<Hashes<'a>>,
}

/// By leave (or hash) and payload.
pub fn order(one: &Inside, two: &Inside) -> Ordering {
    one.0.cmp(&two.0).then(one.1.order(&two.1).unwrap_or(Ordering::Equal))
}

pub fn place<'s, 'a>(entry: &'s Inside) -> Probe<impl Fn(&Inside<'a>) -> bool + 's> {
    Probe { number: entry.0, is_whole: true, before: move |each: &Inside| order(each, entry).is_lt() }
}

impl<'a> Bagged<'a> {
    pub fn empty() -> Self {
        Bagged { inside: Entries::empty(), waiting: Entries::empty(), total: None, hashes: None }
    }

    pub fn decode(from: &mut Reader<'a>, of: Of) -> Result<Self> {
        from.array_of(3)?;
        let (inside, waiting) = (Entries::decode(from, of)?, Entries::decode(from, of)?);
        if !of.is_apart() && !(inside.is_list() && waiting.is_list()) {
            return Err(CHUNKED);
        }
        let mut hashes = None;
        let total = if from.is_nil() {
            from.nil()?;
            None
        } else if matches!(of, Of::Sum | Of::Average) {
            Some(Item::decode(from, of)?)
        } else if of == Of::Keys && !inside.is_list() {
            hashes = Some(Hashes::decode(from)?);
            None
        } else {
            return Err(CHUNKED);
        };
        if of == Of::Keys && !inside.is_list() && hashes.is_none() {
            return Err(Halt::Bad("keys without their hashes"));
        }
        Ok(Bagged { inside, waiting, total, hashes })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        self.inside.encode(out);
        self.waiting.encode(out);
        match (&self.total, &self.hashes) {
            (Some(total), _) => total.encode(out),
            (None, Some(hashes)) => hashes.encode(out),
            (None, None) => out.push(0xc0),
        }
    }

    /// To a bag that is settled; it stays so.
    pub fn add(&mut self, of: Of, depth: usize, span: (i64, i64), payload: Item<'a>, now_ms: i64) -> Result<()> {
        let (enter, leave) = span;
        if enter <= now_ms {
            return self.enter(of, depth, leave, payload);
        }
        self.waiting.put((enter, leave, payload), &prefix(enter.saturating_add(1)))?;
        if self.waiting.len() <= LISTED {
            return Ok(());
        }
        if !of.is_apart() {
            return Err(CHUNKED);
        }
        self.waiting.fit(of)?;
        if self.waiting.len() > MAX_ENTRIES {
            self.waiting.pop_first(self.waiting.len() - MAX_ENTRIES)?;
        }
        Ok(())
    }

    fn enter(&mut self, of: Of, depth: usize, leave: i64, payload: Item<'a>) -> Result<()> {
        match of {
            Of::Each => {
                self.put(leave, payload)?;
                if self.inside.len() > depth {
                    self.inside.pop_first(self.inside.len() - depth)?;
                }
            }
            Of::Sum | Of::Average => {
                self.total = Some(merged(self.total.take(), &payload)?);
                self.put(leave, payload)?;
            }
            Of::Keys => self.put_key(leave, payload, depth)?,
            Of::Extreme { .. } | Of::Pick { .. } => self.put_extreme(of, leave, payload)?,
            Of::Mode => self.put(leave, payload)?,
        }
        if self.inside.len() <= LISTED {
            return Ok(());
        }
        if !of.is_apart() {
            return Err(CHUNKED);
        }
        if self.inside.is_list() {
            self.spread(of)?;
            self.inside.fit(of)?;
        }
        if self.inside.len() > MAX_ENTRIES {
            let gone = self.inside.pop_first(self.inside.len() - MAX_ENTRIES)?;
            self.left(of, gone)?;
        }
        Ok(())
    }

    fn put(&mut self, leave: i64, payload: Item<'a>) -> Result<()> {
        self.inside.put((leave, payload), &prefix(leave.saturating_add(1)))
    }

    /// Of entries that were taken out.
    fn left(&mut self, of: Of, gone: Vec<Inside<'a>>) -> Result<()> {
        if matches!(of, Of::Sum | Of::Average) {
            for (_, payload) in &gone {
                self.total = Some(unmerged(self.total.take(), payload)?);
            }
        }
        if self.inside.is_list() {
            return Ok(());
        }
        for (leave, payload) in &gone {
            if let Some(hashes) = &mut self.hashes {
                hashes.remove(hashed(payload)?, *leave)?;
            }
        }
        self.inside.fit(of)?;
        if self.inside.is_list() {
            self.hashes = None;
        }
        Ok(())
    }

    /// Keys that are a list still, and are about to be put into chunks.
    fn spread(&mut self, of: Of) -> Result<()> {
        let (Of::Keys, Entries::List(inside)) = (of, &mut self.inside) else { return Ok(()) };
        inside.sort_by(order);
        let pairs = inside.iter().map(|(leave, payload)| Ok((hashed(payload)?, *leave))).collect::<Result<_>>()?;
        self.hashes = Some(Hashes::of(pairs));
        Ok(())
    }

    /// The same of keys in chunks.
    fn put_apart(&mut self, leave: i64, payload: Item<'a>, depth: usize) -> Result<()> {
        let hashes = self.hashes.as_mut().ok_or(CHUNKED)?;
        let hash = hashed(&payload)?;
        for before in hashes.found(hash) {
            let entry = (before, payload.clone());
            if self.inside.at_least(&place(&entry))?.is_some_and(|found| order(&found, &entry).is_eq()) {
                if before >= leave {
                    return Ok(());
                }
                self.inside.remove(&place(&entry))?;
                hashes.remove(hash, before)?;
                break;
            }
        }
        hashes.put(hash, leave);
        let entry = (leave, payload);
        self.inside.put(entry.clone(), &place(&entry))?;
        if self.inside.len() > depth {
            for (leave, payload) in self.inside.pop_first(1)? {
                hashes.remove(hashed(&payload)?, leave)?;
            }
        }
        Ok(())
    }

    fn put_key(&mut self, leave: i64, payload: Item<'a>, depth: usize) -> Result<()> {
        let Entries::List(inside) = &mut self.inside else { return self.put_apart(leave, payload, depth) };
        if let Some(last) = inside.last_mut() {
            if last.0 <= leave && last.1.order(&payload)?.is_eq() {
                last.0 = leave;
                return Ok(());
            }
        }
        for (_, known) in inside.iter() {
            known.order(&payload)?;
        }
        inside.sort_by(order);
        if let Some(at) = inside.iter().position(|entry| entry.1.order(&payload).is_ok_and(|order| order.is_eq())) {
            if inside[at].0 >= leave {
                return Ok(());
            }
            inside.remove(at);
        }
        let entry = (leave, payload);
        let at = inside.partition_point(|each| order(each, &entry).is_le());
        inside.insert(at, entry);
        if inside.len() > depth {
            inside.remove(0);
        }
        Ok(())
    }

    /// What is inside is the better the sooner it leaves.
    fn put_extreme(&mut self, of: Of, leave: i64, payload: Item<'a>) -> Result<()> {
        if let Some(after) = self.inside.at_least(&prefix(leave))? {
            if after.1.beats(of, &payload)? {
                return Ok(());
            }
            if after.0 == leave {
                self.inside.remove(&prefix(leave))?;
            }
        }
        while let Some(before) = self.inside.below(&prefix(leave))? {
            if !payload.beats(of, &before.1)? {
                break;
            }
            self.inside.remove(&prefix(before.0))?;
        }
        self.inside.put((leave, payload), &prefix(leave))
    }

    /// What waits to enter goes in, what has left goes out.
    pub fn settle(&mut self, of: Of, depth: usize, now_ms: i64) -> Result<()> {
        if self.waiting.first().is_some_and(|first| first.0 <= now_ms) {
            for (_, leave, payload) in self.waiting.until(now_ms)? {
                self.enter(of, depth, leave, payload)?;
            }
            if !self.waiting.is_list() {
                self.waiting.fit(of)?;
            }
        }
        if self.inside.first().is_some_and(|first| first.0 <= now_ms) {
            let gone = self.inside.until(now_ms)?;
            self.left(of, gone)?;
        }
        Ok(())
    }

    pub fn read(&self, of: Of) -> Result<Amount> {
        match of {
            Of::Each | Of::Keys => Ok(Amount::Whole(self.inside.len() as i64)),
            Of::Sum | Of::Average => self.total.as_ref().map_or(Ok(nothing(of)), Item::read),
            Of::Extreme { .. } | Of::Pick { .. } => self.inside.first().map_or(Ok(nothing(of)), |first| first.1.read()),
            Of::Mode => match &self.inside {
                Entries::List(inside) => mode::most_frequent(inside.iter().map(|entry| &entry.1)),
                Entries::Chunks(_) => Err(CHUNKED),
            },
        }
    }

    pub fn next(&self, of: Of, edges: &[i64]) -> Result<Option<i64>> {
        if matches!(of, Of::Each | Of::Keys) && self.waiting.is_empty() {
            let edge = edge_below(edges, self.inside.len() as i64);
            let Some(at) = edge.and_then(|edge| self.inside.len().checked_sub(edge)) else { return Ok(None) };
            return Ok(self.inside.nth(at)?.map(|each| each.0));
        }
        let (enters, leaves) = (self.waiting.first().map(|each| each.0), self.inside.first().map(|each| each.0));
        Ok(enters.into_iter().chain(leaves).min())
    }
}
