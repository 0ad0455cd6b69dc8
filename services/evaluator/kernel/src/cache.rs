//! The stored states that an owner remembers, bounded in bytes: `commits/cache` natively.
//!
//! Two generations: an entry that is used moves to the young one; when that has half the bytes it becomes the old
//! one, and what was still in the old one is forgotten.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt};

/// `WORKSPACE NUL PROFILE`.
pub type Key = Arc<str>;

/// About what an entry takes beside its state.
const ENTRY_BYTES: usize = 200;

/// Key → a profile's state, empty of one never stored.
pub struct Cache {
    half: usize,
    young: HashMap<Key, Box<[u8]>>,
    old: HashMap<Key, Box<[u8]>>,
    young_bytes: usize,
}

impl Cache {
    pub fn new(limit_bytes: usize) -> Self {
        Cache { half: limit_bytes / 2, young: HashMap::new(), old: HashMap::new(), young_bytes: 0 }
    }

    /// Whether entries have become old.
    pub fn aged(&self) -> bool {
        !self.old.is_empty()
    }

    /// A state; its entry moves to the young generation.
    pub fn get(&mut self, key: &str) -> Option<&[u8]> {
        if self.holds(key) { self.young.get(key).map(|state| &**state) } else { None }
    }

    /// Whether there is a state; its entry moves to the young generation.
    pub fn holds(&mut self, key: &str) -> bool {
        if self.young.contains_key(key) {
            return true;
        }
        let Some((key, state)) = self.old.remove_entry(key) else { return false };
        self.put(key, state);
        true
    }

    /// A state; its entry stays where it is.
    pub fn look(&self, key: &str) -> Option<&[u8]> {
        self.young.get(key).or_else(|| self.old.get(key)).map(|state| &**state)
    }

    pub fn put(&mut self, key: Key, state: Box<[u8]>) {
        self.young_bytes += state.len();
        match self.young.insert(key, state) {
            Some(before) => self.young_bytes -= before.len(),
            None => self.young_bytes += ENTRY_BYTES,
        }
    }

    /// Only between steps: whoever holds a key that was not missing may count on it till then.
    pub fn trim(&mut self) {
        if self.young_bytes > self.half {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}
