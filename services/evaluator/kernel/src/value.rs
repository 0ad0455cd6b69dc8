//! Values and the ops on them. Numbers are equal by value, true is neither 1 nor "1"; what an op can't compare
//! gives the condition's answer for missing values.

use std::cmp::Ordering;

use crate::amount::ratio_with;
use crate::exact::shortest;
use crate::halt::Result;

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
    /// A mean, of 10^-18: only measures have it.
    Ratio(i128, i128),
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
            (Value::Map(_), Value::Map(_)) => Ok(self.is_equal(other)),
            (Value::Map(_), _) | (_, Value::Map(_)) => Ok(false),
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

    /// Equal as the parts of points are: there, true is 1, and numbers are equal where their binary values are.
    fn is_equal(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Str(left), Value::Str(right)) => left == right,
            (Value::List(left), Value::List(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(one, two)| one.is_equal(two))
            }
            (Value::Map(left), Value::Map(right)) => {
                let has = |name: &str, member: &Value| right.iter().any(|each| each.0 == name && member.is_equal(&each.1));
                left.len() == right.len() && left.iter().all(|(name, member)| has(name, member))
            }
            _ => match (self.number(), other.number()) {
                (Some(Value::Int(left)), Some(Value::Int(right))) => left == right,
                (Some(Value::Float(left)), Some(Value::Float(right))) => left == right,
                (Some(Value::Int(whole)), Some(Value::Float(float))) | (Some(Value::Float(float)), Some(Value::Int(whole))) => {
                    float.trunc() == float && float.abs() < UINT64 && float as i128 == i128::from(whole)
                }
                _ => false,
            },
        }
    }

    fn number(&self) -> Option<Value<'static>> {
        match self {
            Value::Bool(flag) => Some(Value::Int(i64::from(*flag))),
            Value::Int(whole) => Some(Value::Int(*whole)),
            Value::Float(float) => Some(Value::Float(*float)),
            _ => None,
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
            Bound::Number(_) | Bound::Ratio(..) => Sort::Number,
            Bound::Text(_) => Sort::Text,
        }
    }

    /// Of two of one sort.
    pub fn compare(&self, other: &Bound) -> Ordering {
        match (self, other) {
            (Bound::Number(left), Bound::Number(right)) => left.compare(*right),
            (Bound::Text(left), Bound::Text(right)) => left.cmp(right),
            (Bound::Ratio(total, count), Bound::Number(Plain::Int(whole))) => ratio_with(*total, *count, *whole),
            (Bound::Number(Plain::Int(whole)), Bound::Ratio(total, count)) => ratio_with(*total, *count, *whole).reverse(),
            (Bound::Ratio(..), Bound::Ratio(..)) => Ordering::Equal, // cuts lie at no mean
            (Bound::Number(_) | Bound::Ratio(..), _) => Ordering::Less,
            (Bound::Text(_), _) => Ordering::Greater,
        }
    }

    pub fn below(&self, value: &Value) -> Result<Option<Ordering>> {
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
