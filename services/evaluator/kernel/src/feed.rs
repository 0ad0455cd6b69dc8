//! From an event to the facts that it feeds: by name, then by a hashed equality, then by testing the filters.

use foldhash::{HashMap, HashMapExt, HashSet};

use crate::event::Event;
use crate::filter::{Filter, Handle, hold};
use crate::halt::Result;
use crate::value::{Key, flat, walk};

/// What a fact asks of an event.
pub struct Wants {
    pub filters: Vec<Filter>,
}

impl Wants {
    fn handles(&self) -> Vec<Handle<'_>> {
        let mut found = Vec::new();
        self.filters.iter().for_each(|filter| filter.handles(&[], &mut found));
        found
    }

    /// An equality is its only filter, so whatever its hash leads here passes.
    fn is_simple(&self) -> bool {
        matches!(self.filters.as_slice(), [Filter::Asks { .. }])
    }

    fn accepts(&self, event: &Event) -> Result<bool> {
        hold(&self.filters, &event.properties, event.time_ms)
    }
}

struct Entry {
    fact: usize,
    tested: bool,
}

/// The facts fed by events of one name.
#[derive(Default)]
pub struct Feeds {
    always: Vec<usize>,
    asked: Vec<usize>,
    hashed: Vec<(Vec<String>, HashMap<Key<'static>, Vec<Entry>>)>,
}

impl Feeds {
    /// Of a fact's equalities the one on the path with the most different operands is hashed.
    pub fn of(facts: &[(usize, &Wants)]) -> Feeds {
        let handles: Vec<Vec<Handle>> = facts.iter().map(|(_, wants)| wants.handles()).collect();
        let mut variety: HashMap<&[String], HashSet<&Key>> = HashMap::new();
        for handle in handles.iter().flatten() {
            variety.entry(&handle.path).or_default().extend(handle.keys);
        }
        let mut feeds = Feeds::default();
        for ((fact, wants), handles) in facts.iter().zip(&handles) {
            let Some(handle) = handles.iter().max_by_key(|handle| variety.get(handle.path.as_slice()).map_or(0, HashSet::len)) else {
                (if wants.filters.is_empty() { &mut feeds.always } else { &mut feeds.asked }).push(*fact);
                continue;
            };
            let at = feeds.hashed.iter().position(|each| each.0 == handle.path).unwrap_or_else(|| {
                feeds.hashed.push((handle.path.clone(), HashMap::new()));
                feeds.hashed.len() - 1
            });
            for key in handle.keys {
                let entry = Entry { fact: *fact, tested: !wants.is_simple() };
                feeds.hashed[at].1.entry(key.clone()).or_insert_with(|| Vec::with_capacity(1)).push(entry);
            }
        }
        feeds
    }

    /// The facts that an event feeds, each once.
    pub fn fed<'w>(&self, event: &Event, wants: impl Fn(usize) -> &'w Wants) -> Result<Vec<usize>> {
        let mut found = self.always.clone();
        for fact in &self.asked {
            if wants(*fact).accepts(event)? {
                found.push(*fact);
            }
        }
        for (path, by_key) in &self.hashed {
            let start = found.len();
            let mut keys = Vec::new();
            for value in walk(path, &event.properties) {
                flat(value, &mut |item| keys.push(item.key()));
            }
            for key in keys {
                let Some(key) = key? else { continue };
                for entry in by_key.get(&key).into_iter().flatten() {
                    if !found[start..].contains(&entry.fact) && (!entry.tested || wants(entry.fact).accepts(event)?) {
                        found.push(entry.fact);
                    }
                }
            }
        }
        Ok(found)
    }
}
