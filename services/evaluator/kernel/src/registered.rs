//! The registers of tags, consents and lists, which stay encoded: a map of name to [value, time, event id], of lists
//! with the version of the static segment besides.

use crate::halt::Result;
use crate::msgpack::{self, Reader};
use crate::value::Value;

/// Begins the name of a list's register that waits for its segment.
pub const WAITING: char = '?';

/// A register's value, and what else stands in it.
pub fn register_in<'a>(registers: &'a [u8], name: &str) -> Result<Option<(Value<'a>, Reader<'a>)>> {
    let from = &mut Reader::new(registers);
    for _ in 0..from.map()? {
        let found = from.str()? == name;
        let mut register = Reader::new(from.raw()?);
        if found {
            register.array()?;
            return Ok(Some((register.value()?, register)));
        }
    }
    Ok(None)
}

/// Whether any register's value is true.
pub fn any_is_true(registers: &[u8]) -> Result<bool> {
    let from = &mut Reader::new(registers);
    for _ in 0..from.map()? {
        from.str()?;
        let mut register = Reader::new(from.raw()?);
        register.array()?;
        if matches!(register.value()?, Value::Bool(true)) {
            return Ok(true);
        }
    }
    Ok(false)
}

pub fn names(registers: &[u8]) -> Result<Vec<&str>> {
    let from = &mut Reader::new(registers);
    let mut found = Vec::new();
    for _ in 0..from.map()? {
        found.push(from.str()?);
        from.raw()?;
    }
    Ok(found)
}

/// The registers with a value written, and the value before (nil of none); None if a later write stands.
pub fn write<'a>(registers: &'a [u8], name: &str, value: &[u8], stamp: (i64, &str)) -> Result<Option<(Vec<u8>, Value<'a>)>> {
    let mut old = Value::Nil;
    if let Some((known, mut rest)) = register_in(registers, name)? {
        if stamp < (rest.int()?, rest.str()?) {
            return Ok(None);
        }
        old = known;
    }
    let mut register = Vec::with_capacity(value.len() + stamp.1.len() + 16);
    msgpack::put_array(&mut register, 3);
    register.extend_from_slice(value);
    msgpack::put_int(&mut register, stamp.0);
    msgpack::put_str(&mut register, stamp.1);
    Ok(Some((with(registers, name, &register)?, old)))
}

/// The same of a list's register: the highest version wins, then the latest write.
pub fn write_list(registers: &[u8], name: &str, present: bool, stamp: (i64, &str), version: i64) -> Result<Option<Vec<u8>>> {
    if let Some((_, mut rest)) = register_in(registers, name)? {
        let (time_ms, event_id) = (rest.int()?, rest.str()?);
        let known = if rest.done() { 0 } else { rest.int()? };
        if (version, stamp.0, stamp.1) < (known, time_ms, event_id) {
            return Ok(None);
        }
    }
    let mut register = Vec::with_capacity(stamp.1.len() + 24);
    msgpack::put_array(&mut register, 4);
    msgpack::put_bool(&mut register, present);
    msgpack::put_int(&mut register, stamp.0);
    msgpack::put_str(&mut register, stamp.1);
    msgpack::put_int(&mut register, version);
    with(registers, name, &register).map(Some)
}

/// A map of texts to anything, with what stands at a name.
pub fn with(map: &[u8], name: &str, value: &[u8]) -> Result<Vec<u8>> {
    let from = &mut Reader::new(map);
    let count = from.map()?;
    let (mut items, mut known) = (Vec::with_capacity(map.len() + name.len() + value.len() + 8), false);
    for _ in 0..count {
        let key = from.str()?;
        let standing = from.raw()?;
        msgpack::put_str(&mut items, key);
        items.extend_from_slice(if key == name { value } else { standing });
        known |= key == name;
    }
    if !known {
        msgpack::put_str(&mut items, name);
        items.extend_from_slice(value);
    }
    let mut out = Vec::with_capacity(items.len() + 5);
    msgpack::put_map(&mut out, count + usize::from(!known));
    out.extend_from_slice(&items);
    Ok(out)
}
