//! Sums without rounding: a number is the decimal that its shortest form writes.
//!
//! Kept as a whole number of 10^-18; what does not fit is left to the interpreted core.

use crate::halt::{Halt, Result};

const SCALE: i128 = 1_000_000_000_000_000_000;
const HUNDREDTH: i128 = SCALE / 100;
const FIFTEEN: f64 = 999_999_999_999_999.0;
const SAFE: f64 = 9_007_199_254_740_992.0;
const TOO_LARGE: Halt = Halt::Lacks("numbers with so many digits");

/// A number as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(i64),
    Float(f64),
}

/// `whole`: it came of whole numbers alone, and is stored as one.
#[derive(Clone, Copy, Debug)]
pub struct Exact {
    pub scaled: i128,
    whole: bool,
}

impl Exact {
    pub const ZERO: Exact = Exact { scaled: 0, whole: true };

    /// One, in `scaled`.
    pub const ONE: i128 = SCALE;

    pub fn of(number: Number) -> Result<Exact> {
        match number {
            Number::Int(whole) => Ok(Exact { scaled: i128::from(whole) * SCALE, whole: true }),
            Number::Float(float) => Exact::of_float(float),
        }
    }

    fn of_float(float: f64) -> Result<Exact> {
        if float.trunc() == float && float.abs() < SAFE {
            return Ok(Exact { scaled: float as i128 * SCALE, whole: true });
        }
        if (float * 100.0).abs() <= FIFTEEN {
            let hundredths = (float * 100.0).round_ties_even();
            if hundredths / 100.0 == float {
                return Ok(Exact { scaled: hundredths as i128 * HUNDREDTH, whole: false });
            }
        }
        let (digits, exponent) = shortest(float)?;
        let power = u32::try_from(exponent + 18).map_err(|_| TOO_LARGE)?;
        let scaled = 10_i128.checked_pow(power).and_then(|ten| digits.checked_mul(ten)).ok_or(TOO_LARGE)?;
        Ok(Exact { scaled, whole: as_whole(scaled).is_some() })
    }

    pub fn plus(self, other: Exact) -> Result<Exact> {
        let scaled = self.scaled.checked_add(other.scaled).ok_or(TOO_LARGE)?;
        Ok(Exact { scaled, whole: self.whole && other.whole && as_whole(scaled).is_some() })
    }

    pub fn minus(self, other: Exact) -> Result<Exact> {
        let scaled = self.scaled.checked_sub(other.scaled).ok_or(TOO_LARGE)?;
        Ok(Exact { scaled, whole: self.whole && other.whole && as_whole(scaled).is_some() })
    }

    /// The shortest thing that `of` reads back as the same number.
    pub fn stored(self) -> Result<Number> {
        if self.whole {
            return as_whole(self.scaled).map(Number::Int).ok_or(TOO_LARGE);
        }
        let hundredths = self.scaled / HUNDREDTH;
        if self.scaled % HUNDREDTH == 0 && (hundredths as f64).abs() <= FIFTEEN {
            return Ok(Number::Float(hundredths as f64 / 100.0));
        }
        let near: f64 = format!("{}e-18", self.scaled).parse().map_err(|_| TOO_LARGE)?;
        if Exact::of_float(near)?.scaled == self.scaled {
            Ok(Number::Float(near))
        } else {
            Err(Halt::Lacks("numbers that no float holds"))
        }
    }
}

impl Exact {
    /// Whole in 64 bits, or else the nearest float.
    pub fn finite(self) -> Result<Number> {
        match as_whole(self.scaled) {
            Some(whole) => Ok(Number::Int(whole)),
            None => format!("{}e-18", self.scaled).parse().map(Number::Float).map_err(|_| TOO_LARGE),
        }
    }
}

fn as_whole(scaled: i128) -> Option<i64> {
    if scaled % SCALE == 0 { i64::try_from(scaled / SCALE).ok() } else { None }
}

/// The digits of a float's shortest form and the power of ten with which they count.
pub fn shortest(float: f64) -> Result<(i128, i32)> {
    let text = format!("{float:e}");
    let (mantissa, exponent) = text.split_once('e').ok_or(TOO_LARGE)?;
    let exponent: i32 = exponent.parse().map_err(|_| TOO_LARGE)?;
    let decimals = mantissa.split_once('.').map_or(0, |(_, part)| part.len()) as i32;
    let digits: i128 = mantissa.replace('.', "").parse().map_err(|_| TOO_LARGE)?;
    Ok((digits, exponent - decimals))
}
