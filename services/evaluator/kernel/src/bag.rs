//! A measure over a sliding window as a bag of entries: days and other keys, sums, and counts whose window skips.

use crate::exact::{Exact, Number};
use crate::fact::edge_below;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};

/// From more entries than this on, the interpreted core keeps them in chunks.
pub const LISTED: usize = 128;
const CHUNKED: Halt = Halt::Lacks("entries in chunks");

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A count: one entry an event, the `depth` that leave last.
    Each,
    /// Days, weeks or months: of each the largest leave, and no more than `depth`.
    Keys,
    Sum,
}

pub struct Bagged {
    /// (leave, payload), ascending by leave.
    inside: Vec<(i64, Number)>,
    /// (enter, leave, payload), ascending by enter.
    waiting: Vec<(i64, i64, Number)>,
    total: Option<Number>,
}

pub fn put_number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Int(whole) => msgpack::put_int(out, whole),
        Number::Float(float) => msgpack::put_float(out, float),
    }
}

pub fn number(from: &mut Reader) -> Result<Number> {
    match from.value()? {
        crate::value::Value::Int(whole) => Ok(Number::Int(whole)),
        crate::value::Value::Float(float) => Ok(Number::Float(float)),
        crate::value::Value::Str(_) => Err(Halt::Lacks("numbers that no float holds")),
        _ => Err(Halt::Bad("is not a number")),
    }
}

impl Bagged {
    pub fn empty() -> Self {
        Bagged { inside: Vec::new(), waiting: Vec::new(), total: None }
    }

    pub fn decode(from: &mut Reader, of: Of) -> Result<Self> {
        from.array_of(3)?;
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut inside = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            from.array_of(2)?;
            inside.push((from.int()?, number(from)?));
        }
        if !from.is_array() {
            return Err(CHUNKED);
        }
        let count = from.array()?;
        let mut waiting = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            from.array_of(3)?;
            waiting.push((from.int()?, from.int()?, number(from)?));
        }
        let total = if from.is_nil() {
            from.nil()?;
            None
        } else if of == Of::Sum {
            Some(number(from)?)
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
            put_number(out, *payload);
        }
        msgpack::put_array(out, self.waiting.len());
        for (enter, leave, payload) in &self.waiting {
            msgpack::put_array(out, 3);
            msgpack::put_int(out, *enter);
            msgpack::put_int(out, *leave);
            put_number(out, *payload);
        }
        match self.total {
            Some(total) => put_number(out, total),
            None => out.push(0xc0),
        }
    }

    /// To a bag that is settled; it stays so.
    pub fn add(&mut self, of: Of, depth: usize, span: (i64, i64), payload: Number, now_ms: i64) -> Result<()> {
        let (enter, leave) = span;
        if enter <= now_ms {
            return self.enter(of, depth, leave, payload);
        }
        let at = self.waiting.partition_point(|each| each.0 <= enter);
        self.waiting.insert(at, (enter, leave, payload));
        if self.waiting.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }

    fn enter(&mut self, of: Of, depth: usize, leave: i64, payload: Number) -> Result<()> {
        match of {
            Of::Each => {
                self.put(leave, payload);
                if self.inside.len() > depth {
                    self.inside.drain(..self.inside.len() - depth);
                }
            }
            Of::Sum => {
                self.put(leave, payload);
                let total = Exact::of(self.total.unwrap_or(Number::Int(0)))?;
                self.total = Some(total.plus(Exact::of(payload)?)?.stored()?);
            }
            Of::Keys => self.put_key(leave, payload, depth)?,
        }
        if self.inside.len() > LISTED { Err(CHUNKED) } else { Ok(()) }
    }

    fn put(&mut self, leave: i64, payload: Number) {
        let at = self.inside.partition_point(|each| each.0 <= leave);
        self.inside.insert(at, (leave, payload));
    }

    fn put_key(&mut self, leave: i64, payload: Number, depth: usize) -> Result<()> {
        if let Some(last) = self.inside.last_mut() {
            if last.1 == payload && last.0 <= leave {
                last.0 = leave;
                return Ok(());
            }
        }
        let Number::Int(key) = payload else { return Err(Halt::Bad("a key that is no whole number")) };
        let key_of = |entry: &(i64, Number)| if let Number::Int(key) = entry.1 { key } else { i64::MIN };
        self.inside.sort_by_key(|entry| (entry.0, key_of(entry)));
        if let Some(at) = self.inside.iter().position(|entry| entry.1 == payload) {
            if self.inside[at].0 >= leave {
                return Ok(());
            }
            self.inside.remove(at);
        }
        let at = self.inside.partition_point(|entry| (entry.0, key_of(entry)) <= (leave, key));
        self.inside.insert(at, (leave, payload));
        if self.inside.len() > depth {
            self.inside.remove(0);
        }
        Ok(())
    }

    /// What waits to enter goes in, what has left goes out.
    pub fn settle(&mut self, of: Of, depth: usize, now_ms: i64) -> Result<()> {
        let entered = self.waiting.partition_point(|each| each.0 <= now_ms);
        for (_, leave, payload) in self.waiting.drain(..entered).collect::<Vec<_>>() {
            self.enter(of, depth, leave, payload)?;
        }
        let left = self.inside.partition_point(|each| each.0 <= now_ms);
        for (_, payload) in self.inside.drain(..left).collect::<Vec<_>>() {
            if of == Of::Sum {
                let total = Exact::of(self.total.ok_or(Halt::Bad("a sum without a total"))?)?;
                self.total = Some(total.minus(Exact::of(payload)?)?.stored()?);
            }
        }
        Ok(())
    }

    pub fn count(&self) -> i64 {
        self.inside.len() as i64
    }

    pub fn total(&self) -> Result<i128> {
        Ok(Exact::of(self.total.unwrap_or(Number::Int(0)))?.scaled)
    }

    pub fn next(&self, of: Of, edges: &[i64]) -> Option<i64> {
        if of != Of::Sum && self.waiting.is_empty() {
            let edge = edge_below(edges, self.count())?;
            return self.inside.get(self.inside.len().checked_sub(edge)?).map(|each| each.0);
        }
        let (enters, leaves) = (self.waiting.first().map(|each| each.0), self.inside.first().map(|each| each.0));
        enters.into_iter().chain(leaves).min()
    }
}
