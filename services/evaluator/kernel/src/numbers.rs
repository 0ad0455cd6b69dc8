//! Numbers of a state, 8 bytes each, that stay bytes until they are changed.

use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};

const CUT_OFF: Halt = Halt::Bad("numbers that are cut off");

/// Numbers of 8 bytes, little-endian, that stay as they are until they are changed.
pub enum Numbers<'a> {
    Stored(&'a [u8]),
    Open(Vec<i64>),
}

impl<'a> Numbers<'a> {
    pub fn read(from: &mut Reader<'a>) -> Result<Self> {
        let stored = from.bin()?;
        if stored.len() % 8 == 0 { Ok(Numbers::Stored(stored)) } else { Err(CUT_OFF) }
    }

    pub fn len(&self) -> usize {
        match self {
            Numbers::Stored(stored) => stored.len() / 8,
            Numbers::Open(numbers) => numbers.len(),
        }
    }

    pub fn get(&self, at: usize) -> Result<i64> {
        match self {
            Numbers::Stored(stored) => {
                let bytes = stored.get(8 * at..8 * at + 8).ok_or(CUT_OFF)?;
                Ok(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) as i64)
            }
            Numbers::Open(numbers) => numbers.get(at).copied().ok_or(CUT_OFF),
        }
    }

    pub fn size(&self, at: usize) -> Result<usize> {
        usize::try_from(self.get(at)?).map_err(|_| CUT_OFF)
    }

    pub fn sum(&self, mut range: std::ops::Range<usize>) -> Result<usize> {
        range.try_fold(0_usize, |sum, at| Ok(sum.saturating_add(self.size(at)?)))
    }

    pub fn splice(&mut self, range: std::ops::Range<usize>, new: Vec<i64>) -> Result<()> {
        if range.end > self.len() {
            return Err(CUT_OFF);
        }
        let mut numbers = match std::mem::replace(self, Numbers::Open(Vec::new())) {
            Numbers::Open(numbers) => numbers,
            stored => (0..stored.len()).map(|at| stored.get(at)).collect::<Result<_>>()?,
        };
        numbers.splice(range, new);
        *self = Numbers::Open(numbers);
        Ok(())
    }

    /// How many lie below a number, of ascending ones; `with` those that are it.
    pub fn below(&self, number: i64, with: bool) -> Result<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            let found = self.get(middle)?;
            if found < number || (with && found == number) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Numbers::Stored(stored) => msgpack::put_bin(out, stored),
            Numbers::Open(numbers) => {
                let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
                msgpack::put_bin(out, &bytes);
            }
        }
    }
}
