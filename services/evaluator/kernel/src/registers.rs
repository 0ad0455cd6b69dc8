//! A `$profile` event applied: last-writer-wins registers by (time, event id), and the events derived from it.

use crate::event::{ATTRIBUTE_CHANGED, Event};
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::profile::{Due, Register};
use crate::step::Stepping;
use crate::value::Value;

impl<'a> Stepping<'a> {
    /// A `$profile` event with attributes alone.
    pub(crate) fn change(&mut self, event: &Event<'a>) -> Result<()> {
        let from = &mut Reader::new(event.raw);
        let parts = from.map()?;
        if parts == 0 {
            return Ok(());
        }
        if parts > 1 || from.str()? != "attributes" {
            return Err(Halt::Lacks("changes but of attributes"));
        }
        let count = from.map()?;
        let mut written: Vec<Register<'a>> = Vec::with_capacity(from.room(count));
        for _ in 0..count {
            let (name, value) = (from.str()?, from.raw()?);
            if written.iter().any(|register| register.name == name) {
                return Err(Halt::Lacks("a key that stands twice"));
            }
            if self.profile.has_removed() && name.contains('.') {
                return Err(Halt::Lacks("parts of removed attributes"));
            }
            written.push(Register { name, value, time_ms: event.time_ms, event_id: "" });
        }
        if written.is_empty() {
            return Ok(());
        }
        self.measure()?;
        self.bounded(&written)?;
        let id = own_id(event)?;
        for register in written {
            self.write(Register { event_id: id, ..register })?;
        }
        Ok(())
    }

    /// The bytes that the attributes take, where they were stored without.
    fn measure(&mut self) -> Result<()> {
        if self.profile.attribute_bytes >= 0 {
            return Ok(());
        }
        let mut bytes = 0;
        for register in &self.profile.attributes {
            if !is_derived(register.name) {
                bytes += name_size(register.name) + register.read()?.size();
            }
        }
        self.profile.attribute_bytes = bytes;
        Ok(())
    }

    /// Fails where the interpreted core would refuse the change.
    fn bounded(&self, written: &[Register]) -> Result<()> {
        let (mut new, mut growth) = (0, 0);
        for register in written {
            match self.profile.attribute(register.name) {
                None => {
                    new += 1;
                    growth += name_size(register.name);
                }
                Some(known) => growth -= known.read()?.size(),
            }
            growth += register.read()?.size();
        }
        let derived = self.profile.attributes.iter().filter(|register| is_derived(register.name)).count() as i64;
        let many = self.profile.attributes.len() as i64 - derived + new > self.plan.max_attributes;
        let large = growth > 0 && self.profile.attribute_bytes + growth > self.plan.max_attribute_bytes;
        if (new > 0 && many) || large { Err(Halt::Lacks("profiles that are full")) } else { Ok(()) }
    }

    fn write(&mut self, register: Register<'a>) -> Result<()> {
        let new = register.read()?;
        if matches!(new, Value::Nil) {
            return Err(Halt::Lacks("removed attributes"));
        }
        let at = self.profile.attributes.iter().position(|each| each.name == register.name);
        let old = match at {
            Some(at) => {
                let known = self.profile.attributes[at];
                if (register.time_ms, register.event_id) < (known.time_ms, known.event_id) {
                    return Ok(());
                }
                self.profile.attributes[at] = register;
                known.read()?
            }
            None => {
                self.profile.attribute_bytes += name_size(register.name);
                self.profile.attributes.push(register);
                Value::Nil
            }
        };
        self.profile.attribute_bytes += new.size() - old.size();
        if old.same(&new)? {
            return Ok(());
        }
        if let Some(watch) = self.plan.watches.get(register.name) {
            watch.changed(&old, &new, self.now_ms, &self.profile.facts, &mut self.affected)?;
            self.profile.set_due(Due::Attribute(register.name), watch.due(&new, self.now_ms)?);
        }
        let properties = Value::Map(vec![("name", Value::Str(register.name)), ("from", old), ("to", new)]);
        let derived = Event {
            id: format!("{}~attribute~{}", register.event_id, register.name).into(),
            profile: self.profile_id,
            name: ATTRIBUTE_CHANGED,
            time_ms: register.time_ms,
            properties,
            raw: &[],
        };
        derived.write(&self.plan.workspace, &mut self.derived);
        self.events += 1;
        self.feed(&derived, None)
    }
}

/// The id of an event that came in a record, and so lives as long as the record.
fn own_id<'a>(event: &Event<'a>) -> Result<&'a str> {
    match event.id {
        std::borrow::Cow::Borrowed(id) => Ok(id),
        std::borrow::Cow::Owned(_) => Err(Halt::Bad("a change that was derived")),
    }
}

fn is_derived(name: &str) -> bool {
    name == "groups" || name == "score"
}

fn name_size(name: &str) -> i64 {
    1 + name.len() as i64
}
