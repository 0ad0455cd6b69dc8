//! The numbers of profiles, and which sets of members are bits: `commits/sets` natively, which explains both.

use std::collections::{HashMap, HashSet};

use crate::cache::Key;
use crate::ledger::split;

/// `dense`: workspace → the segments that are strings of bits. `new`: the numbers that were given in the commit in
/// the making.
#[derive(Default)]
pub struct Sets {
    last: HashMap<String, i64>,
    dense: HashMap<String, HashSet<String>>,
    pub new: Vec<(Key, i64)>,
}

impl Sets {
    /// The next number of a workspace.
    pub fn number(&mut self, workspace: &str) -> i64 {
        match self.last.get_mut(workspace) {
            Some(last) => {
                *last += 1;
                *last
            }
            None => {
                self.last.insert(workspace.to_owned(), 1);
                1
            }
        }
    }

    /// Gives a profile the next number of its workspace.
    pub fn give(&mut self, key: &Key) {
        let number = self.number(split(key).0);
        self.new.push((key.clone(), number));
    }

    pub fn last(&self, workspace: &str) -> i64 {
        self.last.get(workspace).copied().unwrap_or(0)
    }

    pub fn set_last(&mut self, workspace: &str, number: i64) {
        self.last.insert(workspace.to_owned(), number);
    }

    pub fn set_dense(&mut self, workspace: &str, segment: &str, dense: bool) {
        let segments = self.dense.entry(workspace.to_owned()).or_default();
        if dense {
            segments.insert(segment.to_owned());
        } else {
            segments.remove(segment);
        }
    }

    pub fn is_dense(&self, workspace: &str, segment: &str) -> bool {
        self.dense.get(workspace).is_some_and(|segments| segments.contains(segment))
    }
}
