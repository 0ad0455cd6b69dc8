//! Many entries of a fact: the first and the last ones as lists, and chunks between that stay bytes, in the same
//! layout as module `chunks` of the core, which explains it.

use std::borrow::Cow;

use crate::entries::{Entry, Probe, prefix};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::numbers::Numbers;

/// A chunk that gets more entries is split, and so are the first and the last ones.
pub const MOST: usize = 32;
/// More pieces are joined.
const PIECES: usize = 16;
const CUT_OFF: Halt = Halt::Bad("chunks that are cut off");

struct Between<'a> {
    count: usize,
    firsts: Numbers<'a>,
    sizes: Numbers<'a>,
    lengths: Numbers<'a>,
    pieces: Vec<Cow<'a, [u8]>>,
}

pub struct Chunks<'a, T: Entry<'a>> {
    shape: T::Shape,
    head: Vec<T>,
    between: Between<'a>,
    tail: Vec<T>,
}

impl<'a> Between<'a> {
    fn empty() -> Self {
        let none = || Numbers::Open(Vec::new());
        Between { count: 0, firsts: none(), sizes: none(), lengths: none(), pieces: Vec::new() }
    }

    fn len(&self) -> usize {
        self.firsts.len()
    }

    fn read<T: Entry<'a>>(&self, chunk: usize, shape: T::Shape) -> Result<Vec<T>> {
        let start = self.lengths.sum(0..chunk)?;
        let end = start.saturating_add(self.lengths.size(chunk)?);
        let mut before = 0;
        for piece in &self.pieces {
            if start < before + piece.len() {
                let range = start - before..end - before;
                return match piece {
                    Cow::Borrowed(piece) => {
                        let from = &mut Reader::new(piece.get(range).ok_or(CUT_OFF)?);
                        let count = from.array()?;
                        (0..count).map(|_| T::decode(from, shape)).collect()
                    }
                    Cow::Owned(piece) => {
                        let from = &mut Reader::new(piece.get(range).ok_or(CUT_OFF)?);
                        let count = from.array()?;
                        (0..count).map(|_| T::decode_owned(from, shape)).collect()
                    }
                };
            }
            before += piece.len();
        }
        Err(CUT_OFF)
    }

    /// Puts `parts` where chunks from `first` to `last`, without that, were.
    fn replace<T: Entry<'a>>(&mut self, first: usize, last: usize, parts: &[&[T]]) -> Result<()> {
        let start = self.lengths.sum(0..first)?;
        let end = start.saturating_add(self.lengths.sum(first..last)?);
        let encoded: Vec<Vec<u8>> = parts.iter().map(|part| encoded(part)).collect();
        let lengths = encoded.iter().map(|part| part.len() as i64).collect();
        let mut pieces = self.cut(0, start);
        pieces.extend(encoded.into_iter().map(Cow::Owned));
        pieces.extend(self.cut(end, usize::MAX));
        self.pieces = if pieces.len() <= PIECES { pieces } else { vec![Cow::Owned(pieces.concat())] };
        let gone = self.sizes.sum(first..last)?;
        self.count = (self.count + parts.iter().map(|part| part.len()).sum::<usize>()).checked_sub(gone).ok_or(CUT_OFF)?;
        self.firsts.splice(first..last, parts.iter().filter_map(|part| part.first().map(Entry::number)).collect())?;
        self.sizes.splice(first..last, parts.iter().map(|part| part.len() as i64).collect())?;
        self.lengths.splice(first..last, lengths)
    }

    fn cut(&self, start: usize, end: usize) -> Vec<Cow<'a, [u8]>> {
        let (mut found, mut before) = (Vec::new(), 0_usize);
        for piece in &self.pieces {
            if end <= before {
                break;
            }
            if start < before + piece.len() {
                let range = start.saturating_sub(before)..(end - before).min(piece.len());
                found.push(match piece {
                    Cow::Borrowed(piece) => Cow::Borrowed(&piece[range]),
                    Cow::Owned(piece) => Cow::Owned(piece[range].to_vec()),
                });
            }
            before += piece.len();
        }
        found
    }

    /// The chunk in which an entry like the probe has its place, its entries, and that place.
    fn find<T: Entry<'a>>(&self, probe: &Probe<impl Fn(&T) -> bool>, shape: T::Shape) -> Result<(usize, Vec<T>, usize)> {
        let mut low = self.firsts.below(probe.number, false)?;
        if probe.is_whole {
            let mut high = self.firsts.below(probe.number, true)?;
            while low < high {
                let middle = (low + high) / 2;
                if self.read::<T>(middle, shape)?.first().is_some_and(&probe.before) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
        }
        let chunk = low.saturating_sub(1);
        let entries: Vec<T> = self.read(chunk, shape)?;
        let at = entries.partition_point(&probe.before);
        Ok((chunk, entries, at))
    }
}

fn encoded<'a, T: Entry<'a>>(entries: &[T]) -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::put_array(&mut out, entries.len());
    entries.iter().for_each(|entry| entry.encode(&mut out));
    out
}

fn is_below<T>(entries: &[T], probe: &Probe<impl Fn(&T) -> bool>) -> bool {
    entries.last().is_some_and(&probe.before)
}

impl<'a, T: Entry<'a>> Chunks<'a, T> {
    pub fn of(entries: Vec<T>, shape: T::Shape) -> Result<Self> {
        let half = MOST / 2;
        let end = (entries.len().saturating_sub(half)).max(half).min(entries.len());
        let mut between = Between::empty();
        let parts: Vec<&[T]> = (half..end).step_by(half).map(|start| &entries[start..(start + half).min(end)]).collect();
        between.replace(0, 0, &parts)?;
        let (mut head, tail) = (entries.clone(), entries[end..].to_vec());
        head.truncate(half);
        Ok(Chunks { shape, head, between, tail })
    }

    pub fn decode(from: &mut Reader<'a>, shape: T::Shape) -> Result<Self> {
        if from.map()? != 3 || from.str()? != "h" {
            return Err(CUT_OFF);
        }
        let count = from.array()?;
        let head: Vec<T> = (0..count).map(|_| T::decode(from, shape)).collect::<Result<_>>()?;
        if from.str()? != "b" {
            return Err(CUT_OFF);
        }
        from.array_of(5)?;
        let count = usize::try_from(from.int()?).map_err(|_| CUT_OFF)?;
        let (firsts, sizes, lengths) = (Numbers::read(from)?, Numbers::read(from)?, Numbers::read(from)?);
        let pieces = (0..from.array()?).map(|_| from.bin().map(Cow::Borrowed)).collect::<Result<Vec<_>>>()?;
        let whole = pieces.iter().map(|piece| piece.len()).sum::<usize>();
        let same = firsts.len() == sizes.len() && sizes.len() == lengths.len();
        if !same || sizes.sum(0..sizes.len())? != count || lengths.sum(0..lengths.len())? != whole || (head.is_empty() && count > 0) {
            return Err(CUT_OFF);
        }
        if from.str()? != "t" {
            return Err(CUT_OFF);
        }
        let tail = (0..from.array()?).map(|_| T::decode(from, shape)).collect::<Result<_>>()?;
        Ok(Chunks { shape, head, between: Between { count, firsts, sizes, lengths, pieces }, tail })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_map(out, 3);
        msgpack::put_str(out, "h");
        out.extend_from_slice(&encoded(&self.head));
        msgpack::put_str(out, "b");
        msgpack::put_array(out, 5);
        msgpack::put_int(out, self.between.count as i64);
        [&self.between.firsts, &self.between.sizes, &self.between.lengths].iter().for_each(|numbers| numbers.encode(out));
        msgpack::put_array(out, self.between.pieces.len());
        self.between.pieces.iter().for_each(|piece| msgpack::put_bin(out, piece));
        msgpack::put_str(out, "t");
        out.extend_from_slice(&encoded(&self.tail));
    }

    pub fn len(&self) -> usize {
        self.head.len() + self.between.count + self.tail.len()
    }

    pub fn first(&self) -> Option<&T> {
        self.head.first()
    }

    pub fn list(&self) -> Result<Vec<T>> {
        let mut all = self.head.clone();
        for chunk in 0..self.between.len() {
            all.extend(self.between.read::<T>(chunk, self.shape)?);
        }
        all.extend_from_slice(&self.tail);
        Ok(all)
    }

    pub fn nth(&self, at: usize) -> Result<Option<T>> {
        if at < self.head.len() {
            return Ok(self.head.get(at).cloned());
        }
        let mut at = at - self.head.len();
        for chunk in 0..self.between.len() {
            let size = self.between.sizes.size(chunk)?;
            if at < size {
                return Ok(self.between.read::<T>(chunk, self.shape)?.into_iter().nth(at));
            }
            at -= size;
        }
        Ok(self.tail.get(at).cloned())
    }

    pub fn at_least(&self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<Option<T>> {
        if self.tail.first().is_some_and(&probe.before) {
            return Ok(self.tail.get(self.tail.partition_point(&probe.before)).cloned());
        }
        if !self.head.is_empty() && !is_below(&self.head, probe) {
            return Ok(self.head.get(self.head.partition_point(&probe.before)).cloned());
        }
        if self.between.count > 0 {
            let (chunk, entries, at) = self.between.find(probe, self.shape)?;
            if at < entries.len() {
                return Ok(entries.into_iter().nth(at));
            }
            if chunk + 1 < self.between.len() {
                return Ok(self.between.read::<T>(chunk + 1, self.shape)?.into_iter().next());
            }
        }
        Ok(self.tail.first().cloned())
    }

    pub fn below(&self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<Option<T>> {
        let last = |entries: &[T]| entries[..entries.partition_point(&probe.before)].last().cloned();
        if self.tail.first().is_some_and(&probe.before) {
            return Ok(last(&self.tail));
        }
        if self.between.count > 0 && is_below(&self.head, probe) {
            let (_, entries, at) = self.between.find(probe, self.shape)?;
            if at > 0 {
                return Ok(entries.into_iter().nth(at - 1));
            }
        }
        Ok(last(&self.head))
    }

    /// Gives those below the probe, from the last one on, until one is answered with false.
    pub fn descend(&self, probe: &Probe<impl Fn(&T) -> bool>, mut give: impl FnMut(&T) -> Result<bool>) -> Result<()> {
        for entry in self.tail[..self.tail.partition_point(&probe.before)].iter().rev() {
            if !give(entry)? {
                return Ok(());
            }
        }
        if self.between.count > 0 && is_below(&self.head, probe) {
            let (mut chunk, mut entries, at) = self.between.find(probe, self.shape)?;
            entries.truncate(at);
            loop {
                for entry in entries.iter().rev() {
                    if !give(entry)? {
                        return Ok(());
                    }
                }
                if chunk == 0 {
                    break;
                }
                chunk -= 1;
                entries = self.between.read(chunk, self.shape)?;
            }
        }
        for entry in self.head[..self.head.partition_point(&probe.before)].iter().rev() {
            if !give(entry)? {
                return Ok(());
            }
        }
        Ok(())
    }

    pub fn put(&mut self, entry: T, probe: &Probe<impl Fn(&T) -> bool>) -> Result<()> {
        let (none, half) = (self.between.count == 0, MOST / 2);
        if self.tail.first().is_some_and(&probe.before) || (none && is_below(&self.head, probe)) {
            self.tail.insert(self.tail.partition_point(&probe.before), entry);
            if self.tail.len() > MOST {
                let end = self.between.len();
                self.between.replace(end, end, &[&self.tail[..half]])?;
                self.tail.drain(..half);
            }
        } else if none || !is_below(&self.head, probe) {
            self.head.insert(self.head.partition_point(&probe.before), entry);
            if self.head.len() > MOST {
                self.between.replace(0, 0, &[&self.head[half..]])?;
                self.head.truncate(half);
            }
        } else {
            let (chunk, mut entries, at) = self.between.find(probe, self.shape)?;
            entries.insert(at, entry);
            let (low, high) = entries.split_at(half.min(entries.len()));
            let parts: &[&[T]] = if entries.len() <= MOST { &[&entries] } else { &[low, high] };
            self.between.replace(chunk, chunk + 1, parts)?;
        }
        Ok(())
    }

    /// Takes out the first entry that is at least the probe, which must be there.
    pub fn remove(&mut self, probe: &Probe<impl Fn(&T) -> bool>) -> Result<()> {
        if self.tail.first().is_some_and(&probe.before) {
            take_at(&mut self.tail, probe)?;
        } else if !is_below(&self.head, probe) {
            take_at(&mut self.head, probe)?;
        } else {
            if self.between.count > 0 {
                let (mut chunk, mut entries, mut at) = self.between.find(probe, self.shape)?;
                if at == entries.len() && chunk + 1 < self.between.len() {
                    (chunk, at) = (chunk + 1, 0);
                    entries = self.between.read(chunk, self.shape)?;
                }
                if at < entries.len() {
                    entries.remove(at);
                    let parts: &[&[T]] = if entries.is_empty() { &[] } else { &[&entries] };
                    return self.between.replace(chunk, chunk + 1, parts);
                }
            }
            if self.tail.is_empty() {
                return Err(Halt::Bad("an entry that is not there"));
            }
            self.tail.remove(0);
        }
        self.refill()
    }

    pub fn until(&mut self, number: i64) -> Result<Vec<T>> {
        let mut gone = Vec::new();
        while self.head.first().is_some_and(|first| first.number() <= number) {
            let count = self.head.partition_point(&prefix(number.saturating_add(1)).before);
            gone.extend(self.head.drain(..count.max(1)));
            self.refill()?;
        }
        Ok(gone)
    }

    /// Takes out the first entry, and others as long as their number is past.
    pub fn let_go(&mut self, is_past: &impl Fn(i64) -> Result<bool>) -> Result<()> {
        let mut ends = true;
        while ends && !self.head.is_empty() {
            let mut count = 1;
            while count < self.head.len() && is_past(self.head[count].number())? {
                count += 1;
            }
            ends = count == self.head.len();
            self.head.drain(..count);
            self.refill()?;
            ends = ends && !self.head.is_empty() && is_past(self.head[0].number())?;
        }
        Ok(())
    }

    pub fn pop_first(&mut self, count: usize) -> Result<Vec<T>> {
        let mut gone = Vec::new();
        while gone.len() < count && !self.head.is_empty() {
            let part = self.head.len().min(count - gone.len());
            gone.extend(self.head.drain(..part));
            self.refill()?;
        }
        Ok(gone)
    }

    /// After entries were taken out of head or tail.
    fn refill(&mut self) -> Result<()> {
        if self.head.is_empty() {
            if self.between.count > 0 {
                self.head = self.between.read(0, self.shape)?;
                self.between.replace::<T>(0, 1, &[])?;
            } else {
                std::mem::swap(&mut self.head, &mut self.tail);
            }
        }
        if self.tail.is_empty() && self.between.count > 0 {
            let last = self.between.len() - 1;
            self.tail = self.between.read(last, self.shape)?;
            self.between.replace::<T>(last, last + 1, &[])?;
        }
        Ok(())
    }
}

fn take_at<T>(entries: &mut Vec<T>, probe: &Probe<impl Fn(&T) -> bool>) -> Result<T> {
    let at = entries.partition_point(&probe.before);
    if at < entries.len() { Ok(entries.remove(at)) } else { Err(Halt::Bad("an entry that is not there")) }
}
