//! The event ids that a profile has seen: 8 bytes of BLAKE2b and the clock at its arrival in 6, oldest first.

use blake2::digest::Digest;
use blake2::digest::consts::U8;
use blake2::Blake2b;

use crate::halt::{Halt, Result};

const DIGEST: usize = 8;
const ENTRY: usize = 14;

pub fn digest(id: &str) -> [u8; DIGEST] {
    Blake2b::<U8>::digest(id.as_bytes()).into()
}

/// `seen` with the id in it, and without those beyond the limits; None if the id is known.
pub fn remember(seen: &[u8], id: &str, now_ms: i64, window_ms: i64, max_ids: usize) -> Result<Option<Vec<u8>>> {
    if seen.len() % ENTRY != 0 || max_ids == 0 {
        return Err(Halt::Bad("what it has seen is cut off"));
    }
    let digest = digest(id);
    let clock = now_ms.max(0).to_be_bytes();
    let mut start = 0;
    if now_ms >= window_ms {
        let horizon = now_ms.saturating_sub(window_ms).to_be_bytes();
        while start < seen.len() && seen[start + DIGEST..start + ENTRY] <= horizon[2..] {
            start += ENTRY;
        }
    }
    if seen[start..].chunks_exact(ENTRY).any(|entry| entry[..DIGEST] == digest) {
        return Ok(None);
    }
    if (seen.len() - start) / ENTRY >= max_ids {
        start = seen.len() - (max_ids - 1) * ENTRY;
    }
    let mut with_it = Vec::with_capacity(seen.len() - start + ENTRY);
    with_it.extend_from_slice(&seen[start..]);
    with_it.extend_from_slice(&digest);
    with_it.extend_from_slice(&clock[2..]);
    Ok(Some(with_it))
}
