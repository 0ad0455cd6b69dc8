//! The ascending entries of a fact: a plain list while they are few, chunks from there on. Kinds use these functions,
//! which work on both.

use crate::chunks::{Chunks, MOST};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};

/// From more entries than this on, they lie in chunks.
pub const LISTED: usize = 128;
/// With so few entries left, they become a list again.
const FEW: usize = 32;
/// The bound of one fact's entries.
pub const MAX_ENTRIES: usize = 10_001;

/// `number` is what it begins with, an instant in ms. `Shape`: what it takes to read it.
pub trait Entry<'a>: Sized + Clone {
    type Shape: Copy;
    fn number(&self) -> i64;
    fn encode(&self, out: &mut Vec<u8>);
    fn decode(from: &mut Reader<'a>, shape: Self::Shape) -> Result<Self>;
    /// The same, of bytes that don't last.
    fn decode_owned(from: &mut Reader<'_>, shape: Self::Shape) -> Result<Self>;
}

/// A place among entries: `before` says of an entry whether it lies before it. `number` is what it begins with, and
/// `is_whole` whether there is more of it than that.
pub struct Probe<F> {
    pub number: i64,
    pub is_whole: bool,
    pub before: F,
}

/// Before all entries that begin with a number.
pub fn prefix<'a, T: Entry<'a>>(number: i64) -> Probe<impl Fn(&T) -> bool> {
    Probe { number, is_whole: false, before: move |entry: &T| entry.number() < number }
}

pub enum Entries<'a, T: Entry<'a>> {
    List(Vec<T>),
    Chunks(Box<Chunks<'a, T>>),
}

impl<'a, T: Entry<'a>> Entries<'a, T> {
    pub fn empty() -> Self {
        Entries::List(Vec::new())
    }

    pub fn decode(from: &mut Reader<'a>, shape: T::Shape) -> Result<Self> {
        if !from.is_array() {
            return Ok(Entries::Chunks(Box::new(Chunks::decode(from, shape)?)));
        }
        let count = from.array()?;
        let mut entries = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            entries.push(T::decode(from, shape)?);
        }
        Ok(Entries::List(entries))
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Entries::List(entries) => {
                msgpack::put_array(out, entries.len());
                entries.iter().for_each(|entry| entry.encode(out));
            }
            Entries::Chunks(chunks) => chunks.encode(out),
        }
    }

    pub fn is_list(&self) -> bool {
        matches!(self, Entries::List(_))
    }

    pub fn len(&self) -> usize {
        match self {
            Entries::List(entries) => entries.len(),
            Entries::Chunks(chunks) => chunks.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn first(&self) -> Option<&T> {
        match self {
            Entries::List(entries) => entries.first(),
            Entries::Chunks(chunks) => chunks.first(),
        }
    }

    pub fn nth(&self, at: usize) -> Result<Option<T>> {
        match self {
            Entries::List(entries) => Ok(entries.get(at).cloned()),
            Entries::Chunks(chunks) => chunks.nth(at),
        }
    }

    /// Puts an entry in before the first one that is at least the probe.
    pub fn put(&mut self, entry: T, probe: &Probe<impl Fn(&T) -> bool>) -> Result<()> {
        match self {
            Entries::List(entries) => {
                entries.insert(entries.partition_point(&probe.before), entry);
                Ok(())
            }
            Entries::Chunks(chunks) => chunks.put(entry, probe),
        }
    }

    /// The first entry that is at least the probe.
    pub fn at_least(&self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<Option<T>> {
        match self {
            Entries::List(entries) => Ok(entries.get(entries.partition_point(&probe.before)).cloned()),
            Entries::Chunks(chunks) => chunks.at_least(probe),
        }
    }

    /// The last entry below the probe.
    pub fn below(&self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<Option<T>> {
        match self {
            Entries::List(entries) => Ok(entries[..entries.partition_point(&probe.before)].last().cloned()),
            Entries::Chunks(chunks) => chunks.below(probe),
        }
    }

    /// Takes out the first entry that is at least the probe, which must be there.
    pub fn remove(&mut self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<()> {
        match self {
            Entries::List(entries) => {
                let at = entries.partition_point(&probe.before);
                if at == entries.len() {
                    return Err(Halt::Bad("an entry that is not there"));
                }
                entries.remove(at);
                Ok(())
            }
            Entries::Chunks(chunks) => chunks.remove(probe),
        }
    }

    /// Gives those below the probe, from the last one on, until one is answered with false.
    pub fn descend(&self, probe: &Probe<impl Fn(&T) -> bool>, mut give: impl FnMut(&T) -> Result<bool>) -> Result<()> {
        match self {
            Entries::List(entries) => {
                for entry in entries[..entries.partition_point(&probe.before)].iter().rev() {
                    if !give(entry)? {
                        break;
                    }
                }
                Ok(())
            }
            Entries::Chunks(chunks) => chunks.descend(probe, give),
        }
    }

    /// Takes out some that are in it; `less` is their order.
    pub fn without(&mut self, gone: &[T], less: impl Fn(&T, &T) -> bool, shape: T::Shape) -> Result<()> {
        let is_apart = gone.len() > MOST && !self.is_list();
        if is_apart {
            *self = Entries::List(self.list()?);
        }
        for entry in gone {
            self.remove(&Probe { number: entry.number(), is_whole: true, before: |each: &T| less(each, entry) })?;
        }
        if is_apart { self.fit(shape) } else { Ok(()) }
    }

    /// Takes out the entries that begin with at most a number.
    pub fn until(&mut self, number: i64) -> Result<Vec<T>> {
        match self {
            Entries::List(entries) => {
                let count = entries.partition_point(|entry| entry.number() <= number);
                Ok(entries.drain(..count).collect())
            }
            Entries::Chunks(chunks) => chunks.until(number),
        }
    }

    /// Takes out the first entry, and others as long as what they begin with is past.
    pub fn let_go(&mut self, is_past: impl Fn(i64) -> Result<bool>) -> Result<()> {
        match self {
            Entries::List(entries) => {
                let mut count = 1;
                while count < entries.len() && is_past(entries[count].number())? {
                    count += 1;
                }
                entries.drain(..count.min(entries.len()));
                Ok(())
            }
            Entries::Chunks(chunks) => chunks.let_go(&is_past),
        }
    }

    pub fn pop_first(&mut self, count: usize) -> Result<Vec<T>> {
        match self {
            Entries::List(entries) => Ok(entries.drain(..count.min(entries.len())).collect()),
            Entries::Chunks(chunks) => chunks.pop_first(count),
        }
    }

    /// Gives them the form that their number wants.
    pub fn fit(&mut self, shape: T::Shape) -> Result<()> {
        match self {
            Entries::List(entries) if entries.len() > LISTED => {
                *self = Entries::Chunks(Box::new(Chunks::of(std::mem::take(entries), shape)?));
            }
            Entries::Chunks(chunks) if chunks.len() <= FEW => *self = Entries::List(chunks.list()?),
            _ => {}
        }
        Ok(())
    }

    /// The last ones, no more than a fact may have, in the form that their number wants.
    pub fn bound(&mut self, shape: T::Shape) -> Result<()> {
        if self.len() > MAX_ENTRIES {
            self.pop_first(self.len() - MAX_ENTRIES)?;
        }
        self.fit(shape)
    }

    pub fn list(&self) -> Result<Vec<T>> {
        match self {
            Entries::List(entries) => Ok(entries.clone()),
            Entries::Chunks(chunks) => chunks.list(),
        }
    }
}
