//! Everything that a workspace's segments ask of one attribute, and the segments that a change may flip.

use std::sync::Arc;

use foldhash::HashMap;

use crate::asked::{Core, fold};
use crate::halt::Result;
use crate::profile::Slot;
use crate::question::{Question, Test};
use crate::reach::{Cuts, Reach};
use crate::value::{Bound, Key, Sort, Value};
use crate::window::FOREVER;

/// Equal questions are asked once; `clocks` are the places of those that are relative to now.
#[derive(Default)]
pub struct Watch {
    by_key: HashMap<Key<'static>, Reach>,
    by_folded: HashMap<Key<'static>, Reach>,
    caseless: Option<Arc<dyn Core>>,
    by_sort: Vec<(Sort, Reach)>,
    cuts: Vec<(Sort, Cuts)>,
    asked: Vec<(Question, Reach)>,
    places: HashMap<Vec<u8>, usize>,
    clocks: Vec<usize>,
}

impl Watch {
    /// `written`: the question as it is in the description.
    pub fn add(&mut self, question: Question, written: &[u8], position: u32, guard: Option<&[i64]>) {
        match &question.test {
            Test::OneOf { keys, sorts } => {
                let index = if question.caseless.is_some() { &mut self.by_folded } else { &mut self.by_key };
                for key in keys {
                    index.entry(key.clone()).or_default().add(position, guard);
                }
                if question.without != question.denied {
                    for sort in sorts {
                        of_sort(&mut self.by_sort, *sort).add(position, guard);
                    }
                }
                if question.caseless.is_some() {
                    self.caseless = question.caseless;
                }
            }
            Test::Ordered { op, low, high } if question.caseless.is_none() => {
                of_sort(&mut self.cuts, low.sort()).mark(*op, low, high, question.without, position, guard);
            }
            _ => {
                let place = *self.places.entry(written.to_vec()).or_insert_with(|| {
                    if matches!(question.test, Test::Clock(_)) {
                        self.clocks.push(self.asked.len());
                    }
                    self.asked.push((question, Reach::default()));
                    self.asked.len() - 1
                });
                self.asked[place].1.add(position, guard);
            }
        }
    }

    /// Adds the positions that going from `old` to `new` may flip.
    pub fn changed(&self, old: &Value, new: &Value, now_ms: i64, facts: &[Slot], into: &mut Vec<u32>) -> Result<()> {
        for value in [old, new] {
            if let Some(key) = value.key()? {
                if let Some(reach) = self.by_key.get(&key) {
                    reach.collect(facts, into);
                }
                if let Some(core) = &self.caseless {
                    let folded = if let Key::Text(text) = &key { Key::Text(fold(core.as_ref(), text)?) } else { key.clone() };
                    if let Some(reach) = self.by_folded.get(&folded) {
                        reach.collect(facts, into);
                    }
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
            if question.holds(old, now_ms)? != question.holds(new, now_ms)? {
                reach.collect(facts, into);
            }
        }
        Ok(())
    }

    /// The next instant after now at which the clock alone may change a condition on a value.
    pub fn due(&self, value: &Value, now_ms: i64) -> Result<Option<i64>> {
        let mut next: Option<i64> = None;
        for place in &self.clocks {
            if let (Test::Clock(core), Value::Str(_)) = (&self.asked[*place].0.test, value) {
                if let Some((start, end)) = core.span(value, now_ms)? {
                    next = next_move(next, start, end, now_ms);
                }
            }
        }
        Ok(next)
    }

    /// Adds the positions that the clock may flip.
    pub fn ticked(&self, facts: &[Slot], into: &mut Vec<u32>) {
        self.clocks.iter().for_each(|place| self.asked[*place].1.collect(facts, into));
    }
}

/// The earlier one of `next` and the first of a span's ends that is still to come.
pub fn next_move(next: Option<i64>, start: i64, end: i64, now_ms: i64) -> Option<i64> {
    let moves = [start, end].into_iter().filter(|at| start < end && now_ms < *at && *at < FOREVER);
    moves.chain(next).min()
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
