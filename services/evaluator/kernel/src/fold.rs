//! The measures as folds: the payloads that an event adds, and the total of payloads.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::amount::{Amount, Scalar};
use crate::event::Event;
use crate::exact::{Exact, Number, shortest};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::value::{Key, Plain, Value, flat, plain, walk};
use crate::window::Shift;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A count: one entry an event, the `depth` that leave last.
    Each,
    /// Days, weeks, months or different values: of each the largest leave, and no more than `depth`.
    Keys,
    Sum,
    Average,
    /// Least or most number; the value that was first or last.
    Extreme { most: bool },
    Pick { last: bool },
    /// The most frequent value.
    Mode,
}

impl Of {
    /// Whether its entries may lie in chunks here.
    pub fn is_apart(self) -> bool {
        !matches!(self, Of::Pick { .. } | Of::Mode)
    }
}

/// What an event adds to a bag, or to a total.
pub enum Payload {
    One,
    Key(Shift),
    Time,
    Sum(Vec<String>),
    Mean(Vec<String>),
    Extreme { path: Vec<String>, most: bool },
    Distinct(Vec<String>),
    Pick { path: Vec<String>, last: bool },
    Uses(Vec<String>),
}

/// One payload, or a total.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    Number(Number),
    /// A sum, and how many numbers it is of.
    Mean(Number, i64),
    Text(Cow<'a, str>),
    Use(Box<Use<'a>>),
}

/// A value of an event; `place` among its values, where that counts.
#[derive(Clone, Debug)]
pub struct Use<'a> {
    pub time_ms: i64,
    pub id: Cow<'a, str>,
    pub place: Option<i64>,
    pub value: Value<'a>,
}

impl Use<'_> {
    pub fn stamp(&self) -> (i64, &str, Option<i64>) {
        (self.time_ms, self.id.as_ref(), self.place)
    }

    /// Of one time, id and place the texts of the values decide (`value.ordered` of the core).
    pub fn order(&self, other: &Use) -> Result<Ordering> {
        let order = self.stamp().cmp(&other.stamp());
        if order.is_ne() { Ok(order) } else { Ok(ordered(&self.value)?.cmp(&ordered(&other.value)?)) }
    }
}

const OTHER: Halt = Halt::Bad("a payload of another measure");

pub fn put_number(out: &mut Vec<u8>, number: Number) {
    match number {
        Number::Int(whole) => msgpack::put_int(out, whole),
        Number::Float(float) => msgpack::put_float(out, float),
    }
}

pub fn number(from: &mut Reader) -> Result<Number> {
    match from.value()? {
        Value::Int(whole) => Ok(Number::Int(whole)),
        Value::Float(float) => Ok(Number::Float(float)),
        Value::Str(_) => Err(Halt::Lacks("numbers that no float holds")),
        _ => Err(Halt::Bad("is not a number")),
    }
}

impl<'a> Item<'a> {
    pub fn decode(from: &mut Reader<'a>, of: Of) -> Result<Self> {
        Ok(match of {
            Of::Keys if from.is_str() => Item::Text(from.str()?.into()),
            Of::Each | Of::Keys | Of::Sum | Of::Extreme { .. } => Item::Number(number(from)?),
            Of::Average => {
                from.array_of(2)?;
                Item::Mean(number(from)?, from.int()?)
            }
            Of::Pick { .. } => {
                from.array_of(3)?;
                Item::Use(Box::new(Use { time_ms: from.int()?, id: from.str()?.into(), place: None, value: from.value()? }))
            }
            Of::Mode => {
                from.array_of(4)?;
                let (time_ms, id, place) = (from.int()?, from.str()?.into(), Some(from.int()?));
                Item::Use(Box::new(Use { time_ms, id, place, value: from.value()? }))
            }
        })
    }

    /// Of bytes that don't last, and a measure whose entries may lie in chunks.
    pub fn owned(from: &mut Reader<'_>, of: Of) -> Result<Self> {
        match of {
            Of::Keys if from.is_str() => Ok(Item::Text(from.str()?.to_owned().into())),
            Of::Average => {
                from.array_of(2)?;
                Ok(Item::Mean(number(from)?, from.int()?))
            }
            _ => number(from).map(Item::Number),
        }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Item::Number(number) => put_number(out, *number),
            Item::Mean(sum, count) => {
                msgpack::put_array(out, 2);
                put_number(out, *sum);
                msgpack::put_int(out, *count);
            }
            Item::Text(text) => msgpack::put_str(out, text),
            Item::Use(used) => {
                msgpack::put_array(out, if used.place.is_some() { 4 } else { 3 });
                msgpack::put_int(out, used.time_ms);
                msgpack::put_str(out, &used.id);
                if let Some(place) = used.place {
                    msgpack::put_int(out, place);
                }
                msgpack::put_value(out, &used.value);
            }
        }
    }

    /// In the order of keys.
    pub fn order(&self, other: &Item) -> Result<Ordering> {
        match (self, other) {
            (Item::Number(Number::Int(left)), Item::Number(Number::Int(right))) => Ok(left.cmp(right)),
            (Item::Text(left), Item::Text(right)) => Ok(left.cmp(right)),
            _ => Err(OTHER),
        }
    }

    /// Whether it is at least as extreme.
    pub fn beats(&self, of: Of, other: &Item) -> Result<bool> {
        Ok(match (of, self, other) {
            (Of::Extreme { most }, Item::Number(left), Item::Number(right)) => {
                let (left, right) = (Exact::of(*left)?.scaled, Exact::of(*right)?.scaled);
                if most { left >= right } else { left <= right }
            }
            (Of::Pick { last }, Item::Use(left), Item::Use(right)) => {
                let order = left.order(right)?;
                if last { order.is_ge() } else { order.is_le() }
            }
            _ => return Err(OTHER),
        })
    }

    /// What the measure comes to by this total.
    pub fn read(&self) -> Result<Amount> {
        Ok(match self {
            Item::Number(number) => Amount::Exact(Exact::of(*number)?.scaled),
            Item::Mean(sum, count) => Amount::ratio(Exact::of(*sum)?.scaled, *count),
            Item::Use(used) => Amount::Value(Scalar::of(&used.value)?),
            Item::Text(_) => return Err(OTHER),
        })
    }
}

/// What a measure comes to without a total.
pub fn nothing(of: Of) -> Amount {
    match of {
        Of::Each | Of::Keys => Amount::Whole(0),
        Of::Sum => Amount::Exact(0),
        Of::Average | Of::Extreme { .. } | Of::Pick { .. } | Of::Mode => Amount::Nothing,
    }
}

/// The total of sums and averages with one more payload.
pub fn merged<'a>(total: Option<Item<'a>>, payload: &Item<'a>) -> Result<Item<'a>> {
    match (total, payload) {
        (None, Item::Number(_)) => merged(Some(Item::Number(Number::Int(0))), payload),
        (None, Item::Mean(..)) => merged(Some(Item::Mean(Number::Int(0), 0)), payload),
        (Some(Item::Number(total)), Item::Number(more)) => Ok(Item::Number(sum(total, *more)?)),
        (Some(Item::Mean(total, count)), Item::Mean(more, by)) => Ok(Item::Mean(sum(total, *more)?, count.saturating_add(*by))),
        _ => Err(OTHER),
    }
}

/// The total without a payload that is in it.
pub fn unmerged<'a>(total: Option<Item<'a>>, payload: &Item<'a>) -> Result<Item<'a>> {
    match (total, payload) {
        (Some(Item::Number(total)), Item::Number(less)) => Ok(Item::Number(Exact::of(total)?.minus(Exact::of(*less)?)?.stored()?)),
        (Some(Item::Mean(total, count)), Item::Mean(less, by)) => {
            Ok(Item::Mean(Exact::of(total)?.minus(Exact::of(*less)?)?.stored()?, count.saturating_sub(*by)))
        }
        _ => Err(Halt::Bad("a sum without a total")),
    }
}

fn sum(left: Number, right: Number) -> Result<Number> {
    Exact::of(left)?.plus(Exact::of(right)?)?.stored()
}

impl Payload {
    /// Gives every payload of an event, in their order.
    pub fn each<'a>(&self, event: &Event<'a>, mut give: impl FnMut(Item<'a>) -> Result<()>) -> Result<()> {
        let stamp = |place, value: &Value<'a>| {
            Item::Use(Box::new(Use { time_ms: event.time_ms, id: event.id.clone(), place, value: value.clone() }))
        };
        match self {
            Payload::One => give(Item::Number(Number::Int(1))),
            Payload::Key(key) => give(Item::Number(Number::Int(key.at(event.time_ms)?))),
            Payload::Time => give(Item::Number(Number::Int(event.time_ms))),
            Payload::Sum(path) => match total(&numbers(path, event)?)? {
                Some(total) => give(Item::Number(total)),
                None => Ok(()),
            },
            Payload::Mean(path) => {
                let numbers = numbers(path, event)?;
                match total(&numbers)? {
                    Some(total) => give(Item::Mean(total, numbers.len() as i64)),
                    None => Ok(()),
                }
            }
            Payload::Extreme { path, most } => {
                let found = numbers(path, event)?;
                let best = found.into_iter().reduce(|best, number| {
                    let better = if *most { number.scaled > best.scaled } else { number.scaled < best.scaled };
                    if better { number } else { best }
                });
                match best {
                    Some(best) => give(Item::Number(best.stored()?)),
                    None => Ok(()),
                }
            }
            Payload::Distinct(path) => {
                let mut texts = scalars(path, event).into_iter().map(text).collect::<Result<Vec<_>>>()?;
                texts.sort_unstable();
                texts.dedup();
                texts.into_iter().try_for_each(|text| give(Item::Text(text.into())))
            }
            Payload::Pick { path, last } => {
                let values = scalars(path, event);
                match if *last { values.last() } else { values.first() } {
                    Some(value) => give(stamp(None, value)),
                    None => Ok(()),
                }
            }
            Payload::Uses(path) => {
                let mut values = scalars(path, event).into_iter().enumerate();
                values.try_for_each(|(place, value)| give(stamp(Some(place as i64), value)))
            }
        }
    }
}

fn numbers(path: &[String], event: &Event) -> Result<Vec<Exact>> {
    let mut found = Vec::new();
    for value in walk(path, &event.properties) {
        flat(value, &mut |item| match item {
            Value::Int(whole) => found.push(Exact::of(Number::Int(*whole))),
            Value::Float(float) => found.push(Exact::of(Number::Float(*float))),
            _ => {}
        });
    }
    found.into_iter().collect()
}

fn total(numbers: &[Exact]) -> Result<Option<Number>> {
    let Some((first, others)) = numbers.split_first() else { return Ok(None) };
    let mut total = *first;
    for number in others {
        total = total.plus(*number)?;
    }
    total.stored().map(Some)
}

/// The texts, numbers and booleans on a path, in order.
fn scalars<'v, 'a>(path: &[String], event: &'v Event<'a>) -> Vec<&'v Value<'a>> {
    let mut found = Vec::new();
    for value in walk(path, &event.properties) {
        flat(value, &mut |item| {
            if !matches!(item, Value::Nil | Value::Map(_)) {
                found.push(item);
            }
        });
    }
    found
}

/// A scalar as a text that is equal exactly where the values are.
pub fn text(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Str(text) => format!("s{text}"),
        Value::Bool(flag) => if *flag { "bTrue" } else { "bFalse" }.to_owned(),
        Value::Int(whole) => format!("n{whole}"),
        Value::Float(float) => match (value.key()?, plain(*float)?) {
            (Some(Key::Int(whole)), _) => format!("n{whole}"),
            (_, Plain::Float(float)) if float.trunc() != float => format!("n{}", fraction(float)?),
            _ => return Err(Halt::Lacks("numbers so large")),
        },
        _ => return Err(OTHER),
    })
}

/// A scalar as a text, equal exactly where the values are; the order of these texts is one of all values.
fn ordered(value: &Value) -> Result<String> {
    Ok(match value {
        Value::Bool(flag) => format!("b{flag}"),
        Value::Float(_) => {
            let text = text(value)?;
            if text.contains(['.', 'e']) { text.replacen('n', "d", 1) } else { text }
        }
        _ => text(value)?,
    })
}

/// A number that is not whole, as Python writes it.
fn fraction(float: f64) -> Result<String> {
    if float.abs() >= 1e-4 {
        return Ok(format!("{float}"));
    }
    let (digits, exponent) = shortest(float)?;
    let (sign, digits) = (if digits < 0 { "-" } else { "" }, digits.unsigned_abs().to_string());
    let exponent = exponent + digits.len() as i32 - 1;
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    Ok(format!("{sign}{first}{point}{rest}e-{:02}", -exponent))
}
