//! An attribute that is removed takes its parts with it: `address` takes `address.city`.
//!
//! The latest removal of each attribute stands against every part that was written before it, whichever comes first.

use crate::halt::Result;
use crate::msgpack::{self, Reader};
use crate::profile::{Arena, Profile, keep};
use crate::registered::with;
use crate::value::Value;

/// Notes the removal of an attribute; the parts that it takes along.
pub fn remove<'a>(profile: &mut Profile<'a>, name: &str, stamp: (i64, &str), arena: &'a Arena) -> Result<Vec<&'a str>> {
    if removal(profile.removed, name)?.is_none_or(|known| known < stamp) {
        let mut written = Vec::new();
        msgpack::put_array(&mut written, 2);
        msgpack::put_int(&mut written, stamp.0);
        msgpack::put_str(&mut written, stamp.1);
        profile.removed = keep(arena, with(profile.removed, name, &written)?);
    }
    let mut parts = Vec::new();
    for register in &profile.attributes {
        let is_part = register.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        if is_part && !matches!(register.read()?, Value::Nil) && (register.time_ms, register.event_id) < stamp {
            parts.push(register.name);
        }
    }
    Ok(parts)
}

/// Whether a part written at `stamp` went with what it is a part of.
pub fn is_removed(profile: &Profile, name: &str, stamp: (i64, &str)) -> Result<bool> {
    if !profile.has_removed() {
        return Ok(false);
    }
    for (end, _) in name.match_indices('.').filter(|(end, _)| *end > 0) {
        if removal(profile.removed, &name[..end])?.is_some_and(|known| stamp < known) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn removal<'a>(removed: &'a [u8], name: &str) -> Result<Option<(i64, &'a str)>> {
    let from = &mut Reader::new(removed);
    for _ in 0..from.map()? {
        let found = from.str()? == name;
        from.array_of(2)?;
        let stamp = (from.int()?, from.str()?);
        if found {
            return Ok(Some(stamp));
        }
    }
    Ok(None)
}
