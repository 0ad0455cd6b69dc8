//! From an event to the facts that it feeds: by name, then by a hashed equality, then by testing the filters.

use std::collections::{HashMap, HashSet};

use crate::event::{Event, Filter};
use crate::halt::Result;
use crate::value::{Key, Test, flat, walk};

/// What a fact asks of an event. `simple`: an equality is its only filter, so whatever its hash leads here passes.
pub struct Wants {
    pub filters: Vec<Filter>,
}

impl Wants {
    fn handle(&self, most: impl Fn(&[String]) -> usize) -> Option<&Filter> {
        self.filters.iter().filter(|filter| filter.is_handle()).max_by_key(|filter| most(&filter.path))
    }

    fn is_simple(&self) -> bool {
        self.filters.len() == 1
    }

    fn accepts(&self, event: &Event) -> Result<bool> {
        for filter in &self.filters {
            if !filter.holds(&event.properties)? {
                return Ok(false);
            }
        }
        Ok(true)
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

fn keys_of(filter: &Filter) -> impl Iterator<Item = &Key<'static>> {
    let keys = if let Test::OneOf { keys, .. } = &filter.question.test { Some(keys) } else { None };
    keys.into_iter().flatten()
}

impl Feeds {
    /// Of a fact's equalities the one on the path with the most different operands is hashed.
    pub fn of(facts: &[(usize, &Wants)]) -> Feeds {
        let mut variety: HashMap<&[String], HashSet<&Key>> = HashMap::new();
        for (_, wants) in facts {
            for filter in wants.filters.iter().filter(|filter| filter.is_handle()) {
                variety.entry(&filter.path).or_default().extend(keys_of(filter));
            }
        }
        let mut feeds = Feeds::default();
        for (fact, wants) in facts {
            let Some(handle) = wants.handle(|path| variety.get(path).map_or(0, HashSet::len)) else {
                (if wants.filters.is_empty() { &mut feeds.always } else { &mut feeds.asked }).push(*fact);
                continue;
            };
            let at = feeds.hashed.iter().position(|each| each.0 == handle.path).unwrap_or_else(|| {
                feeds.hashed.push((handle.path.clone(), HashMap::new()));
                feeds.hashed.len() - 1
            });
            for key in keys_of(handle) {
                let entry = Entry { fact: *fact, tested: !wants.is_simple() };
                feeds.hashed[at].1.entry(key.clone()).or_default().push(entry);
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
