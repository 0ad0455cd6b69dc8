//! A fact in a plan: how it is kept, and whom a change of its value concerns.

use std::sync::Arc;

use crate::amount::Amount;
use crate::asked::Core;
use crate::attribute::next_move;
use crate::computed::span;
use crate::fact::{Kind, State};
use crate::feed::Wants;
use crate::halt::Result;
use crate::profile::Slot;
use crate::reach::{Cuts, Reach};

/// Whom a change of a fact's value concerns.
pub enum Concerned {
    /// Whole numbers: each edge between two of them has its segments.
    Counted { edges: Vec<i64>, reaches: Vec<Reach> },
    Measured(Cuts),
    /// Values and dates: all who ask; and the clock alone may flip those whose conditions are relative to now.
    Valued { reach: Reach, clocks: Vec<Clock> },
    All(Reach),
}

/// Conditions that the core's function says the moments of; `number` is its own in the description.
pub struct Clock {
    pub number: i64,
    pub core: Arc<dyn Core>,
    pub reach: Reach,
}

pub struct Track {
    pub id: i64,
    pub kind: Kind,
    pub owner: Option<String>,
    pub concerned: Concerned,
    pub wants: Wants,
    /// Of a sequence the facts of its later steps; of such a fact the sequences that follow it.
    pub trails: Vec<usize>,
    pub followers: Vec<usize>,
}

impl Track {
    pub fn is_linked(&self) -> bool {
        matches!(self.kind, Kind::Trail(_) | Kind::Absent(_) | Kind::Present(_))
    }

    pub fn edges(&self) -> &[i64] {
        if let Concerned::Counted { edges, .. } = &self.concerned { edges } else { &[] }
    }

    /// The next instant at which the clock alone may change what a condition sees.
    pub fn next_ms(&self, state: &mut State, now_ms: i64) -> Result<Option<i64>> {
        let mut next = self.kind.next_ms(state, now_ms, self.edges())?;
        if let Concerned::Valued { clocks, .. } = &self.concerned {
            if !clocks.is_empty() {
                let amount = self.kind.value(Some(state), now_ms)?;
                for clock in clocks {
                    if let Some((start, end)) = span(clock.core.as_ref(), &amount, now_ms)? {
                        next = next_move(next, start, end, now_ms);
                    }
                }
            }
        }
        Ok(next)
    }

    /// Adds the positions that the clock alone may flip, though the value stays as it is.
    pub fn ticked(&self, facts: &[Slot], into: &mut Vec<u32>) {
        if let Concerned::Valued { clocks, .. } = &self.concerned {
            clocks.iter().for_each(|clock| clock.reach.collect(facts, into));
        }
    }

    /// Adds the positions that going from `old` to `new` (they differ) may flip.
    pub fn changed(&self, old: &Amount, new: &Amount, facts: &[Slot], into: &mut Vec<u32>) {
        match (&self.concerned, old, new) {
            (Concerned::Counted { edges, reaches }, Amount::Whole(old), Amount::Whole(new)) => {
                let (low, high) = (old.min(new), old.max(new));
                let (first, end) = (edges.partition_point(|edge| edge <= low), edges.partition_point(|edge| edge <= high));
                reaches[first..end].iter().for_each(|reach| reach.collect(facts, into));
            }
            (Concerned::Measured(cuts), ..) => {
                cuts.changed(old.bound().as_ref(), new.bound().as_ref(), facts, into);
            }
            (Concerned::Valued { reach, .. }, ..) => reach.collect(facts, into),
            (Concerned::All(reach), ..) => reach.collect(facts, into),
            _ => {}
        }
    }
}
