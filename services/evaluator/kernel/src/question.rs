//! Tests on one whole value, as attribute conditions and filters ask them.

use std::collections::HashSet;
use std::sync::Arc;

use crate::asked::{Asked, Core, fold};
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::value::{Bound, Key, Op, Sort, Value};

pub enum Test {
    Exists,
    OneOf { keys: HashSet<Key<'static>>, sorts: Vec<Sort> },
    Has { keys: HashSet<Key<'static>>, all: bool },
    Ordered { op: Op, low: Bound, high: Bound },
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    /// The core tests it; `whole`: lists are not taken item by item.
    Asked { core: Arc<dyn Core>, whole: bool },
    /// A date, seen from now.
    Clock(Arc<dyn Core>),
}

/// An attribute's condition, or a filter's: `denied` where its op is the complement of the test, `without` what
/// holds where the value can't be compared; `caseless` folds texts, as the operand is already.
pub struct Question {
    pub test: Test,
    pub denied: bool,
    pub without: bool,
    pub caseless: Option<Arc<dyn Core>>,
}

impl Test {
    /// None where it can't be compared.
    fn verdict(&self, value: &Value, now_ms: i64) -> Result<Option<bool>> {
        Ok(match self {
            Test::Exists => Some(!matches!(value, Value::Nil)),
            Test::OneOf { keys, sorts } => {
                if sorts.contains(&value.sort()) {
                    Some(value.key()?.is_some_and(|key| keys.contains(&key)))
                } else {
                    None
                }
            }
            Test::Has { keys, all } => {
                let Value::List(items) = value else { return Ok(None) };
                let mut found: HashSet<Key> = HashSet::new();
                for item in items {
                    found.extend(item.key()?);
                }
                Some(if *all { keys.iter().all(|key| found.contains(key)) } else { keys.iter().any(|key| found.contains(key)) })
            }
            Test::Ordered { op, low, high } => match (low.below(value)?, high.below(value)?) {
                (Some(low), Some(high)) => Some(op.holds(low, high)),
                _ => None,
            },
            Test::Contains(part) => text(value, |text| text.contains(part.as_str())),
            Test::StartsWith(part) => text(value, |text| text.starts_with(part.as_str())),
            Test::EndsWith(part) => text(value, |text| text.ends_with(part.as_str())),
            Test::Asked { core, .. } => core.verdict(value)?,
            Test::Clock(core) => {
                let span = if let Value::Str(_) = value { core.span(value, now_ms)? } else { None };
                span.map(|(start, end)| start <= now_ms && now_ms < end)
            }
        })
    }
}

fn text(value: &Value, holds: impl Fn(&str) -> bool) -> Option<bool> {
    if let Value::Str(text) = value { Some(holds(text)) } else { None }
}

impl Question {
    /// From [op, value, denied, without, number of the function that folds texts or nil].
    pub fn read(from: &mut Reader, asked: &Asked) -> Result<Question> {
        from.array_of(5)?;
        let op = from.str()?;
        let operand = from.value()?;
        let (denied, without) = (from.bool()?, from.bool()?);
        let caseless = from.int_or_nil()?.map(|number| asked.at(number)).transpose()?;
        Ok(Question { test: Test::of(op, &operand, asked)?, denied, without, caseless })
    }

    pub fn holds(&self, value: &Value, now_ms: i64) -> Result<bool> {
        Ok(self.verdict(value, now_ms)?.map_or(self.without, |holds| holds != self.denied))
    }

    /// Of the test itself.
    pub fn verdict(&self, value: &Value, now_ms: i64) -> Result<Option<bool>> {
        let Some(core) = &self.caseless else { return self.test.verdict(value, now_ms) };
        match value {
            Value::Str(text) => self.test.verdict(&Value::Str(&fold(core.as_ref(), text)?), now_ms),
            Value::List(items) => {
                let texts = items.iter().map(|item| match item {
                    Value::Str(text) => fold(core.as_ref(), text).map(Some),
                    _ => Ok(None),
                });
                let texts = texts.collect::<Result<Vec<_>>>()?;
                let folded = items.iter().zip(&texts).map(|(item, text)| text.as_deref().map_or_else(|| item.clone(), Value::Str));
                self.test.verdict(&Value::List(folded.collect()), now_ms)
            }
            _ => self.test.verdict(value, now_ms),
        }
    }

    /// Whether it takes lists as they are; others take them item by item.
    pub fn is_whole(&self) -> bool {
        matches!(self.test, Test::Has { .. } | Test::Asked { whole: true, .. })
    }

    /// The keys of an equality that must hold, by which events can be led here.
    pub fn handle(&self) -> Option<&HashSet<Key<'static>>> {
        match &self.test {
            Test::OneOf { keys, .. } if !self.denied && !self.without && self.caseless.is_none() => Some(keys),
            _ => None,
        }
    }
}

const OPERAND: Halt = Halt::Bad("an operand of another kind");

impl Test {
    fn of(op: &str, operand: &Value, asked: &Asked) -> Result<Test> {
        let words = || if let Value::Str(text) = operand { Ok((*text).to_owned()) } else { Err(OPERAND) };
        let function = || if let Value::Int(number) = operand { asked.at(*number) } else { Err(OPERAND) };
        Ok(match op {
            "exists" => Test::Exists,
            "eq" => Test::OneOf { keys: keys(std::slice::from_ref(operand))?, sorts: vec![operand.sort()] },
            "in" => {
                let items = items(operand)?;
                let mut sorts: Vec<Sort> = Vec::new();
                for sort in items.iter().map(Value::sort) {
                    if !sorts.contains(&sort) {
                        sorts.push(sort);
                    }
                }
                Test::OneOf { keys: keys(items)?, sorts }
            }
            "has_any" | "has_all" => Test::Has { keys: keys(items(operand)?)?, all: op == "has_all" },
            "contains" => Test::Contains(words()?),
            "starts_with" => Test::StartsWith(words()?),
            "ends_with" => Test::EndsWith(words()?),
            "asked" | "asked_whole" => Test::Asked { core: function()?, whole: op == "asked_whole" },
            "clock" => Test::Clock(function()?),
            _ => {
                let op = Op::named(op).ok_or(Halt::Lacks("an op"))?;
                let (low, high) = bounds(op, operand)?;
                Test::Ordered { op, low, high }
            }
        })
    }
}

fn bounds(op: Op, operand: &Value) -> Result<(Bound, Bound)> {
    let (low, high) = match (op, operand) {
        (Op::Between, Value::List(pair)) if pair.len() == 2 => (&pair[0], &pair[1]),
        (Op::Between, _) => return Err(OPERAND),
        _ => (operand, operand),
    };
    Ok((Bound::of(low)?.ok_or(OPERAND)?, Bound::of(high)?.ok_or(OPERAND)?))
}

fn items<'v, 'a>(operand: &'v Value<'a>) -> Result<&'v [Value<'a>]> {
    if let Value::List(items) = operand { Ok(items) } else { Err(OPERAND) }
}

fn keys(operands: &[Value]) -> Result<HashSet<Key<'static>>> {
    operands.iter().map(|operand| Ok(owned(operand.key()?.ok_or(OPERAND)?))).collect()
}

fn owned(key: Key) -> Key<'static> {
    match key {
        Key::Text(text) => Key::Text(text.into_owned().into()),
        Key::Int(whole) => Key::Int(whole),
        Key::Float(bits) => Key::Float(bits),
        Key::Flag(flag) => Key::Flag(flag),
    }
}
