//! A packed record: what is in it, and whether the interpreted decoder would take it in.
//!
//! Whoever can write into topic `events` may write anything. So a record is either one that the core's decoder
//! (`wire/pack`) takes in, or it can't be read here, and the decoder says what is wrong with it.

use foldhash::{HashMap, HashMapExt};

use crate::cache::Key;
use crate::change::Change;
use crate::event::{Event, PROFILE};
use crate::halt::{Halt, Result};
use crate::msgpack::{FEW, Reader, distinct};

const FIRST_MS: i64 = -62_135_596_800_000;
const LAST_MS: i64 = 253_402_300_799_999;
/// Objects and lists within each other; the decoder takes one more.
const DEEPEST: usize = 63;

/// A profile of a record; `workspace` is the place of its workspace.
pub struct Who {
    pub key: Key,
    pub workspace: usize,
}

/// `of` has for each event the place of its profile. `plain`: every change of a profile can
/// be read; others only the decoder can check.
pub struct Record {
    pub workspaces: Vec<String>,
    pub profiles: Vec<Who>,
    pub of: Vec<usize>,
    pub latest_ms: Option<i64>,
    pub plain: bool,
}

impl Record {
    /// A fault of ours leaves the record to the decoder.
    pub fn index(data: &[u8]) -> Result<Record> {
        std::panic::catch_unwind(|| Record::indexed(data)).unwrap_or(Err(Halt::Lacks("a record without a fault of the kernel")))
    }

    fn indexed(data: &[u8]) -> Result<Record> {
        let from = &mut Reader::new(data);
        let count = opened(from)?;
        let room = from.room(count);
        let mut record =
            Record { workspaces: Vec::new(), profiles: Vec::new(), of: Vec::with_capacity(room), latest_ms: None, plain: true };
        let mut known: HashMap<(&str, &str), usize> = HashMap::with_capacity(room);
        for _ in 0..count {
            from.array_of(6)?;
            from.str()?;
            let (workspace, profile, name, time_ms) = (from.str()?, from.str()?, from.str()?, from.int()?);
            if !(FIRST_MS..=LAST_MS).contains(&time_ms) {
                return Err(Halt::Bad("an instant that no calendar knows"));
            }
            if name == PROFILE && Change::read(from.clone().raw()?).is_err() {
                record.plain = false;
            }
            from.clone().map()?;
            sound(from, 0)?;
            record.latest_ms = record.latest_ms.max(Some(time_ms));
            let of = *known.entry((workspace, profile)).or_insert_with(|| record.meet(workspace, profile));
            record.of.push(of);
        }
        if from.done() { Ok(record) } else { Err(Halt::Bad("a record that goes on")) }
    }

    /// The events of the record that was indexed.
    pub fn events<'a>(&self, data: &'a [u8]) -> Result<Vec<Event<'a>>> {
        let from = &mut Reader::new(data);
        opened(from)?;
        let workspace = |place: &usize| self.workspaces[self.profiles[*place].workspace].as_str();
        self.of.iter().map(|place| Event::read(from, workspace(place))).collect()
    }

    fn meet(&mut self, workspace: &str, profile: &str) -> usize {
        let at = self.workspaces.iter().position(|each| each == workspace).unwrap_or_else(|| {
            self.workspaces.push(workspace.to_owned());
            self.workspaces.len() - 1
        });
        let key = [workspace, "\0", profile].concat().into();
        self.profiles.push(Who { key, workspace: at });
        self.profiles.len() - 1
    }
}

fn opened(from: &mut Reader) -> Result<usize> {
    from.array_of(2)?;
    if from.str()? != "e" {
        return Err(Halt::Bad("not a record of events"));
    }
    from.array()
}

/// Passes over a value, which must be one that an event may carry.
fn sound(from: &mut Reader, depth: usize) -> Result<()> {
    if depth > DEEPEST {
        return Err(Halt::Lacks("values so deep"));
    }
    if from.is_array() {
        for _ in 0..from.array()? {
            sound(from, depth + 1)?;
        }
        return Ok(());
    }
    if !matches!(from.peek()?, 0x80..=0x8f | 0xde | 0xdf) {
        return from.value().map(|_| ());
    }
    let count = from.map()?;
    if count > from.room(count) {
        return Err(Halt::Bad("ends too soon"));
    }
    let (mut few, mut many) = ([""; FEW], Vec::new());
    let names = if count > FEW {
        many.resize(count, "");
        &mut many[..]
    } else {
        &mut few[..count]
    };
    for name in names.iter_mut() {
        *name = from.str()?;
        sound(from, depth + 1)?;
    }
    distinct(names.iter().copied())
}
