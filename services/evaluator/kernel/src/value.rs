//! Values and the ops on them. Numbers are equal by value, true is neither 1 nor "1"; what an op can't compare
//! gives the condition's answer for missing values.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::exact::shortest;
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;

const SAFE: f64 = 9_007_199_254_740_992.0;
const UINT64: f64 = 18_446_744_073_709_551_616.0;

#[derive(Clone, Debug)]
pub enum Value<'a> {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(&'a str),
    List(Vec<Value<'a>>),
    Map(Vec<(&'a str, Value<'a>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sort {
    Missing,
    Bool,
    Number,
    Text,
    List,
    Point,
}

/// A number as it is compared.
#[derive(Clone, Copy, Debug)]
pub enum Plain {
    Int(i128),
    Float(f64),
}

/// What order conditions compare with: a number or a text.
#[derive(Clone, Debug)]
pub enum Bound {
    Number(Plain),
    Text(String),
}

/// A stand-in that is equal exactly when two scalars are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    Text(std::borrow::Cow<'a, str>),
    Int(i128),
    Float(u64),
    Flag(bool),
}

impl<'a> Value<'a> {
    pub fn sort(&self) -> Sort {
        match self {
            Value::Nil => Sort::Missing,
            Value::Bool(_) => Sort::Bool,
            Value::Int(_) | Value::Float(_) => Sort::Number,
            Value::Str(_) => Sort::Text,
            Value::List(_) => Sort::List,
            Value::Map(_) => Sort::Point,
        }
    }

    pub fn plain(&self) -> Result<Option<Plain>> {
        match self {
            Value::Int(number) => Ok(Some(Plain::Int(i128::from(*number)))),
            Value::Float(number) => plain(*number).map(Some),
            _ => Ok(None),
        }
    }

    pub fn key(&self) -> Result<Option<Key<'a>>> {
        Ok(match self {
            Value::Str(text) => Some(Key::Text((*text).into())),
            Value::Int(number) => Some(Key::Int(i128::from(*number))),
            Value::Float(number) => Some(match plain(*number)? {
                Plain::Int(whole) => Key::Int(whole),
                Plain::Float(float) if float.trunc() == float && float.abs() < SAFE => Key::Int(float as i128),
                Plain::Float(float) => Key::Float(float.to_bits()),
            }),
            Value::Bool(flag) => Some(Key::Flag(*flag)),
            _ => None,
        })
    }

    pub fn member(&self, name: &str) -> Option<&Value<'a>> {
        let Value::Map(members) = self else { return None };
        members.iter().find(|(key, value)| *key == name && !matches!(value, Value::Nil)).map(|(_, value)| value)
    }

    /// What it takes of a profile's room (module `bounds` of the core).
    pub fn size(&self) -> i64 {
        match self {
            Value::Nil => 0,
            Value::Str(text) => 1 + text.len() as i64,
            Value::List(items) => items.iter().map(Value::size).sum(),
            Value::Map(members) => members.iter().map(|(_, member)| member.size()).sum(),
            _ => 8,
        }
    }

    /// Equal as the language sees it.
    pub fn same(&self, other: &Value) -> Result<bool> {
        match (self, other) {
            (Value::Map(_), _) | (_, Value::Map(_)) => Err(Halt::Lacks("comparing points")),
            (Value::List(left), Value::List(right)) => {
                for (one, two) in left.iter().zip(right) {
                    if !one.same(two)? {
                        return Ok(false);
                    }
                }
                Ok(left.len() == right.len())
            }
            (Value::Nil, Value::Nil) => Ok(true),
            (Value::List(_), _) | (_, Value::List(_)) => Ok(false),
            _ => Ok(self.key()? == other.key()?),
        }
    }
}

pub fn plain(number: f64) -> Result<Plain> {
    if number.abs() < SAFE || number.abs() >= UINT64 {
        return Ok(Plain::Float(number));
    }
    let (digits, exponent) = shortest(number)?;
    Ok(Plain::Int(match u32::try_from(exponent) {
        Ok(power) => digits * 10_i128.pow(power.min(20)),
        Err(_) => digits / 10_i128.pow(exponent.unsigned_abs().min(20)),
    }))
}

impl Plain {
    pub fn compare(self, other: Plain) -> Ordering {
        match (self, other) {
            (Plain::Int(left), Plain::Int(right)) => left.cmp(&right),
            (Plain::Float(left), Plain::Float(right)) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
            (Plain::Int(left), Plain::Float(right)) => whole_with(left, right),
            (Plain::Float(left), Plain::Int(right)) => whole_with(right, left).reverse(),
        }
    }
}

fn whole_with(whole: i128, float: f64) -> Ordering {
    if float.abs() >= UINT64 {
        return if float > 0.0 { Ordering::Less } else { Ordering::Greater };
    }
    if whole.unsigned_abs() <= SAFE as u128 {
        return (whole as f64).partial_cmp(&float).unwrap_or(Ordering::Equal);
    }
    if whole > 0 { Ordering::Greater } else { Ordering::Less }
}

impl Bound {
    pub fn of(value: &Value) -> Result<Option<Bound>> {
        Ok(match value {
            Value::Str(text) => Some(Bound::Text((*text).to_owned())),
            _ => value.plain()?.map(Bound::Number),
        })
    }

    pub fn sort(&self) -> Sort {
        match self {
            Bound::Number(_) => Sort::Number,
            Bound::Text(_) => Sort::Text,
        }
    }

    /// Of two of one sort.
    pub fn compare(&self, other: &Bound) -> Ordering {
        match (self, other) {
            (Bound::Number(left), Bound::Number(right)) => left.compare(*right),
            (Bound::Text(left), Bound::Text(right)) => left.cmp(right),
            (Bound::Number(_), Bound::Text(_)) => Ordering::Less,
            (Bound::Text(_), Bound::Number(_)) => Ordering::Greater,
        }
    }

    fn below(&self, value: &Value) -> Result<Option<Ordering>> {
        Ok(match (self, value) {
            (Bound::Text(bound), Value::Str(text)) => Some((*text).cmp(bound.as_str())),
            (Bound::Number(bound), _) => value.plain()?.map(|number| number.compare(*bound)),
            _ => None,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
    Between,
}

impl Op {
    pub fn named(name: &str) -> Option<Op> {
        Some(match name {
            "eq" => Op::Eq,
            "neq" => Op::Neq,
            "gt" => Op::Gt,
            "gte" => Op::Gte,
            "lt" => Op::Lt,
            "lte" => Op::Lte,
            "between" => Op::Between,
            _ => return None,
        })
    }

    /// `low` and `high`: how the value compares with the bounds, which are one but for `between`.
    pub fn holds(self, low: Ordering, high: Ordering) -> bool {
        match self {
            Op::Eq => low.is_eq(),
            Op::Neq => low.is_ne(),
            Op::Gt => low.is_gt(),
            Op::Gte => low.is_ge(),
            Op::Lt => low.is_lt(),
            Op::Lte => low.is_le(),
            Op::Between => low.is_ge() && high.is_le(),
        }
    }
}

/// A test on one whole value.
pub enum Test {
    Exists,
    OneOf { keys: HashSet<Key<'static>>, sorts: Vec<Sort> },
    Has { keys: HashSet<Key<'static>>, all: bool },
    Ordered { op: Op, low: Bound, high: Bound },
    Contains(String),
    StartsWith(String),
    EndsWith(String),
}

/// An attribute's condition, or a filter's: `denied` where its op is the complement of the test, `without` what
/// holds where the value can't be compared.
pub struct Question {
    pub test: Test,
    pub denied: bool,
    pub without: bool,
}

impl Test {
    /// None where it can't be compared.
    pub fn verdict(&self, value: &Value) -> Result<Option<bool>> {
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
        })
    }
}

fn text(value: &Value, holds: impl Fn(&str) -> bool) -> Option<bool> {
    if let Value::Str(text) = value { Some(holds(text)) } else { None }
}

impl Question {
    /// From [op, value, denied, without].
    pub fn read(from: &mut Reader) -> Result<Question> {
        from.array_of(4)?;
        let op = from.str()?;
        let operand = from.value()?;
        let (denied, without) = (from.bool()?, from.bool()?);
        Ok(Question { test: Test::of(op, &operand)?, denied, without })
    }

    pub fn holds(&self, value: &Value) -> Result<bool> {
        Ok(self.test.verdict(value)?.map_or(self.without, |holds| holds != self.denied))
    }
}

const OPERAND: Halt = Halt::Bad("an operand of another kind");

impl Test {
    fn of(op: &str, operand: &Value) -> Result<Test> {
        let words = || if let Value::Str(text) = operand { Ok((*text).to_owned()) } else { Err(OPERAND) };
        Ok(match op {
            "exists" => Test::Exists,
            "eq" => Test::OneOf { keys: keys(std::slice::from_ref(operand))?, sorts: vec![operand.sort()] },
            "in" => {
                let items = items(operand)?;
                Test::OneOf { keys: keys(items)?, sorts: items.iter().map(Value::sort).collect() }
            }
            "has_any" | "has_all" => Test::Has { keys: keys(items(operand)?)?, all: op == "has_all" },
            "contains" => Test::Contains(words()?),
            "starts_with" => Test::StartsWith(words()?),
            "ends_with" => Test::EndsWith(words()?),
            _ => {
                let op = Op::named(op).ok_or(Halt::Lacks("an op"))?;
                let (low, high) = bounds(op, operand)?;
                Test::Ordered { op, low, high }
            }
        })
    }
}

pub fn bounds(op: Op, operand: &Value) -> Result<(Bound, Bound)> {
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

pub fn owned(key: Key) -> Key<'static> {
    match key {
        Key::Text(text) => Key::Text(text.into_owned().into()),
        Key::Int(whole) => Key::Int(whole),
        Key::Float(bits) => Key::Float(bits),
        Key::Flag(flag) => Key::Flag(flag),
    }
}

/// Every value at a path; lists on the way are walked item by item, the end is left whole.
pub fn walk<'v, 'a>(path: &[String], properties: &'v Value<'a>) -> Vec<&'v Value<'a>> {
    let mut found = vec![properties];
    for name in path {
        let mut reached = Vec::new();
        for value in found {
            flat(value, &mut |holder| reached.extend(holder.member(name)));
        }
        found = reached;
    }
    found
}

/// A list's items, lists in it walked too; anything else as the one item.
pub fn flat<'v, 'a>(value: &'v Value<'a>, give: &mut impl FnMut(&'v Value<'a>)) {
    match value {
        Value::List(items) => items.iter().for_each(|item| flat(item, give)),
        _ => give(value),
    }
}
