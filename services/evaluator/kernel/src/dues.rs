//! The due instants of a partition's profiles, the next ones: `commits/dues` natively, where the theory stands.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foldhash::{HashMap, HashMapExt, HashSet, HashSetExt};

use crate::cache::Key;

pub type Entry = (i64, Key);

/// A heap of more than `MANY`, and of more than this part of the run, becomes part of the run.
const MANY: usize = 2_000;
const SHARE: usize = 8;

/// `run` is sorted, the earliest last. An entry counts only while `current` has the same instant; `later` is the due
/// instant where that is later. What is due up to `horizon` is in memory; None: everything is.
pub struct Dues {
    kept: usize,
    run: Vec<Entry>,
    heap: BinaryHeap<Reverse<Entry>>,
    pub current: HashMap<Key, i64>,
    pub later: HashMap<Key, i64>,
    unwritten: HashMap<Key, Option<i64>>,
    taken: HashMap<Key, i64>,
    horizon: Option<Entry>,
}

impl Dues {
    pub fn new(kept: usize) -> Self {
        let horizon = Some((-(1 << 62), "".into()));
        Dues {
            kept,
            run: Vec::new(),
            heap: BinaryHeap::new(),
            current: HashMap::new(),
            later: HashMap::new(),
            unwritten: HashMap::new(),
            taken: HashMap::new(),
            horizon,
        }
    }

    /// The first dues of the store, in order; `complete` if there are no others.
    pub fn load(&mut self, entries: Vec<Entry>, complete: bool) {
        self.heap.clear();
        self.current = entries.iter().map(|(due, key)| (key.clone(), *due)).collect();
        self.horizon = if complete { None } else { entries.last().cloned() };
        self.run = entries;
        self.run.reverse();
        let unwritten: Vec<(Key, Option<i64>)> = self.unwritten.iter().map(|(key, due)| (key.clone(), *due)).collect();
        for (key, due_ms) in unwritten {
            self.current.remove(&key);
            if let Some(due) = due_ms {
                self.enter(&key, due);
            }
        }
        let current = &self.current;
        self.later.retain(|key, due| current.get(key).is_some_and(|bound| bound < due));
    }

    /// Whether everything due up to an instant is in memory.
    pub fn covers(&self, until_ms: i64) -> bool {
        self.horizon.as_ref().is_none_or(|horizon| horizon.0 > until_ms)
    }

    /// The due instant of a profile's new state. `was_ms`: the one before, if its entry hasn't come up.
    pub fn put(&mut self, key: &Key, due_ms: Option<i64>, was_ms: Option<i64>) {
        let Some(due) = due_ms else {
            self.current.remove(key);
            self.later.remove(key);
            self.unwritten.insert(key.clone(), None);
            return;
        };
        match self.current.get(key) {
            // its entry lies beyond the horizon
            None if was_ms.is_some_and(|was| was <= due) && !self.unwritten.contains_key(key) => {}
            Some(bound) if *bound == due => {
                self.later.remove(key);
            }
            Some(bound) if *bound < due => {
                self.later.insert(key.clone(), due);
            }
            _ => self.set(key, due),
        }
    }

    /// What was taken since the last `take_unwritten` is there again.
    pub fn put_back(&mut self) {
        for (key, due) in std::mem::take(&mut self.taken) {
            self.set(&key, due);
        }
    }

    /// A profile's due instant is again what it was before this commit.
    pub fn restore(&mut self, key: &Key, due_ms: Option<i64>) {
        match due_ms {
            Some(due) => self.set(key, due),
            None => self.put(key, None, None),
        }
    }

    /// What the store is to have instead of what it has; it counts as written now. Entries up to the clock that have
    /// moved are among it.
    pub fn take_unwritten(&mut self, clock_ms: i64) -> HashMap<Key, Option<i64>> {
        self.first_entry(clock_ms);
        self.taken.clear();
        std::mem::take(&mut self.unwritten)
    }

    /// The earliest due instant in memory; if it is later than `until_ms`, it may be later still.
    pub fn next(&mut self, until_ms: i64) -> Option<i64> {
        self.first_entry(until_ms).map(|(due, _)| due.0)
    }

    /// Takes the first due up to an instant out.
    pub fn pop(&mut self, until_ms: i64) -> Option<Entry> {
        let (entry, in_run) = self.first_entry(until_ms)?;
        if entry.0 > until_ms {
            return None;
        }
        let entry = if in_run { self.run.pop() } else { self.heap.pop().map(|entry| entry.0) }?;
        self.current.remove(&entry.1);
        self.unwritten.insert(entry.1.clone(), None);
        self.taken.entry(entry.1.clone()).or_insert(entry.0);
        Some(entry)
    }

    /// The first dues up to an instant, in order; they stay.
    pub fn first(&mut self, until_ms: i64, limit: usize) -> Vec<Entry> {
        loop {
            if self.heap.peek().is_some_and(|entry| entry.0.0 <= until_ms) {
                self.merge();
            }
            let (mut found, mut moved): (Vec<Entry>, Vec<Key>) = (Vec::new(), Vec::new());
            for entry in self.run.iter().rev() {
                if entry.0 > until_ms || found.len() == limit {
                    break;
                }
                if self.counts(entry) && found.last() != Some(entry) {
                    if self.later.contains_key(&entry.1) {
                        moved.push(entry.1.clone());
                    } else {
                        found.push(entry.clone());
                    }
                }
            }
            if moved.is_empty() {
                return found;
            }
            for key in moved {
                if let Some(due) = self.later.get(&key).copied() {
                    self.set(&key, due);
                }
            }
        }
    }

    /// The keys of at most `limit` profiles with a due time up to an instant, in no order; they stay.
    pub fn keys(&self, until_ms: i64, limit: usize) -> Vec<Key> {
        let mut found = HashSet::new();
        for entry in self.run.iter().rev() {
            if entry.0 > until_ms || found.len() == limit {
                break;
            }
            if self.is_due(entry, until_ms) {
                found.insert(entry.1.clone());
            }
        }
        let (heap, mut places) = (self.heap.as_slice(), vec![0]);
        while let Some(place) = places.pop().filter(|_| found.len() < limit) {
            let Some(Reverse(entry)) = heap.get(place).filter(|entry| entry.0.0 <= until_ms) else { continue };
            if self.is_due(entry, until_ms) {
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
        let current = &self.current;
        self.later.retain(|key, _| current.contains_key(key));
    }

    /// Its entry is at its due instant, here and in the store.
    fn set(&mut self, key: &Key, due: i64) {
        self.later.remove(key);
        self.current.remove(key);
        self.unwritten.insert(key.clone(), Some(due));
        self.enter(key, due);
        if self.heap.len() > MANY && SHARE * self.heap.len() > self.run.len() {
            self.merge();
        }
    }

    fn enter(&mut self, key: &Key, due: i64) {
        if self.horizon.as_ref().is_none_or(|end| (due, key) <= (end.0, &end.1)) {
            self.current.insert(key.clone(), due);
            self.heap.push(Reverse((due, key.clone())));
        }
    }

    fn is_due(&self, entry: &Entry, until_ms: i64) -> bool {
        self.counts(entry) && self.later.get(&entry.1).is_none_or(|due| *due <= until_ms)
    }

    fn counts(&self, entry: &Entry) -> bool {
        self.current.get(&entry.1) == Some(&entry.0)
    }

    fn merge(&mut self) {
        self.run.extend(self.heap.drain().map(|entry| entry.0));
        self.run.sort_unstable_by(|one, other| other.cmp(one));
    }

    /// The earliest entry that counts, and whether it is of the run; those before it that don't count are dropped. What
    /// has moved is moved, up to `until_ms`.
    fn first_entry(&mut self, until_ms: i64) -> Option<(&Entry, bool)> {
        loop {
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
            let entry = if in_run { self.run.last() } else { self.heap.peek().map(|entry| &entry.0) }?;
            match self.later.get(&entry.1).copied().filter(|_| entry.0 <= until_ms) {
                Some(due) => {
                    let key = entry.1.clone();
                    self.set(&key, due);
                }
                None if in_run => return self.run.last().map(|entry| (entry, true)),
                None => return self.heap.peek().map(|entry| (&entry.0, false)),
            }
        }
    }
}
