//! Transitions as topic `memberships` has them: records of Kafka's format 2. Of each the key is the profile's id, and
//! the value a JSON object of the transition's fields.

use std::collections::HashSet;
use std::io::Write;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::refused;

/// At most, of a record's length before it.
const LENGTH_BYTES: usize = 10;

/// Where the transition stands that is to be announced next: in which part, at which byte, how many are left there.
#[derive(Default)]
pub struct Place {
    part: usize,
    at: usize,
    left: usize,
}

/// Transitions, arrays of maps in msgpack, that become records piece by piece.
#[pyclass]
pub struct Announcing {
    parts: Vec<PyBackedBytes>,
    place: Place,
    other: Py<PyAny>,
}

#[pymethods]
impl Announcing {
    /// `other` makes (key, value) of a transition, in msgpack, with fields that are neither texts nor whole numbers.
    #[new]
    fn new(parts: Vec<PyBackedBytes>, other: Py<PyAny>) -> Self {
        Announcing { parts, place: Place::default(), other }
    }

    /// The next records, at least one and as many as `most_bytes` hold, and how many they are; none at the end. Raises
    /// ValueError where the bytes can't be read.
    fn next<'py>(&mut self, py: Python<'py>, most_bytes: usize) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let parts: Vec<&[u8]> = self.parts.iter().map(|part| &**part).collect();
        let other = self.other.bind(py);
        let made = |whole: &[u8]| -> PyResult<(Vec<u8>, Vec<u8>)> {
            let (key, value): (PyBackedBytes, PyBackedBytes) = other.call1((PyBytes::new(py, whole),))?.extract()?;
            Ok((key.to_vec(), value.to_vec()))
        };
        let (records, count) = records(&parts, &mut self.place, most_bytes, made)?;
        Ok((PyBytes::new(py, &records), count))
    }
}

/// [(kind, cause, how many)] of transitions. Raises ValueError where the bytes can't be read.
#[pyfunction(name = "kinds")]
pub fn py_kinds(parts: Vec<PyBackedBytes>) -> PyResult<Vec<(String, String, usize)>> {
    let found = kinds(&borrowed(&parts)).map_err(refused)?;
    Ok(found.into_iter().map(|(kind, cause, count)| (kind.to_owned(), cause.to_owned(), count)).collect())
}

/// Whether a profile of `few` is in `many`, of which the same is true.
#[pyfunction(name = "mentions")]
pub fn py_mentions(many: Vec<PyBackedBytes>, few: Vec<PyBackedBytes>) -> PyResult<bool> {
    mentions(&borrowed(&many), &borrowed(&few)).map_err(refused)
}

fn borrowed(parts: &[PyBackedBytes]) -> Vec<&[u8]> {
    parts.iter().map(|part| &**part).collect()
}

/// As `Announcing::next`.
fn records(
    parts: &[&[u8]], place: &mut Place, most_bytes: usize, mut other: impl FnMut(&[u8]) -> PyResult<(Vec<u8>, Vec<u8>)>,
) -> PyResult<(Vec<u8>, usize)> {
    let (mut out, mut count, mut value, mut record) = (Vec::new(), 0, Vec::new(), Vec::new());
    while let Some(part) = parts.get(place.part) {
        if place.at == 0 {
            let from = &mut Reader::new(part);
            place.left = from.array().map_err(refused)?;
            place.at = from.at();
        }
        if place.left == 0 {
            *place = Place { part: place.part + 1, ..Place::default() };
            continue;
        }
        value.clear();
        let from = &mut Reader::new(&part[place.at..]);
        let made;
        let (key, value): (&[u8], &[u8]) = match object(from, &mut value).map_err(refused)? {
            Some(key) => (key.as_bytes(), &value),
            None => {
                *from = Reader::new(&part[place.at..]);
                made = other(from.raw().map_err(refused)?)?;
                (&made.0, &made.1)
            }
        };
        record.clear();
        record.extend([0, 0]); // attributes, and how much later than the batch's first record
        put_length(&mut record, count);
        put_length(&mut record, key.len());
        record.extend_from_slice(key);
        put_length(&mut record, value.len());
        record.extend_from_slice(value);
        record.push(0); // headers
        if count > 0 && out.len() + record.len() + LENGTH_BYTES > most_bytes {
            break;
        }
        put_length(&mut out, record.len());
        out.extend_from_slice(&record);
        count += 1;
        (place.at, place.left) = (place.at + from.at(), place.left - 1);
    }
    Ok((out, count))
}

/// How many transitions there are of each (kind, cause).
pub fn kinds<'p>(parts: &[&'p [u8]]) -> Result<Vec<(&'p str, &'p str, usize)>> {
    let mut found: Vec<(&str, &str, usize)> = Vec::new();
    each(parts, ["kind", "cause"], |[kind, cause]| {
        match found.iter_mut().find(|known| (known.0, known.1) == (kind, cause)) {
            Some(known) => known.2 += 1,
            None => found.push((kind, cause, 1)),
        }
    })?;
    Ok(found)
}

/// Whether a profile of `few` is in `many`.
pub fn mentions(many: &[&[u8]], few: &[&[u8]]) -> Result<bool> {
    let (mut wanted, mut found) = (HashSet::new(), false);
    each(few, ["workspace", "profile"], |who| {
        wanted.insert(who);
    })?;
    each(many, ["workspace", "profile"], |who| found |= wanted.contains(&who))?;
    Ok(found)
}

/// Two text fields of every transition.
fn each<'p>(parts: &[&'p [u8]], names: [&str; 2], mut take: impl FnMut([&'p str; 2])) -> Result<()> {
    for part in parts {
        let from = &mut Reader::new(part);
        for _ in 0..from.array()? {
            let mut values = [""; 2];
            for _ in 0..from.map()? {
                let name = from.str()?;
                match names.iter().position(|each| *each == name) {
                    Some(at) => values[at] = from.str()?,
                    None => {
                        from.raw()?;
                    }
                }
            }
            take(values);
        }
    }
    Ok(())
}

/// Writes a map of texts, whole numbers and nils as JSON, as msgspec does. Returns the field `profile`; None where it
/// has others.
fn object<'a>(from: &mut Reader<'a>, out: &mut Vec<u8>) -> Result<Option<&'a str>> {
    let mut profile = None;
    for field in 0..from.map()? {
        out.push(if field == 0 { b'{' } else { b',' });
        let name = from.str()?;
        put_text(out, name);
        out.push(b':');
        if from.is_str() {
            let text = from.str()?;
            put_text(out, text);
            if name == "profile" {
                profile = Some(text);
            }
        } else if from.is_nil() {
            from.nil()?;
            out.extend_from_slice(b"null");
        } else if from.is_int() {
            let number = from.int()?;
            write!(out, "{number}").map_err(|_| Halt::Bad("can't be written"))?;
        } else {
            return Ok(None);
        }
    }
    out.push(b'}');
    Ok(profile)
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let (bytes, mut from) = (text.as_bytes(), 0);
    if !bytes.iter().fold(false, |any, byte| any | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\')) {
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match *byte {
            b'"' | b'\\' => out.extend([b'\\', *byte]),
            8 => out.extend_from_slice(b"\\b"),
            9 => out.extend_from_slice(b"\\t"),
            10 => out.extend_from_slice(b"\\n"),
            12 => out.extend_from_slice(b"\\f"),
            13 => out.extend_from_slice(b"\\r"),
            _ => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// Kafka's number of a variable length, of one that is not negative.
fn put_length(out: &mut Vec<u8>, number: usize) {
    let mut left = (number as u64) << 1;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
