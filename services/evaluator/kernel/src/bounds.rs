//! The bounds of a profile's own data, and the changes that would go beyond them: they are refused as a whole.

use crate::change::Change;
use crate::halt::Result;
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

/// The name of a bound, and the most that it allows.
pub type Refusal = (&'static str, i64);

/// The bound that a change would pass, if it would.
pub fn beyond(profile: &mut Profile, change: &Change, bounds: &Bounds) -> Result<Option<Refusal>> {
    if let Some(refusal) = attributes(profile, &change.attributes, bounds)? {
        return Ok(Some(refusal));
    }
    if !change.tags.is_empty() && more(&names(profile.tags)?, change.tags.iter().map(|each| each.0), bounds.tags) {
        return Ok(Some(("tags", bounds.tags)));
    }
    let pairs: Vec<String> = change.consent.iter().map(|item| item.pair()).collect();
    if !pairs.is_empty() && more(&names(profile.consent)?, pairs.iter().map(String::as_str), bounds.consents) {
        return Ok(Some(("consents", bounds.consents)));
    }
    if !change.groups.is_empty() {
        let from = &mut Reader::new(profile.groups);
        let known = (0..from.array()?).map(|_| from.str()).collect::<Result<Vec<_>>>()?;
        if more(&known, change.groups.iter().copied(), bounds.groups) {
            return Ok(Some(("groups", bounds.groups)));
        }
    }
    if change.lists.is_empty() {
        return Ok(None);
    }
    let mut known: Vec<&str> = names(profile.lists)?.into_iter().map(|name| name.strip_prefix(WAITING).unwrap_or(name)).collect();
    known.sort_unstable();
    known.dedup();
    let full = more(&known, change.lists.iter().map(|each| each.0), bounds.lists);
    Ok(full.then_some(("lists", bounds.lists)))
}

/// Whether some of the names are new, and all together are more than allowed.
fn more<'n>(known: &[&str], named: impl Iterator<Item = &'n str>, most: i64) -> bool {
    let mut new: Vec<&str> = named.filter(|name| !known.contains(name)).collect();
    new.sort_unstable();
    new.dedup();
    !new.is_empty() && (known.len() + new.len()) as i64 > most
}

fn attributes(profile: &mut Profile, written: &[(&str, &[u8])], bounds: &Bounds) -> Result<Option<Refusal>> {
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
    if new > 0 && profile.attributes.len() as i64 - derived + new > bounds.attributes {
        return Ok(Some(("attributes", bounds.attributes)));
    }
    if growth > 0 {
        measure(profile)?;
        if profile.attribute_bytes.saturating_add(growth) > bounds.attribute_bytes {
            return Ok(Some(("attribute_bytes", bounds.attribute_bytes)));
        }
    }
    Ok(None)
}

/// The bytes that the attributes take, where they were stored without.
pub fn measure(profile: &mut Profile) -> Result<()> {
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
