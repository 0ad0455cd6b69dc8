//! A definition as a program of (profile, now).

use sha2::{Digest, Sha256};

use crate::amount::Amount;
use crate::computed::Condition;
use crate::exact::Exact;
use crate::halt::Result;
use crate::plan::Plan;
use crate::profile::Profile;
use crate::registered::{any_is_true, register_in};
use crate::question::Question;
use crate::value::{Op, Value};

pub enum Program {
    All(Vec<Program>),
    Any(Vec<Program>),
    Not(Box<Program>),
    Attribute { name: String, question: Question },
    Measure { fact: usize, op: Op, low: Exact, high: Exact },
    Computed { fact: usize, condition: Condition },
    Happened { fact: usize },
    Member { segment: String },
    Tag { name: Option<String> },
    Consent { pair: String, state: String },
    Listed { segment: String, version: i64 },
    Never,
    Bucket { salt: String, from: u64, to: u64 },
}

impl Program {
    pub fn holds(&self, plan: &Plan, profile: &mut Profile, now_ms: i64) -> Result<bool> {
        Ok(match self {
            Program::All(children) => {
                for child in children {
                    if !child.holds(plan, profile, now_ms)? {
                        return Ok(false);
                    }
                }
                true
            }
            Program::Any(children) => {
                for child in children {
                    if child.holds(plan, profile, now_ms)? {
                        return Ok(true);
                    }
                }
                false
            }
            Program::Not(child) => !child.holds(plan, profile, now_ms)?,
            Program::Attribute { name, question } => match profile.attribute(name) {
                Some(register) => question.holds(&register.read()?, now_ms)?,
                None => question.holds(&Value::Nil, now_ms)?,
            },
            Program::Measure { fact, op, low, high } => {
                let value = plan.value(profile, *fact, now_ms)?;
                match (value.compare(low), value.compare(high)) {
                    (Some(low), Some(high)) => op.holds(low, high),
                    _ => false,
                }
            }
            Program::Computed { fact, condition } => condition.holds(&plan.value(profile, *fact, now_ms)?, now_ms)?,
            Program::Happened { fact } => plan.value(profile, *fact, now_ms)? == Amount::Truth(true),
            Program::Member { segment } => profile.is_member(segment),
            Program::Tag { name: Some(name) } => {
                matches!(register_in(profile.tags, name)?, Some((Value::Bool(true), _)))
            }
            Program::Tag { name: None } => any_is_true(profile.tags)?,
            Program::Consent { pair, state } => match register_in(profile.consent, pair)? {
                Some((Value::Str(found), _)) => found == state,
                Some(_) => false,
                None => state == "none",
            },
            Program::Listed { segment, version } => match register_in(profile.lists, segment)? {
                Some((Value::Bool(true), mut rest)) => {
                    rest.int()?;
                    rest.str()?;
                    rest.int()? == *version
                }
                _ => false,
            },
            Program::Never => false,
            Program::Bucket { salt, from, to } => (*from..*to).contains(&bucket(salt, profile.id)),
        })
    }
}

const BUCKETS: u64 = 10_000;

/// The number of a profile: the first 8 bytes of the SHA-256 of salt, NUL and id.
fn bucket(salt: &str, profile_id: &str) -> u64 {
    let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(profile_id).finalize();
    digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte)) % BUCKETS
}
