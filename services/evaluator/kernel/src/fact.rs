//! The kinds of facts: take an event, give the value, and say when the clock may change it.

use crate::absent::{Absent, Awaited};
use crate::amount::Amount;
use crate::bag::{Bagged, Inside, order, place};
use crate::chunks::Chunks;
use crate::entries::LISTED;
use crate::chain::{Begun, Present};
use crate::count::Leaves;
use crate::event::Event;
use crate::filter::{Filter, hold};
use crate::fold::{Item, Of, Payload, merged, nothing};
use crate::halt::{Halt, Result};
use crate::hashes::hashed;
use crate::mode::Tally;
use crate::msgpack::{self, Reader};
use crate::same::{Apart, Same};
use crate::trail::{Stamps, Trail};
use crate::window::{FOREVER, Frame, Shift};

/// A fact's state: still encoded, or since it was first asked for as its kind keeps it.
pub enum State<'a> {
    Raw(&'a [u8]),
    Whole(i64),
    Leaves(Leaves),
    Bag(Bagged<'a>),
    Keys(Vec<Item<'a>>),
    /// Many keys, by their hashes.
    Hashed(Chunks<'a, Inside<'a>>),
    Total(Item<'a>),
    Tally(Tally<'a>),
    Found { time_ms: i64, id: std::borrow::Cow<'a, str>, enter: i64, leave: i64 },
    Stamps(Stamps<'a>),
    Awaited(Awaited<'a>),
    Begun(Begun<'a>),
    Apart(Apart<'a>),
}

/// `Ever` is any measure but a count over an absolute window.
pub enum Kind {
    CountEver { from: i64, to: i64 },
    Count { leave: Shift, depth: usize },
    Bag { of: Of, frame: Frame, depth: usize, payload: Payload },
    Ever { of: Of, from: i64, to: i64, depth: usize, payload: Payload },
    Occurrence { frame: Frame, last: bool, has: Vec<Filter> },
    Trail(Trail),
    Same(Same),
    Absent(Absent),
    Present(Present),
}

const OTHER: Halt = Halt::Bad("a state of another kind");

/// The highest edge that `count` has reached: falling below it is the next thing that matters.
pub fn edge_below(edges: &[i64], count: i64) -> Option<usize> {
    let at = edges.partition_point(|edge| *edge <= count);
    usize::try_from(*edges.get(at.checked_sub(1)?)?).ok()
}

impl State<'_> {
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            State::Raw(raw) => out.extend_from_slice(raw),
            State::Whole(count) => msgpack::put_int(out, *count),
            State::Leaves(leaves) => leaves.encode(out),
            State::Bag(bagged) => bagged.encode(out),
            State::Keys(keys) => {
                msgpack::put_array(out, keys.len());
                keys.iter().for_each(|key| key.encode(out));
            }
            State::Hashed(keys) => keys.encode(out),
            State::Total(total) => total.encode(out),
            State::Tally(tally) => tally.encode(out),
            State::Found { time_ms, id, enter, leave } => {
                msgpack::put_array(out, 4);
                msgpack::put_int(out, *time_ms);
                msgpack::put_str(out, id);
                msgpack::put_int(out, *enter);
                msgpack::put_int(out, *leave);
            }
            State::Stamps(stamps) => stamps.encode(out),
            State::Awaited(awaited) => awaited.encode(out),
            State::Begun(begun) => begun.encode(out),
            State::Apart(apart) => apart.encode(out),
        }
    }
}

impl Kind {
    pub fn open<'a>(&self, state: State<'a>) -> Result<State<'a>> {
        let State::Raw(raw) = state else { return Ok(state) };
        let from = &mut Reader::new(raw);
        let opened = match self {
            Kind::CountEver { .. } => State::Whole(from.int()?),
            Kind::Count { depth, .. } => State::Leaves(Leaves::decode(from, *depth)?),
            Kind::Bag { of, .. } => State::Bag(Bagged::decode(from, *of)?),
            Kind::Ever { of: Of::Keys, .. } => {
                if from.is_array() {
                    State::Keys((0..from.array()?).map(|_| Item::decode(from, Of::Keys)).collect::<Result<_>>()?)
                } else {
                    State::Hashed(Chunks::decode(from, Of::Keys)?)
                }
            }
            Kind::Ever { of: Of::Mode, .. } => State::Tally(Tally::decode(from)?),
            Kind::Ever { of, .. } => State::Total(Item::decode(from, *of)?),
            Kind::Occurrence { .. } => {
                from.array_of(4)?;
                State::Found { time_ms: from.int()?, id: from.str()?.into(), enter: from.int()?, leave: from.int()? }
            }
            Kind::Trail(_) => State::Stamps(Stamps::decode(from, ())?),
            Kind::Absent(_) => State::Awaited(Awaited::decode(from)?),
            Kind::Present(_) => State::Begun(Begun::decode(from)?),
            Kind::Same(same) => State::Apart(same.decode(from)?),
        };
        if from.done() { Ok(opened) } else { Err(OTHER) }
    }

    /// Of a state that is open; None is a fact without events.
    pub fn value(&self, state: Option<&mut State>, now_ms: i64) -> Result<Amount> {
        Ok(match (self, state) {
            (Kind::Bag { of, .. } | Kind::Ever { of, .. }, None) => nothing(*of),
            (Kind::CountEver { .. } | Kind::Count { .. }, None) => Amount::Whole(0),
            (_, None) => Amount::Truth(false),
            (Kind::CountEver { .. }, Some(State::Whole(count))) => Amount::Whole(*count),
            (Kind::Count { .. }, Some(State::Leaves(leaves))) => Amount::Whole(leaves.value(now_ms)),
            (Kind::Bag { of, depth, .. }, Some(State::Bag(bagged))) => {
                bagged.settle(*of, *depth, now_ms)?;
                bagged.read(*of)?
            }
            (Kind::Ever { .. }, Some(State::Keys(keys))) => Amount::Whole(keys.len() as i64),
            (Kind::Ever { .. }, Some(State::Hashed(keys))) => Amount::Whole(keys.len() as i64),
            (Kind::Ever { .. }, Some(State::Total(total))) => total.read()?,
            (Kind::Ever { .. }, Some(State::Tally(tally))) => tally.read()?,
            (Kind::Occurrence { .. }, Some(State::Found { enter, leave, .. })) => {
                Amount::Truth(*enter <= now_ms && now_ms < *leave)
            }
            (Kind::Absent(_), Some(State::Awaited(awaited))) => Amount::Truth(awaited.value(now_ms)),
            (Kind::Present(_), Some(State::Begun(begun))) => Amount::Truth(begun.value(now_ms)?),
            (Kind::Same(same), Some(State::Apart(apart))) => {
                same.settle(apart, now_ms)?;
                Amount::Truth(same.value(apart, now_ms))
            }
            _ => return Err(OTHER),
        })
    }

    pub fn next_ms(&self, state: &mut State, now_ms: i64, edges: &[i64]) -> Result<Option<i64>> {
        Ok(match (self, state) {
            (Kind::Count { .. }, State::Leaves(leaves)) => leaves.next_ms(now_ms, edges),
            (Kind::Bag { of, depth, .. }, State::Bag(bagged)) => {
                bagged.settle(*of, *depth, now_ms)?;
                bagged.next(*of, edges)?
            }
            (Kind::Occurrence { .. }, State::Found { enter, leave, .. }) => {
                if now_ms < *enter && enter < leave {
                    Some(*enter)
                } else {
                    (now_ms < *leave && *leave < FOREVER).then_some(*leave)
                }
            }
            (Kind::Absent(_), State::Awaited(awaited)) => awaited.due_ms,
            (Kind::Present(_), State::Begun(begun)) => begun.next_ms(now_ms)?,
            (Kind::Same(same), State::Apart(apart)) => {
                same.settle(apart, now_ms)?;
                same.next_ms(apart, now_ms)
            }
            _ => None,
        })
    }

    /// The state with a matching event in it, and the value before and after. Trails and chains go another way.
    pub fn added<'a>(
        &self, state: Option<State<'a>>, event: &Event<'a>, now_ms: i64,
    ) -> Result<Option<(State<'a>, Amount, Amount)>> {
        if let Kind::Count { leave, depth } = self {
            let leave = leave.at(event.time_ms)?;
            let mut leaves = match state {
                Some(State::Leaves(leaves)) => leaves,
                None if leave <= now_ms => return Ok(None),
                None => Leaves::empty(),
                Some(_) => return Err(OTHER),
            };
            let (old, new) = leaves.added(leave, now_ms, *depth);
            return Ok(Some((State::Leaves(leaves), Amount::Whole(old), Amount::Whole(new))));
        }
        let mut state = state;
        let old = self.value(state.as_mut(), now_ms)?;
        let Some(mut state) = self.add(state, event, now_ms)? else { return Ok(None) };
        let new = self.value(Some(&mut state), now_ms)?;
        Ok(Some((state, old, new)))
    }

    fn add<'a>(&self, state: Option<State<'a>>, event: &Event<'a>, now_ms: i64) -> Result<Option<State<'a>>> {
        match (self, state) {
            (Kind::CountEver { from, to }, state) => {
                if !(*from..*to).contains(&event.time_ms) {
                    return Ok(state);
                }
                match state {
                    None => Ok(Some(State::Whole(1))),
                    Some(State::Whole(count)) => Ok(Some(State::Whole(count.saturating_add(1)))),
                    Some(_) => Err(OTHER),
                }
            }
            (Kind::Bag { of, frame, depth, payload }, state) => {
                let Some(span) = frame.span(event.time_ms)? else { return Ok(state) };
                if span.1 <= now_ms {
                    return Ok(state);
                }
                let mut bagged = match state {
                    None => None,
                    Some(State::Bag(bagged)) => Some(bagged),
                    Some(_) => return Err(OTHER),
                };
                payload.each(event, |payload| {
                    bagged.get_or_insert_with(Bagged::empty).add(*of, *depth, span, payload, now_ms)
                })?;
                Ok(bagged.map(State::Bag))
            }
            (Kind::Ever { of, from, to, depth, payload }, mut state) => {
                if (*from..*to).contains(&event.time_ms) {
                    payload.each(event, |payload| {
                        state = Some(with(state.take(), *of, *depth, payload)?);
                        Ok(())
                    })?;
                }
                Ok(state)
            }
            (Kind::Occurrence { frame, last, has }, state) => {
                // of several with one time and one id it is enough if one is as it should be
                if let Some(State::Found { time_ms, id, enter, leave }) = &state {
                    let order = (event.time_ms, event.id.as_ref()).cmp(&(*time_ms, id.as_ref()));
                    if if order.is_eq() { enter < leave } else { order.is_lt() == *last } {
                        return Ok(state);
                    }
                }
                let span = frame.span(event.time_ms)?.unwrap_or((0, 0));
                let span = if hold(has, &event.properties, event.time_ms)? { span } else { (0, 0) };
                Ok(Some(State::Found { time_ms: event.time_ms, id: event.id.clone(), enter: span.0, leave: span.1 }))
            }
            (Kind::Same(same), state) => {
                let state = match state {
                    None => None,
                    Some(State::Apart(apart)) => Some(apart),
                    Some(_) => return Err(OTHER),
                };
                Ok(same.add(state, event, now_ms)?.map(State::Apart))
            }
            (Kind::Trail(_), state) => self.followed(state, event, now_ms),
            (Kind::Absent(_) | Kind::Present(_) | Kind::Count { .. }, _) => Err(OTHER),
        }
    }

    /// A trail or a chain with an event; chains then follow (`step`).
    pub fn followed<'a>(&self, state: Option<State<'a>>, event: &Event<'a>, now_ms: i64) -> Result<Option<State<'a>>> {
        let stamp = (event.time_ms, event.id.clone());
        match (self, state) {
            (Kind::Trail(trail), state) => {
                if !trail.wants(event.time_ms, now_ms)? {
                    return Ok(state);
                }
                let mut stamps = match state {
                    None => Stamps::empty(),
                    Some(State::Stamps(stamps)) => stamps,
                    Some(_) => return Err(OTHER),
                };
                trail.add(&mut stamps, &stamp, now_ms)?;
                Ok(Some(State::Stamps(stamps)))
            }
            (Kind::Absent(absent), None) => Ok(absent.add(None, &stamp, now_ms)?.map(State::Awaited)),
            (Kind::Absent(absent), Some(State::Awaited(state))) => {
                Ok(absent.add(Some(state), &stamp, now_ms)?.map(State::Awaited))
            }
            (Kind::Present(present), None) => Ok(present.add(None, &stamp, now_ms)?.map(State::Begun)),
            (Kind::Present(present), Some(State::Begun(state))) => {
                Ok(present.add(Some(state), &stamp, now_ms)?.map(State::Begun))
            }
            _ => Err(OTHER),
        }
    }
}

/// The state of an absolute window with one more payload.
fn with<'a>(state: Option<State<'a>>, of: Of, depth: usize, payload: Item<'a>) -> Result<State<'a>> {
    match (of, state) {
        (Of::Keys, None) => with(Some(State::Keys(Vec::new())), of, depth, payload),
        (Of::Keys, Some(State::Keys(mut keys))) => {
            for key in &keys {
                key.order(&payload)?;
            }
            let at = keys.partition_point(|each| each.order(&payload).is_ok_and(|order| order.is_lt()));
            let known = keys.get(at).is_some_and(|each| each.order(&payload).is_ok_and(|order| order.is_eq()));
            if keys.len() < depth && !known {
                keys.insert(at, payload);
                if keys.len() > LISTED {
                    let entries = keys.into_iter().map(|key| Ok((hashed(&key)?, key))).collect::<Result<Vec<_>>>()?;
                    return by_hash(entries).map(State::Hashed);
                }
            }
            Ok(State::Keys(keys))
        }
        (Of::Keys, Some(State::Hashed(mut keys))) => {
            let entry = (hashed(&payload)?, payload);
            let known = keys.at_least(&place(&entry))?.is_some_and(|found| order(&found, &entry).is_eq());
            if keys.len() < depth && !known {
                keys.put(entry.clone(), &place(&entry))?;
            }
            Ok(State::Hashed(keys))
        }
        (Of::Mode, None) => with(Some(State::Tally(Tally::empty())), of, depth, payload),
        (Of::Mode, Some(State::Tally(mut tally))) => {
            tally.add(payload)?;
            Ok(State::Tally(tally))
        }
        (Of::Sum | Of::Average, None) => merged(None, &payload).map(State::Total),
        (Of::Sum | Of::Average, Some(State::Total(total))) => merged(Some(total), &payload).map(State::Total),
        (Of::Extreme { .. } | Of::Pick { .. }, None) => Ok(State::Total(payload)),
        (Of::Extreme { .. } | Of::Pick { .. }, Some(State::Total(total))) => {
            Ok(State::Total(if total.beats(of, &payload)? { total } else { payload }))
        }
        _ => Err(OTHER),
    }
}

fn by_hash<'a>(mut entries: Vec<Inside<'a>>) -> Result<Chunks<'a, Inside<'a>>> {
    entries.sort_by(order);
    Chunks::of(entries, Of::Keys)
}
