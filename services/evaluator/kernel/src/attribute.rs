//! Everything that a workspace's segments ask of one attribute, and the segments that a change may flip.

use std::collections::HashMap;

use crate::halt::Result;
use crate::profile::Slot;
use crate::reach::{Cuts, Reach};
use crate::value::{Bound, Key, Question, Sort, Test, Value};

#[derive(Default)]
pub struct Watch {
    by_key: HashMap<Key<'static>, Reach>,
    by_sort: Vec<(Sort, Reach)>,
    cuts: Vec<(Sort, Cuts)>,
    asked: Vec<(Question, Reach)>,
}

impl Watch {
    pub fn add(&mut self, question: Question, position: u32, guard: Option<&[i64]>) {
        match &question.test {
            Test::OneOf { keys, sorts } => {
                for key in keys {
                    self.by_key.entry(key.clone()).or_default().add(position, guard);
                }
                if question.without != question.denied {
                    for sort in sorts {
                        of_sort(&mut self.by_sort, *sort).add(position, guard);
                    }
                }
            }
            Test::Ordered { op, low, high } => {
                of_sort(&mut self.cuts, low.sort()).mark(*op, low, high, question.without, position, guard);
            }
            _ => {
                let mut reach = Reach::default();
                reach.add(position, guard);
                self.asked.push((question, reach));
            }
        }
    }

    /// Adds the positions that going from `old` to `new` may flip.
    pub fn changed(&self, old: &Value, new: &Value, facts: &[Slot], into: &mut Vec<u32>) -> Result<()> {
        for value in [old, new] {
            if let Some(key) = value.key()? {
                if let Some(reach) = self.by_key.get(&key) {
                    reach.collect(facts, into);
                }
            }
            if old.sort() != new.sort() {
                for (sort, reach) in &self.by_sort {
                    if *sort == value.sort() {
                        reach.collect(facts, into);
                    }
                }
            }
        }
        for (sort, cuts) in &self.cuts {
            let (before, after) = (of_its(*sort, old)?, of_its(*sort, new)?);
            if before.is_some() || after.is_some() {
                cuts.changed(before.as_ref(), after.as_ref(), facts, into);
            }
        }
        for (question, reach) in &self.asked {
            if question.holds(old)? != question.holds(new)? {
                reach.collect(facts, into);
            }
        }
        Ok(())
    }
}

fn of_its(sort: Sort, value: &Value) -> Result<Option<Bound>> {
    if value.sort() == sort { Bound::of(value) } else { Ok(None) }
}

fn of_sort<T: Default>(found: &mut Vec<(Sort, T)>, sort: Sort) -> &mut T {
    let at = found.iter().position(|each| each.0 == sort).unwrap_or_else(|| {
        found.push((sort, T::default()));
        found.len() - 1
    });
    &mut found[at].1
}
