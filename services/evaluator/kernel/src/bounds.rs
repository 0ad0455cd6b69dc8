//! The bounds of a profile's own data. The interpreted core refuses a change beyond them.

use crate::change::Change;
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::profile::Profile;
use crate::registered::{WAITING, names};
use crate::registers::{is_derived, name_size};
use crate::value::Value;

/// The most that one profile may have.
pub struct Bounds {
    pub attributes: i64,
    pub attribute_bytes: i64,
    pub tags: i64,
    pub consents: i64,
    pub groups: i64,
    pub lists: i64,
}

const FULL: Halt = Halt::Lacks("profiles that are full");

/// Fails where the interpreted core would refuse the change.
pub fn bounded(profile: &mut Profile, change: &Change, bounds: &Bounds) -> Result<()> {
    if !change.attributes.is_empty() {
        attributes(profile, &change.attributes, bounds)?;
    }
    if !change.tags.is_empty() {
        more(&names(profile.tags)?, change.tags.iter().map(|each| each.0), bounds.tags)?;
    }
    if !change.consent.is_empty() {
        let pairs: Vec<String> = change.consent.iter().map(|item| item.pair()).collect();
        more(&names(profile.consent)?, pairs.iter().map(String::as_str), bounds.consents)?;
    }
    if !change.groups.is_empty() {
        let from = &mut Reader::new(profile.groups);
        let known = (0..from.array()?).map(|_| from.str()).collect::<Result<Vec<_>>>()?;
        more(&known, change.groups.iter().copied(), bounds.groups)?;
    }
    if !change.lists.is_empty() {
        let mut known: Vec<&str> = names(profile.lists)?.into_iter().map(|name| name.strip_prefix(WAITING).unwrap_or(name)).collect();
        known.sort_unstable();
        known.dedup();
        more(&known, change.lists.iter().map(|each| each.0), bounds.lists)?;
    }
    Ok(())
}

fn more<'n>(known: &[&str], named: impl Iterator<Item = &'n str>, most: i64) -> Result<()> {
    let mut new: Vec<&str> = named.filter(|name| !known.contains(name)).collect();
    new.sort_unstable();
    new.dedup();
    if !new.is_empty() && (known.len() + new.len()) as i64 > most { Err(FULL) } else { Ok(()) }
}

fn attributes(profile: &mut Profile, written: &[(&str, &[u8])], bounds: &Bounds) -> Result<()> {
    measure(profile)?;
    let (mut new, mut growth) = (0, 0);
    for (name, value) in written {
        match profile.attribute(name) {
            None => {
                new += 1;
                growth += name_size(name);
            }
            Some(known) => growth -= known.read()?.size(),
        }
        growth += read(value)?.size();
    }
    let derived = profile.attributes.iter().filter(|register| is_derived(register.name)).count() as i64;
    let many = profile.attributes.len() as i64 - derived + new > bounds.attributes;
    let large = growth > 0 && profile.attribute_bytes + growth > bounds.attribute_bytes;
    if (new > 0 && many) || large { Err(FULL) } else { Ok(()) }
}

/// The bytes that the attributes take, where they were stored without.
fn measure(profile: &mut Profile) -> Result<()> {
    if profile.attribute_bytes >= 0 {
        return Ok(());
    }
    let mut bytes = 0;
    for register in &profile.attributes {
        if !is_derived(register.name) {
            bytes += name_size(register.name) + register.read()?.size();
        }
    }
    profile.attribute_bytes = bytes;
    Ok(())
}

fn read(value: &[u8]) -> Result<Value<'_>> {
    Reader::new(value).value()
}
