//! One event, as a record carries it or as the kernel derives it.

use std::borrow::Cow;

use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::value::Value;

pub const PROFILE: &str = "$profile";
/// Takes an earlier event of the profile back (module `retraction`).
pub const RETRACT: &str = "$retract";
/// The profile goes into another one (module `merging`).
pub const MERGE: &str = "$merge";
pub const ATTRIBUTE_CHANGED: &str = "$attribute_changed";
pub const TAG_ADDED: &str = "$tag_added";
pub const TAG_REMOVED: &str = "$tag_removed";
pub const CONSENT_CHANGED: &str = "$consent_changed";
pub const SEGMENT_ENTERED: &str = "$segment_entered";
pub const SEGMENT_EXITED: &str = "$segment_exited";

/// `properties` are empty where the event is `$profile`: then `raw` is read.
pub struct Event<'a> {
    pub id: Cow<'a, str>,
    pub profile: &'a str,
    pub name: &'a str,
    pub time_ms: i64,
    pub properties: Value<'a>,
    pub raw: &'a [u8],
}

impl<'a> Event<'a> {
    /// From the array of a record; None where it is of another workspace.
    pub fn read(from: &mut Reader<'a>, workspace: &str) -> Result<Self> {
        from.array_of(6)?;
        let id = from.str()?;
        if from.str()? != workspace {
            return Err(Halt::Bad("of another workspace"));
        }
        let (profile, name, time_ms) = (from.str()?, from.str()?, from.int()?);
        let raw = from.raw()?;
        let properties = if name == PROFILE { Value::Nil } else { Reader::new(raw).value()? };
        Ok(Event { id: id.into(), profile, name, time_ms, properties, raw })
    }

    pub fn write(&self, workspace: &str, out: &mut Vec<u8>) {
        msgpack::put_array(out, 6);
        for text in [self.id.as_ref(), workspace, self.profile, self.name] {
            msgpack::put_str(out, text);
        }
        msgpack::put_int(out, self.time_ms);
        msgpack::put_value(out, &self.properties);
    }
}

pub fn texts(from: &mut Reader) -> Result<Vec<String>> {
    let mut found = (0..from.array()?).map(|_| from.str().map(str::to_owned)).collect::<Result<Vec<_>>>()?;
    found.shrink_to_fit();
    Ok(found)
}
