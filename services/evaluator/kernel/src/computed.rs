//! Conditions on computed attributes, and what transitions tell of them.

use std::sync::Arc;

use crate::amount::Amount;
use crate::asked::{Asked, Core};
use crate::exact::{Exact, Number};
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::question::{Question, Test};
use crate::value::{Op, Plain, Value, plain};

/// Characters of a text that a transition carries.
const MAX_TEXT: usize = 256;

/// `without`: what holds where there is no value.
pub enum Condition {
    Exists { wanted: bool },
    Among { bounds: Vec<Exact>, denied: bool, without: bool },
    Ordered { op: Op, low: Exact, high: Exact, without: bool },
    Dated { bound: i64, before: bool, without: bool },
    /// A date, seen from now.
    Around { core: Arc<dyn Core>, without: bool },
    Value(Question),
}

impl Condition {
    /// From an array whose first field names it, the others in the order of its fields.
    pub fn read(from: &mut Reader, asked: &Asked) -> Result<Condition> {
        let fields = from.array()?;
        Ok(match (from.str()?, fields) {
            ("exists", 2) => Condition::Exists { wanted: from.bool()? },
            ("among", 4) => {
                let bounds = (0..from.array()?).map(|_| exact(from)).collect::<Result<_>>()?;
                Condition::Among { bounds, denied: from.bool()?, without: from.bool()? }
            }
            ("ordered", 5) => {
                let op = Op::named(from.str()?).ok_or(Halt::Lacks("an op"))?;
                Condition::Ordered { op, low: exact(from)?, high: exact(from)?, without: from.bool()? }
            }
            ("dated", 4) => Condition::Dated { bound: from.int()?, before: from.bool()?, without: from.bool()? },
            ("around", 3) => Condition::Around { core: asked.at(from.int()?)?, without: from.bool()? },
            ("value", 2) => Condition::Value(Question::read(from, asked)?),
            _ => return Err(Halt::Lacks("a condition on a computed attribute")),
        })
    }

    pub fn holds(&self, amount: &Amount, now_ms: i64) -> Result<bool> {
        Ok(match self {
            Condition::Exists { wanted } => (*amount != Amount::Nothing) == *wanted,
            Condition::Among { bounds, denied, without } => {
                if *amount == Amount::Nothing || bounds.is_empty() {
                    return Ok(*without);
                }
                bounds.iter().any(|bound| amount.compare(bound).is_some_and(|order| order.is_eq())) != *denied
            }
            Condition::Ordered { op, low, high, without } => match (amount.compare(low), amount.compare(high)) {
                (Some(low), Some(high)) => op.holds(low, high),
                _ => *without,
            },
            Condition::Dated { bound, before, without } => instant(amount)?.map_or(*without, |at| (at < *bound) == *before),
            Condition::Around { core, without } => match instant(amount)? {
                Some(at) => {
                    let (start, end) = core.span(&Value::Int(at), now_ms)?.ok_or(Halt::Bad("a date that can't be compared"))?;
                    start <= now_ms && now_ms < end
                }
                None => *without,
            },
            Condition::Value(question) => match amount {
                Amount::Value(scalar) => question.holds(&scalar.value(), now_ms)?,
                _ => question.holds(&Value::Nil, now_ms)?,
            },
        })
    }

    /// The function that says around or after now when it holds, if it is relative to now.
    pub fn clock(&self) -> Option<&Arc<dyn Core>> {
        match self {
            Condition::Around { core, .. } => Some(core),
            Condition::Value(Question { test: Test::Clock(core), .. }) => Some(core),
            _ => None,
        }
    }
}

/// The span of a clock's function for a value, if it can be compared.
pub fn span(core: &dyn Core, amount: &Amount, now_ms: i64) -> Result<Option<(i64, i64)>> {
    match amount {
        Amount::Exact(_) => core.span(&Value::Int(instant(amount)?.unwrap_or(0)), now_ms),
        Amount::Value(scalar) => match scalar.value() {
            Value::Str(text) => core.span(&Value::Str(text), now_ms),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// What of a computed attribute a transition tells: its id, the fact, and the core's function where it is asked
/// how the value is written.
pub struct Tell {
    pub id: String,
    pub fact: usize,
    pub core: Arc<dyn Core>,
    pub is_date: bool,
}

impl Tell {
    /// Puts id and value; false where there is nothing to tell.
    pub fn put(&self, amount: &Amount, out: &mut Vec<u8>) -> Result<bool> {
        let mut written = Vec::new();
        match amount {
            Amount::Nothing => return Ok(false),
            Amount::Whole(count) => msgpack::put_int(&mut written, *count),
            Amount::Exact(_) if self.is_date => msgpack::put_str(&mut written, &self.core.date(instant(amount)?.unwrap_or(0))?),
            Amount::Exact(scaled) => self.put_ratio(*scaled, Exact::ONE, &mut written)?,
            Amount::Ratio { total, count } => self.put_ratio(*total, count.saturating_mul(Exact::ONE), &mut written)?,
            Amount::Truth(_) => return Err(Halt::Bad("a computed attribute of something that happens")),
            Amount::Value(scalar) => match scalar.value() {
                Value::Str(text) if text.chars().count() > MAX_TEXT => return Ok(false),
                Value::Float(float) => match plain(float)? {
                    Plain::Int(whole) => put_whole(whole, &mut written)?,
                    Plain::Float(float) => msgpack::put_float(&mut written, float),
                },
                value => msgpack::put_value(&mut written, &value),
            },
        }
        msgpack::put_str(out, &self.id);
        out.extend_from_slice(&written);
        Ok(true)
    }

    /// Whole in 64 bits, or else the nearest float.
    fn put_ratio(&self, above: i128, below: i128, out: &mut Vec<u8>) -> Result<()> {
        match i64::try_from(above / below) {
            Ok(whole) if above % below == 0 => msgpack::put_int(out, whole),
            _ => msgpack::put_float(out, self.core.nearest(above, below)?),
        }
        Ok(())
    }
}

fn put_whole(whole: i128, out: &mut Vec<u8>) -> Result<()> {
    match i64::try_from(whole) {
        Ok(whole) => msgpack::put_int(out, whole),
        Err(_) => msgpack::put_large(out, u64::try_from(whole).map_err(|_| Halt::Lacks("numbers so large"))?),
    }
    Ok(())
}

fn instant(amount: &Amount) -> Result<Option<i64>> {
    match amount {
        Amount::Exact(scaled) => i64::try_from(scaled / Exact::ONE).map(Some).map_err(|_| Halt::Bad("an instant out of time")),
        _ => Ok(None),
    }
}

fn exact(from: &mut Reader) -> Result<Exact> {
    match from.value()? {
        Value::Int(whole) => Exact::of(Number::Int(whole)),
        Value::Float(float) => Exact::of(Number::Float(float)),
        _ => Err(Halt::Lacks("bounds with so many digits")),
    }
}
