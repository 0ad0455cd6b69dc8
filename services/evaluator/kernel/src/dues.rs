//! The due instants of a partition's profiles, the next ones: `commits/dues` natively, where the theory stands.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use crate::cache::Key;

pub type Entry = (i64, Key);

/// A heap of more than `MANY`, and of more than this part of the run, becomes part of the run.
const MANY: usize = 2_000;
const SHARE: usize = 8;

/// `run` is sorted, the earliest last. An entry counts only while `current` has the same instant. What is due up to
/// `horizon` is in memory; None: everything is.
pub struct Dues {
    kept: usize,
    run: Vec<Entry>,
    heap: BinaryHeap<Reverse<Entry>>,
    pub current: HashMap<Key, i64>,
    horizon: Option<Entry>,
}

impl Dues {
    pub fn new(kept: usize) -> Self {
        let horizon = Some((-(1 << 62), "".into()));
        Dues { kept, run: Vec::new(), heap: BinaryHeap::new(), current: HashMap::new(), horizon }
    }

    /// The first dues of the store, in order; `complete` if there are no others.
    pub fn load(&mut self, entries: Vec<Entry>, complete: bool) {
        self.heap.clear();
        self.current = entries.iter().map(|(due, key)| (key.clone(), *due)).collect();
        self.horizon = if complete { None } else { entries.last().cloned() };
        self.run = entries;
        self.run.reverse();
    }

    /// Whether everything due up to an instant is in memory.
    pub fn covers(&self, until_ms: i64) -> bool {
        self.horizon.as_ref().is_none_or(|horizon| horizon.0 > until_ms)
    }

    pub fn put(&mut self, key: &Key, due_ms: Option<i64>) {
        let beyond = |due: i64| self.horizon.as_ref().is_some_and(|end| (due, key) > (end.0, &end.1));
        let Some(due) = due_ms.filter(|due| !beyond(*due)) else {
            self.current.remove(key);
            return;
        };
        self.current.insert(key.clone(), due);
        self.heap.push(Reverse((due, key.clone())));
        if self.heap.len() > MANY && SHARE * self.heap.len() > self.run.len() {
            self.merge();
        }
    }

    /// The earliest instant in memory.
    pub fn next(&mut self) -> Option<i64> {
        self.first_entry().map(|(due, _)| due.0)
    }

    /// Takes the first due up to an instant out.
    pub fn pop(&mut self, until_ms: i64) -> Option<Entry> {
        let (entry, in_run) = self.first_entry()?;
        if entry.0 > until_ms {
            return None;
        }
        let entry = if in_run { self.run.pop() } else { self.heap.pop().map(|entry| entry.0) }?;
        self.current.remove(&entry.1);
        Some(entry)
    }

    /// The first dues up to an instant, in order; they stay.
    pub fn first(&mut self, until_ms: i64, limit: usize) -> Vec<Entry> {
        if self.heap.peek().is_some_and(|entry| entry.0.0 <= until_ms) {
            self.merge();
        }
        let mut found: Vec<Entry> = Vec::new();
        for entry in self.run.iter().rev() {
            if entry.0 > until_ms || found.len() == limit {
                break;
            }
            if self.counts(entry) && found.last() != Some(entry) {
                found.push(entry.clone());
            }
        }
        found
    }

    /// The keys of at most `limit` profiles with a due time up to an instant, in no order; they stay.
    pub fn keys(&self, until_ms: i64, limit: usize) -> Vec<Key> {
        let mut found = HashSet::new();
        for entry in self.run.iter().rev() {
            if entry.0 > until_ms || found.len() == limit {
                break;
            }
            if self.counts(entry) {
                found.insert(entry.1.clone());
            }
        }
        let (heap, mut places) = (self.heap.as_slice(), vec![0]);
        while let Some(place) = places.pop().filter(|_| found.len() < limit) {
            let Some(Reverse(entry)) = heap.get(place).filter(|entry| entry.0.0 <= until_ms) else { continue };
            if self.counts(entry) {
                found.insert(entry.1.clone());
            }
            places.extend([2 * place + 1, 2 * place + 2]);
        }
        found.into_iter().collect()
    }

    /// If there are far too many: forgets all but the first `kept`, and the entries that no longer count.
    pub fn trim(&mut self) {
        if self.current.len() <= 2 * self.kept && self.run.len() + self.heap.len() <= 4 * self.kept {
            return;
        }
        let mut all: Vec<Entry> = self.current.iter().map(|(key, due)| (*due, key.clone())).collect();
        all.sort_unstable();
        if all.len() > self.kept {
            all.truncate(self.kept);
            self.horizon = all.last().cloned();
        }
        self.current = all.iter().map(|(due, key)| (key.clone(), *due)).collect();
        self.heap.clear();
        all.reverse();
        self.run = all;
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.current.get(&entry.1) == Some(&entry.0)
    }

    fn merge(&mut self) {
        self.run.extend(self.heap.drain().map(|entry| entry.0));
        self.run.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The earliest entry that counts, and whether it is of the run; those before it that don't count are dropped.
    fn first_entry(&mut self) -> Option<(&Entry, bool)> {
        while self.run.last().is_some_and(|entry| !self.counts(entry)) {
            self.run.pop();
        }
        while self.heap.peek().is_some_and(|entry| !self.counts(&entry.0)) {
            self.heap.pop();
        }
        let in_run = match (self.run.last(), self.heap.peek()) {
            (Some(one), Some(Reverse(other))) => one <= other,
            (one, _) => one.is_some(),
        };
        if in_run { self.run.last().map(|entry| (entry, true)) } else { self.heap.peek().map(|entry| (&entry.0, false)) }
    }
}
