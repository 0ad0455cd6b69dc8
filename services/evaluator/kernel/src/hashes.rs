//! Where many keys are found: the hashes of the keys, and of each one a number, in drawers that stay bytes until they
//! are looked into (module `hashes` of the core).

use blake2::Blake2b;
use blake2::digest::Digest;
use blake2::digest::consts::U8;

use crate::exact::Number;
use crate::fold::Item;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};

const DRAWERS: usize = 16;
const CUT_OFF: Halt = Halt::Bad("hashes that are cut off");

/// A drawer has its hashes, ascending, and then their numbers in the same order.
enum Drawer<'a> {
    Stored(&'a [u8]),
    Open(Vec<i64>),
}

pub struct Hashes<'a>(Vec<Drawer<'a>>);

impl Drawer<'_> {
    fn open(&mut self) -> &mut Vec<i64> {
        if let Drawer::Stored(stored) = self {
            let number = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) as i64;
            *self = Drawer::Open(stored.chunks_exact(8).map(number).collect());
        }
        match self {
            Drawer::Open(numbers) => numbers,
            Drawer::Stored(_) => unreachable!("it was opened"),
        }
    }
}

impl<'a> Hashes<'a> {
    /// `pairs`: (hash, number).
    pub fn of(mut pairs: Vec<(i64, i64)>) -> Self {
        pairs.sort_unstable();
        let drawer = |at: usize| {
            let own: Vec<&(i64, i64)> = pairs.iter().filter(|pair| place(pair.0) == at).collect();
            Drawer::Open(own.iter().map(|pair| pair.0).chain(own.iter().map(|pair| pair.1)).collect())
        };
        Hashes((0..DRAWERS).map(drawer).collect())
    }

    pub fn decode(from: &mut Reader<'a>) -> Result<Self> {
        from.array_of(1)?;
        from.array_of(DRAWERS)?;
        let drawers = (0..DRAWERS).map(|_| from.bin()).collect::<Result<Vec<_>>>()?;
        if drawers.iter().any(|drawer| drawer.len() % 16 != 0) {
            return Err(CUT_OFF);
        }
        Ok(Hashes(drawers.into_iter().map(Drawer::Stored).collect()))
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 1);
        msgpack::put_array(out, self.0.len());
        for drawer in &self.0 {
            match drawer {
                Drawer::Stored(stored) => msgpack::put_bin(out, stored),
                Drawer::Open(numbers) => {
                    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                    msgpack::put_bin(out, &bytes);
                }
            }
        }
    }

    /// The numbers of the keys with a hash.
    pub fn found(&mut self, hash: i64) -> Vec<i64> {
        let (drawer, half) = self.drawer(hash);
        let hashes = &drawer[..half];
        let (first, end) = (hashes.partition_point(|each| *each < hash), hashes.partition_point(|each| *each <= hash));
        drawer[half + first..half + end].to_vec()
    }

    pub fn put(&mut self, hash: i64, number: i64) {
        let (drawer, half) = self.drawer(hash);
        let at = drawer[..half].partition_point(|each| *each < hash);
        drawer.insert(half + at, number);
        drawer.insert(at, hash);
    }

    /// Of a key that is there.
    pub fn remove(&mut self, hash: i64, number: i64) -> Result<()> {
        let (drawer, half) = self.drawer(hash);
        let first = half + drawer[..half].partition_point(|each| *each < hash);
        let at = drawer[first..].iter().position(|each| *each == number).ok_or(CUT_OFF)? + first;
        drawer.remove(at);
        drawer.remove(at - half);
        Ok(())
    }

    /// The drawer of a hash, and how many hashes are in it.
    fn drawer(&mut self, hash: i64) -> (&mut Vec<i64>, usize) {
        let drawer = self.0[place(hash)].open();
        let half = drawer.len() / 2;
        (drawer, half)
    }
}

fn place(hash: i64) -> usize {
    hash.rem_euclid(DRAWERS as i64) as usize
}

/// Equal for equal keys, today and always.
pub fn hashed(key: &Item) -> Result<i64> {
    match key {
        Item::Number(Number::Int(number)) => Ok(*number),
        Item::Text(text) => Ok(i64::from_be_bytes(Blake2b::<U8>::digest(text.as_bytes()).into())),
        _ => Err(Halt::Bad("a key of another kind")),
    }
}
