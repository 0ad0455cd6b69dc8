//! A `$profile` event applied: last-writer-wins registers by (time, event id), and the events derived from it.

use crate::bounds::measure;
use crate::change::{Change, Consent};
use crate::event::{ATTRIBUTE_CHANGED, CONSENT_CHANGED, Event, TAG_ADDED, TAG_REMOVED};
use crate::halt::{Halt, Result};
use crate::msgpack;
use crate::parts;
use crate::plan::ANY_TAG;
use crate::profile::{Due, Register, keep};
use crate::registered::{WAITING, write, write_list};
use crate::score;
use crate::step::Stepping;
use crate::value::Value;

const NIL: &[u8] = &[0xc0];

impl<'a> Stepping<'a> {
    /// `change` is what the event asks for; it keeps within the bounds.
    pub(crate) fn change(&mut self, event: &Event<'a>, change: &Change<'a>) -> Result<()> {
        if !change.attributes.is_empty() {
            measure(&mut self.profile)?;
        }
        let stamp = (event.time_ms, own_id(event)?);
        for (name, value) in &change.attributes {
            if *value == NIL {
                self.take_along(name, stamp, &change.attributes)?;
            } else if parts::is_removed(&self.profile, name, stamp)? {
                if self.profile.attribute(name).is_none() {
                    self.write_attribute(Register { name, value: NIL, time_ms: stamp.0, event_id: stamp.1 })?;
                }
                continue;
            }
            self.write_attribute(Register { name, value, time_ms: stamp.0, event_id: stamp.1 })?;
        }
        if !change.groups.is_empty() {
            let groups = self.grouped(&change.groups)?;
            self.profile.groups = groups;
            self.derived_attribute("groups", groups, stamp)?;
        }
        if let Some(written) = &change.score {
            let total = score::write(&mut self.profile, written, stamp, self.arena)?;
            self.derived_attribute("score", keep(self.arena, total), stamp)?;
        }
        for (name, present) in &change.tags {
            self.write_tag(name, *present, stamp)?;
        }
        for (at, item) in change.consent.iter().enumerate() {
            let pair = item.pair();
            if change.consent[..at].iter().any(|each| each.pair() == pair) {
                continue; // it was written in the place of the first of its pair
            }
            let last = change.consent.iter().rev().find(|each| each.pair() == pair).unwrap_or(item);
            self.write_consent(&pair, last, stamp)?;
        }
        for (name, present) in &change.lists {
            self.write_listed(name, *present, &change.versions, stamp)?;
        }
        Ok(())
    }

    fn write_attribute(&mut self, register: Register<'a>) -> Result<()> {
        let new = register.read()?;
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
        if old.same(&new)? { Ok(()) } else { self.changed(register.name, old, new, (register.time_ms, register.event_id)) }
    }

    /// Removes the parts of an attribute that is removed, but those that the same event writes.
    fn take_along(&mut self, name: &'a str, stamp: (i64, &'a str), written: &[(&str, &[u8])]) -> Result<()> {
        for part in parts::remove(&mut self.profile, name, stamp, self.arena)? {
            let at = self.profile.attributes.iter().position(|each| each.name == part);
            let Some(at) = at.filter(|_| !written.iter().any(|each| each.0 == part)) else { continue };
            let old = self.profile.attributes[at].read()?;
            self.profile.attributes[at] = Register { name: part, value: NIL, time_ms: stamp.0, event_id: stamp.1 };
            self.profile.attribute_bytes -= old.size();
            self.changed(part, old, Value::Nil, stamp)?;
        }
        Ok(())
    }

    /// The attributes `groups` and `score`, whose value doesn't follow from the latest write alone.
    fn derived_attribute(&mut self, name: &'static str, value: &'a [u8], stamp: (i64, &'a str)) -> Result<()> {
        let register = Register { name, value, time_ms: stamp.0, event_id: stamp.1 };
        let new = register.read()?;
        let at = self.profile.attributes.iter().position(|each| each.name == name);
        let old = at.map_or(Ok(Value::Nil), |at| self.profile.attributes[at].read())?;
        if old.same(&new)? {
            return Ok(());
        }
        match at {
            Some(at) => self.profile.attributes[at] = register,
            None => self.profile.attributes.push(register),
        }
        self.changed(name, old, new, stamp)
    }

    fn changed(&mut self, name: &'a str, old: Value<'a>, new: Value<'a>, stamp: (i64, &'a str)) -> Result<()> {
        if let Some(watch) = self.plan.watches.get(name) {
            watch.changed(&old, &new, self.now_ms, &self.profile.facts, &mut self.affected)?;
            self.profile.set_due(Due::Attribute(name), watch.due(&new, self.now_ms)?);
        }
        let properties = Value::Map(vec![("name", Value::Str(name)), ("from", old), ("to", new)]);
        self.derive(ATTRIBUTE_CHANGED, format!("{}~attribute~{name}", stamp.1), properties, stamp.0)
    }

    fn grouped(&self, more: &[&str]) -> Result<&'a [u8]> {
        let mut groups = more.to_vec();
        let from = &mut msgpack::Reader::new(self.profile.groups);
        for _ in 0..from.array()? {
            groups.push(from.str()?);
        }
        groups.sort_unstable();
        groups.dedup();
        let mut out = Vec::new();
        msgpack::put_array(&mut out, groups.len());
        groups.iter().for_each(|group| msgpack::put_str(&mut out, group));
        Ok(keep(self.arena, out))
    }

    fn write_tag(&mut self, name: &'a str, present: bool, stamp: (i64, &'a str)) -> Result<()> {
        let Some((tags, old)) = write(self.profile.tags, name, &[if present { 0xc3 } else { 0xc2 }], stamp)? else {
            return Ok(());
        };
        self.profile.tags = keep(self.arena, tags);
        if matches!(old, Value::Bool(true)) == present {
            return Ok(());
        }
        for name in [name, ANY_TAG] {
            if let Some(reach) = self.plan.tags.get(name) {
                reach.collect(&self.profile.facts, &mut self.affected);
            }
        }
        let kind = if present { TAG_ADDED } else { TAG_REMOVED };
        let properties = Value::Map(vec![("name", Value::Str(name))]);
        self.derive(kind, format!("{}~tag~{name}", stamp.1), properties, stamp.0)
    }

    fn write_consent(&mut self, pair: &str, item: &Consent<'a>, stamp: (i64, &'a str)) -> Result<()> {
        let mut state = Vec::new();
        msgpack::put_str(&mut state, item.state);
        let Some((consent, old)) = write(self.profile.consent, pair, &state, stamp)? else { return Ok(()) };
        self.profile.consent = keep(self.arena, consent);
        let before = if let Value::Str(before) = old { before } else { "none" };
        if before == item.state {
            return Ok(());
        }
        if let Some(reach) = self.plan.consents.get(pair) {
            reach.collect(&self.profile.facts, &mut self.affected);
        }
        let text_or_nil = |text: Option<&'a str>| text.map_or(Value::Nil, Value::Str);
        let properties = Value::Map(vec![
            ("channel", text_or_nil(item.channel)),
            ("topic", text_or_nil(item.topic)),
            ("from", Value::Str(before)),
            ("to", Value::Str(item.state)),
        ]);
        self.derive(CONSENT_CHANGED, format!("{}~consent~{}", stamp.1, pair.replace('\0', "~")), properties, stamp.0)
    }

    fn write_listed(&mut self, name: &str, present: bool, versions: &[(&str, i64)], stamp: (i64, &str)) -> Result<()> {
        let list = self.plan.lists.get(name);
        let named = versions.iter().rev().find(|each| each.0 == name).map_or(0, |each| each.1);
        let version = if named == 0 { list.map_or(0, |list| list.version) } else { named };
        let waiting = format!("{WAITING}{name}");
        let key = if version == 0 { waiting.as_str() } else { name };
        let Some(lists) = write_list(self.profile.lists, key, present, stamp, version)? else { return Ok(()) };
        self.profile.lists = keep(self.arena, lists);
        self.affected.extend(list.map(|list| list.position));
        Ok(())
    }

    fn derive(&mut self, name: &'static str, id: String, properties: Value<'a>, time_ms: i64) -> Result<()> {
        let derived = Event { id: id.into(), profile: self.profile_id, name, time_ms, properties, raw: &[] };
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

pub fn is_derived(name: &str) -> bool {
    name == "groups" || name == "score"
}

pub fn name_size(name: &str) -> i64 {
    1 + name.len() as i64
}
