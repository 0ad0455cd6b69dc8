//! The segments that a change may flip, by their positions; and from a change of one value to them.

use crate::plan::make_room;
use crate::profile::Slot;
use crate::value::{Bound, Op};

/// `always`, or only for profiles that have a fact.
#[derive(Default)]
pub struct Reach {
    always: Vec<u32>,
    only: Vec<(i64, Vec<u32>)>,
}

impl Reach {
    pub fn add(&mut self, position: u32, guard: Option<&[i64]>) {
        let Some(guard) = guard else {
            put(&mut self.always, position);
            return;
        };
        for fact in guard {
            let at = self.only.partition_point(|each| each.0 < *fact);
            if self.only.get(at).is_none_or(|each| each.0 != *fact) {
                make_room(&mut self.only);
                self.only.insert(at, (*fact, Vec::new()));
            }
            put(&mut self.only[at].1, position);
        }
    }

    pub fn collect(&self, facts: &[Slot], into: &mut Vec<u32>) {
        into.extend_from_slice(&self.always);
        if self.only.is_empty() {
            return;
        }
        for slot in facts {
            if let Ok(at) = self.only.binary_search_by_key(&slot.fact, |each| each.0) {
                into.extend_from_slice(&self.only[at].1);
            }
        }
    }
}

fn put(positions: &mut Vec<u32>, position: u32) {
    if positions.last() != Some(&position) {
        make_room(positions);
        positions.push(position);
    }
}

/// The cuts just below (or just above) their bounds, ascending, and whom each one flips.
#[derive(Default)]
struct Marks(Vec<(Bound, Reach)>);

impl Marks {
    fn mark(&mut self, bound: &Bound, position: u32, guard: Option<&[i64]>) {
        let at = self.0.partition_point(|each| each.0.compare(bound).is_lt());
        if self.0.get(at).is_none_or(|each| each.0.compare(bound).is_ne()) {
            make_room(&mut self.0);
            self.0.insert(at, (bound.clone(), Reach::default()));
        }
        self.0[at].1.add(position, guard);
    }

    /// How many lie below a value; `with` those at it.
    fn upto(&self, value: &Bound, with: bool) -> usize {
        self.0.partition_point(|each| each.0.compare(value).is_lt() || (with && each.0.compare(value).is_eq()))
    }
}

/// Order conditions on values of one sort that agree with "missing" at the same infinity.
#[derive(Default)]
struct Line {
    below: Marks,
    above: Marks,
}

impl Line {
    fn crossed(&self, low: bool, old: Option<&Bound>, new: Option<&Bound>, facts: &[Slot], into: &mut Vec<u32>) {
        for (marks, with) in [(&self.below, true), (&self.above, false)] {
            let (first, end) = match (old, new) {
                (None, None) => continue,
                (Some(known), None) | (None, Some(known)) => {
                    let at = marks.upto(known, with);
                    if low { (0, at) } else { (at, marks.0.len()) }
                }
                (Some(old), Some(new)) => {
                    let (old, new) = (marks.upto(old, with), marks.upto(new, with));
                    (old.min(new), old.max(new))
                }
            };
            marks.0[first..end].iter().for_each(|each| each.1.collect(facts, into));
        }
    }
}

/// Order and equality conditions on one ordered value, such as a measure.
#[derive(Default)]
pub struct Cuts {
    high: Line,
    low: Line,
    unequal: Reach,
}

impl Cuts {
    pub fn mark(&mut self, op: Op, low: &Bound, high: &Bound, without: bool, position: u32, guard: Option<&[i64]>) {
        let is_low = matches!(op, Op::Lt | Op::Lte) == without;
        let line = if is_low { &mut self.low } else { &mut self.high };
        match op {
            Op::Gte | Op::Lt => line.below.mark(low, position, guard),
            Op::Gt | Op::Lte => line.above.mark(low, position, guard),
            Op::Eq | Op::Neq | Op::Between => {
                line.below.mark(low, position, guard);
                line.above.mark(high, position, guard);
            }
        }
        if if without { matches!(op, Op::Eq | Op::Between) } else { op == Op::Neq } {
            self.unequal.add(position, guard);
        }
    }

    /// Whether there is a value at all.
    pub fn mark_presence(&mut self, position: u32, guard: Option<&[i64]>) {
        self.unequal.add(position, guard);
    }

    /// Adds the positions that going from `old` to `new` may flip; None is a value that can't be compared.
    pub fn changed(&self, old: Option<&Bound>, new: Option<&Bound>, facts: &[Slot], into: &mut Vec<u32>) {
        self.high.crossed(false, old, new, facts, into);
        self.low.crossed(true, old, new, facts, into);
        if old.is_none() != new.is_none() {
            self.unequal.collect(facts, into);
        }
    }
}
