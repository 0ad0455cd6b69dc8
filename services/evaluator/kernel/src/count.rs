//! Counts over a sliding window: the `depth` largest leaves, ascending.

use crate::fact::edge_below;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};

/// From this many leaves on they are kept, and stored, as one block of 8 bytes each.
const PACKED: usize = 64;

pub struct Leaves {
    packed: bool,
    leaves: Vec<i64>,
}

impl Leaves {
    pub fn empty() -> Self {
        Leaves { packed: false, leaves: Vec::new() }
    }

    pub fn decode(from: &mut Reader, depth: usize) -> Result<Self> {
        if depth > PACKED && from.is_bin() {
            let block = from.bin()?.chunks_exact(8);
            if !block.remainder().is_empty() {
                return Err(Halt::Bad("leaves that are cut off"));
            }
            let leaves = block.map(|each| each.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) as i64);
            return Ok(Leaves { packed: true, leaves: leaves.collect() });
        }
        let count = from.array()?;
        let mut leaves = Vec::with_capacity(from.room(count) + 1);
        for _ in 0..count {
            leaves.push(from.int()?);
        }
        Ok(Leaves { packed: false, leaves })
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.packed {
            let block: Vec<u8> = self.leaves.iter().flat_map(|leave| leave.to_le_bytes()).collect();
            msgpack::put_bin(out, &block);
            return;
        }
        msgpack::put_array(out, self.leaves.len());
        self.leaves.iter().for_each(|leave| msgpack::put_int(out, *leave));
    }

    /// How many there are before and after an event that leaves at `leave`.
    pub fn added(&mut self, leave: i64, now_ms: i64, depth: usize) -> (i64, i64) {
        let gone = self.leaves.partition_point(|each| *each <= now_ms);
        self.leaves.drain(..gone);
        let old = self.leaves.len();
        if leave > now_ms {
            let at = self.leaves.partition_point(|each| *each <= leave);
            self.leaves.insert(at, leave);
            if old >= depth {
                self.leaves.remove(0);
            } else if old + 1 == PACKED {
                self.packed = true;
            }
        }
        (old as i64, self.leaves.len() as i64)
    }

    pub fn value(&self, now_ms: i64) -> i64 {
        (self.leaves.len() - self.leaves.partition_point(|each| *each <= now_ms)) as i64
    }

    pub fn next_ms(&self, now_ms: i64, edges: &[i64]) -> Option<i64> {
        let edge = edge_below(edges, self.value(now_ms))?;
        self.leaves.get(self.leaves.len().checked_sub(edge)?).copied()
    }
}
