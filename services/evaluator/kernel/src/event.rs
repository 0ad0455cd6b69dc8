//! One event, as a record carries it or as the kernel derives it.

use std::borrow::Cow;

use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::value::{Question, Test, Value, flat, walk};

pub const PROFILE: &str = "$profile";
pub const ATTRIBUTE_CHANGED: &str = "$attribute_changed";
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

/// A test on a property of an event.
pub struct Filter {
    pub path: Vec<String>,
    pub question: Question,
}

impl Filter {
    /// From [path, question].
    pub fn read(from: &mut Reader) -> Result<Filter> {
        from.array_of(2)?;
        Ok(Filter { path: texts(from)?, question: Question::read(from)? })
    }

    pub fn all(from: &mut Reader) -> Result<Vec<Filter>> {
        (0..from.array()?).map(|_| Filter::read(from)).collect()
    }

    /// Whether it is an equality by which events can be led here.
    pub fn is_handle(&self) -> bool {
        matches!(self.question.test, Test::OneOf { .. }) && !self.question.denied && !self.question.without
    }

    pub fn holds(&self, properties: &Value) -> Result<bool> {
        let (values, question) = (walk(&self.path, properties), &self.question);
        let mut verdicts = Vec::new();
        match question.test {
            Test::Exists => return Ok(values.is_empty() == question.denied),
            Test::Has { .. } => values.iter().for_each(|value| verdicts.push(question.test.verdict(value))),
            _ => values.iter().for_each(|value| flat(value, &mut |item| verdicts.push(question.test.verdict(item)))),
        }
        let (mut compared, mut any) = (false, false);
        for verdict in verdicts {
            if let Some(verdict) = verdict? {
                (compared, any) = (true, any || verdict);
            }
        }
        Ok(if compared { any != question.denied } else { question.without })
    }
}

pub fn texts(from: &mut Reader) -> Result<Vec<String>> {
    (0..from.array()?).map(|_| from.str().map(str::to_owned)).collect()
}
