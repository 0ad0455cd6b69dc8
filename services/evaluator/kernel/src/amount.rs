//! What a fact is worth, as conditions compare it.

use std::cmp::Ordering;

use crate::exact::Exact;
use crate::halt::{Halt, Result};
use crate::value::{Bound, Plain, Value};

/// A whole number, an exact number in 10^-18, a mean (in lowest terms, of 10^-18 too), whether it holds, a value as
/// events have it, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amount {
    Whole(i64),
    Exact(i128),
    Ratio { total: i128, count: i128 },
    Truth(bool),
    Value(Scalar),
    Nothing,
}

/// A text, number or boolean; two are equal as conditions see it.
#[derive(Clone, Debug)]
pub enum Scalar {
    Text(String),
    Int(i64),
    Float(f64),
    Flag(bool),
}

impl Scalar {
    pub fn of(value: &Value) -> Result<Scalar> {
        Ok(match value {
            Value::Str(text) => Scalar::Text((*text).to_owned()),
            Value::Int(number) => Scalar::Int(*number),
            Value::Float(number) => Scalar::Float(*number),
            Value::Bool(flag) => Scalar::Flag(*flag),
            _ => return Err(Halt::Bad("a value that is no scalar")),
        })
    }

    pub fn value(&self) -> Value<'_> {
        match self {
            Scalar::Text(text) => Value::Str(text),
            Scalar::Int(number) => Value::Int(*number),
            Scalar::Float(number) => Value::Float(*number),
            Scalar::Flag(flag) => Value::Bool(*flag),
        }
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        matches!((self.value().key(), other.value().key()), (Ok(left), Ok(right)) if left == right)
    }
}

impl Eq for Scalar {}

impl Amount {
    pub fn ratio(total: i128, count: i64) -> Amount {
        if count <= 0 {
            return Amount::Nothing;
        }
        let by = common(total.unsigned_abs(), count.unsigned_abs().into()).max(1) as i128;
        Amount::Ratio { total: total / by, count: i128::from(count) / by }
    }

    /// None of what is no number.
    pub fn compare(&self, bound: &Exact) -> Option<Ordering> {
        Some(match self {
            Amount::Whole(whole) => (i128::from(*whole) * Exact::ONE).cmp(&bound.scaled),
            Amount::Exact(scaled) => scaled.cmp(&bound.scaled),
            Amount::Ratio { total, count } => ratio_with(*total, *count, bound.scaled),
            Amount::Truth(_) | Amount::Value(_) | Amount::Nothing => return None,
        })
    }

    /// As cuts compare it.
    pub fn bound(&self) -> Option<Bound> {
        match self {
            Amount::Exact(scaled) => Some(Bound::Number(Plain::Int(*scaled))),
            Amount::Ratio { total, count } => Some(Bound::Ratio(*total, *count)),
            _ => None,
        }
    }
}

/// How `total / count` compares with a whole number.
pub fn ratio_with(total: i128, count: i128, whole: i128) -> Ordering {
    let below = total.div_euclid(count.max(1));
    below.cmp(&whole).then(total.rem_euclid(count.max(1)).cmp(&0))
}

fn common(left: u128, right: u128) -> u128 {
    if right == 0 { left } else { common(right, left % right) }
}
