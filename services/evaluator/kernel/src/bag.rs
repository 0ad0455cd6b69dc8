//! A measure over a sliding window as a bag of entries.

use crate::amount::Amount;
use crate::fact::edge_below;
use crate::fold::{Item, Of, merged, nothing, unmerged};
use crate::halt::{Halt, Result};
use crate::mode;
use crate::msgpack::{self, Reader};

/// From more entries than this on, the interpreted core keeps them in chunks.
pub const LISTED: usize = 128;
const CHUNKED: Halt = Halt::Lacks("entries in chunks");

pub struct Bagged<'a> {
    /// (leave, payload), ascending by leave.
    inside: Vec<(i64, Item<'a>)>,
    /// (enter, leave, payload), ascending by enter.
    waiting: Vec<(i64, i64, Item<'a>)>,
    /// Of sums and averages.
    total: Option<Item<'a>>,
}

impl<'a> Bagged<'a> {
    pub fn empty() -> Self {
        Bagged { inside: Vec::new(), waiting: Vec::new(), total: None }
    }

    pub fn decode(from: &mut Reader<'a>, of: Of) -> Result<Self> {
        from.array_of(3)?;
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut inside = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            from.array_of(2)?;
            inside.push((from.int()?, Item::decode(from, of)?));
        }
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut waiting = Vec::with_capacity(from.room(count));
        for _ in 0..count {
            from.array_of(3)?;
            waiting.push((from.int()?, from.int()?, Item::decode(from, of)?));
        }
        let total = if from.is_nil() {
            from.nil()?;
            None
        } else if matches!(of, Of::Sum | Of::Average) {
            Some(Item::decode(from, of)?)
        } else {
            return Err(CHUNKED);
        };
        Ok(Bagged { inside, waiting, total })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 3);
        msgpack::put_array(out, self.inside.len());
        for (leave, payload) in &self.inside {
            msgpack::put_array(out, 2);
            msgpack::put_int(out, *leave);
            payload.encode(out);
        }
        msgpack::put_array(out, self.waiting.len());
        for (enter, leave, payload) in &self.waiting {
            msgpack::put_array(out, 3);
            msgpack::put_int(out, *enter);
            msgpack::put_int(out, *leave);
            payload.encode(out);
        }
        match &self.total {
            Some(total) => total.encode(out),
            None => out.push(0xc0),
        }
    }

    /// To a bag that is settled; it stays so.
    pub fn add(&mut self, of: Of, depth: usize, span: (i64, i64), payload: Item<'a>, now_ms: i64) -> Result<()> {
        let (enter, leave) = span;
        if enter <= now_ms {
            return self.enter(of, depth, leave, payload);
        }
        let at = self.waiting.partition_point(|each| each.0 <= enter);
        self.waiting.insert(at, (enter, leave, payload));
        if self.waiting.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }

    fn enter(&mut self, of: Of, depth: usize, leave: i64, payload: Item<'a>) -> Result<()> {
        match of {
            Of::Each => {
                self.put(leave, payload);
                if self.inside.len() > depth {
                    self.inside.drain(..self.inside.len() - depth);
                }
            }
            Of::Sum | Of::Average => {
                self.total = Some(merged(self.total.take(), &payload)?);
                self.put(leave, payload);
            }
            Of::Keys => self.put_key(leave, payload, depth)?,
            Of::Extreme { .. } | Of::Pick { .. } => self.put_extreme(of, leave, payload)?,
            Of::Mode => self.put(leave, payload),
        }
        if self.inside.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }

    fn put(&mut self, leave: i64, payload: Item<'a>) {
        let at = self.inside.partition_point(|each| each.0 <= leave);
        self.inside.insert(at, (leave, payload));
    }

    fn put_key(&mut self, leave: i64, payload: Item<'a>, depth: usize) -> Result<()> {
        if let Some(last) = self.inside.last_mut() {
            if last.0 <= leave && last.1.order(&payload)?.is_eq() {
                last.0 = leave;
                return Ok(());
            }
        }
        for (_, known) in &self.inside {
            known.order(&payload)?;
        }
        let order = |one: &(i64, Item), two: &(i64, Item)| one.0.cmp(&two.0).then(one.1.order(&two.1).unwrap_or(std::cmp::Ordering::Equal));
        self.inside.sort_by(order);
        if let Some(at) = self.inside.iter().position(|entry| entry.1.order(&payload).is_ok_and(|order| order.is_eq())) {
            if self.inside[at].0 >= leave {
                return Ok(());
            }
            self.inside.remove(at);
        }
        let entry = (leave, payload);
        let at = self.inside.partition_point(|each| order(each, &entry).is_le());
        self.inside.insert(at, entry);
        if self.inside.len() > depth {
            self.inside.remove(0);
        }
        Ok(())
    }

    /// What is inside is the better the sooner it leaves.
    fn put_extreme(&mut self, of: Of, leave: i64, payload: Item<'a>) -> Result<()> {
        let mut at = self.inside.partition_point(|each| each.0 < leave);
        if let Some(after) = self.inside.get(at) {
            if after.1.beats(of, &payload)? {
                return Ok(());
            }
            if after.0 == leave {
                self.inside.remove(at);
            }
        }
        while at > 0 && payload.beats(of, &self.inside[at - 1].1)? {
            self.inside.remove(at - 1);
            at -= 1;
        }
        self.inside.insert(at, (leave, payload));
        Ok(())
    }

    /// What waits to enter goes in, what has left goes out.
    pub fn settle(&mut self, of: Of, depth: usize, now_ms: i64) -> Result<()> {
        let entered = self.waiting.partition_point(|each| each.0 <= now_ms);
        for (_, leave, payload) in self.waiting.drain(..entered).collect::<Vec<_>>() {
            self.enter(of, depth, leave, payload)?;
        }
        let left = self.inside.partition_point(|each| each.0 <= now_ms);
        for (_, payload) in self.inside.drain(..left) {
            if matches!(of, Of::Sum | Of::Average) {
                self.total = Some(unmerged(self.total.take(), &payload)?);
            }
        }
        Ok(())
    }

    pub fn read(&self, of: Of) -> Result<Amount> {
        match of {
            Of::Each | Of::Keys => Ok(Amount::Whole(self.inside.len() as i64)),
            Of::Sum | Of::Average => self.total.as_ref().map_or(Ok(nothing(of)), Item::read),
            Of::Extreme { .. } | Of::Pick { .. } => self.inside.first().map_or(Ok(nothing(of)), |first| first.1.read()),
            Of::Mode => mode::most_frequent(self.inside.iter().map(|entry| &entry.1)),
        }
    }

    pub fn next(&self, of: Of, edges: &[i64]) -> Option<i64> {
        if matches!(of, Of::Each | Of::Keys) && self.waiting.is_empty() {
            let edge = edge_below(edges, self.inside.len() as i64)?;
            return self.inside.get(self.inside.len().checked_sub(edge)?).map(|each| each.0);
        }
        let (enters, leaves) = (self.waiting.first().map(|each| each.0), self.inside.first().map(|each| each.0));
        enters.into_iter().chain(leaves).min()
    }
}
