//! A profile's state: read from its msgpack and written back. What nothing touches is copied as it is.

use crate::fact::State;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::value::Value;

/// What is written anew lives as long as what was read.
pub type Arena = typed_arena::Arena<Vec<u8>>;

pub fn keep(arena: &Arena, bytes: Vec<u8>) -> &[u8] {
    arena.alloc(bytes)
}

const FIELDS: usize = 18;
const NIL: &[u8] = &[0xc0];
const EMPTY_MAP: &[u8] = &[0x80];
const EMPTY_ARRAY: &[u8] = &[0x90];

/// The latest value by (time, event id). `value` is still encoded.
#[derive(Clone, Copy)]
pub struct Register<'a> {
    pub name: &'a str,
    pub value: &'a [u8],
    pub time_ms: i64,
    pub event_id: &'a str,
}

impl<'a> Register<'a> {
    pub fn read(&self) -> Result<Value<'a>> {
        Reader::new(self.value).value()
    }
}

pub struct Slot<'a> {
    pub fact: i64,
    pub state: State<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Due<'a> {
    Fact(i64),
    Attribute(&'a str),
}

pub struct Membership<'a> {
    pub segment: &'a str,
    pub sequence: i64,
    pub entered_ms: Option<i64>,
}

/// `id` is not part of the state.
pub struct Profile<'a> {
    pub id: &'a str,
    pub plan: i64,
    pub attributes: Vec<Register<'a>>,
    pub tags: &'a [u8],
    pub consent: &'a [u8],
    pub lists: &'a [u8],
    pub groups: &'a [u8],
    pub score: &'a [u8],
    pub increments: &'a [u8],
    pub facts: Vec<Slot<'a>>,
    pub dues: Vec<(Due<'a>, i64)>,
    pub memberships: Vec<Membership<'a>>,
    pub seen: std::borrow::Cow<'a, [u8]>,
    pub removed: &'a [u8],
    pub attribute_bytes: i64,
    pub taken: &'a [u8],
    pub kin: &'a [u8],
    pub increased: &'a [u8],
    /// Among the profiles of its workspace in its partition; 0: not stored yet.
    pub number: i64,
}

impl<'a> Profile<'a> {
    pub fn new(id: &'a str, plan: i64) -> Self {
        Profile {
            id,
            plan,
            attributes: Vec::new(),
            tags: EMPTY_MAP,
            consent: EMPTY_MAP,
            lists: EMPTY_MAP,
            groups: EMPTY_ARRAY,
            score: NIL,
            increments: EMPTY_ARRAY,
            facts: Vec::new(),
            dues: Vec::new(),
            memberships: Vec::new(),
            seen: (&[]).into(),
            removed: EMPTY_MAP,
            attribute_bytes: -1,
            taken: NIL,
            kin: NIL,
            increased: NIL,
            number: 0,
        }
    }

    pub fn decode(id: &'a str, state: &'a [u8]) -> Result<Self> {
        let from = &mut Reader::new(state);
        if from.array()? != FIELDS {
            return Err(Halt::Lacks("states of an older shape"));
        }
        let profile = Profile {
            id,
            plan: from.int()?,
            attributes: registers(from)?,
            tags: from.passed()?,
            consent: from.passed()?,
            lists: from.passed()?,
            groups: from.passed()?,
            score: from.passed()?,
            increments: from.passed()?,
            facts: facts(from)?,
            dues: dues(from)?,
            memberships: memberships(from)?,
            seen: from.bin()?.into(),
            removed: from.passed()?,
            attribute_bytes: from.int()?,
            taken: from.passed()?,
            kin: from.passed()?,
            increased: from.passed()?,
            number: from.int()?,
        };
        if from.done() { Ok(profile) } else { Err(Halt::Bad("goes on after its end")) }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, FIELDS);
        msgpack::put_int(out, self.plan);
        msgpack::put_map(out, self.attributes.len());
        for register in &self.attributes {
            msgpack::put_str(out, register.name);
            msgpack::put_array(out, 3);
            out.extend_from_slice(register.value);
            msgpack::put_int(out, register.time_ms);
            msgpack::put_str(out, register.event_id);
        }
        for part in [self.tags, self.consent, self.lists, self.groups, self.score, self.increments] {
            out.extend_from_slice(part);
        }
        msgpack::put_map(out, self.facts.len());
        for slot in &self.facts {
            msgpack::put_int(out, slot.fact);
            slot.state.encode(out);
        }
        msgpack::put_map(out, self.dues.len());
        for (name, due) in &self.dues {
            match name {
                Due::Fact(fact) => msgpack::put_int(out, *fact),
                Due::Attribute(name) => msgpack::put_str(out, name),
            }
            msgpack::put_int(out, *due);
        }
        msgpack::put_map(out, self.memberships.len());
        for membership in &self.memberships {
            msgpack::put_str(out, membership.segment);
            msgpack::put_array(out, 2);
            msgpack::put_int(out, membership.sequence);
            msgpack::put_int_or_nil(out, membership.entered_ms);
        }
        msgpack::put_bin(out, &self.seen);
        out.extend_from_slice(self.removed);
        msgpack::put_int(out, self.attribute_bytes);
        for part in [self.taken, self.kin, self.increased] {
            out.extend_from_slice(part);
        }
        msgpack::put_int(out, self.number);
    }

    /// Whether nothing was taken back by it, and it is kin of nobody.
    pub fn is_plain(&self) -> bool {
        self.taken == NIL && self.kin == NIL
    }

    pub fn wake_at(&self) -> Option<i64> {
        self.dues.iter().map(|due| due.1).min()
    }

    /// Whether attributes were removed, whose parts a late write must not bring back.
    pub fn has_removed(&self) -> bool {
        self.removed != EMPTY_MAP
    }

    pub fn slot(&self, fact: i64) -> Option<usize> {
        self.facts.iter().position(|slot| slot.fact == fact)
    }

    pub fn put(&mut self, fact: i64, state: State<'a>) {
        match self.slot(fact) {
            Some(at) => self.facts[at].state = state,
            None => self.facts.push(Slot { fact, state }),
        }
    }

    pub fn set_due(&mut self, name: Due<'a>, due: Option<i64>) {
        let at = self.dues.iter().position(|each| each.0 == name);
        match (at, due) {
            (Some(at), Some(due)) => self.dues[at].1 = due,
            (None, Some(due)) => self.dues.push((name, due)),
            (Some(at), None) => {
                self.dues.remove(at);
            }
            (None, None) => {}
        }
    }

    pub fn is_member(&self, segment: &str) -> bool {
        self.memberships.iter().any(|each| each.segment == segment && each.entered_ms.is_some())
    }

    pub fn attribute(&self, name: &str) -> Option<&Register<'a>> {
        self.attributes.iter().find(|register| register.name == name)
    }
}

fn registers<'a>(from: &mut Reader<'a>) -> Result<Vec<Register<'a>>> {
    let count = from.map()?;
    let mut found = Vec::with_capacity(from.room(count));
    for _ in 0..count {
        let name = from.str()?;
        from.array_of(3)?;
        found.push(Register { name, value: from.passed()?, time_ms: from.int()?, event_id: from.str()? });
    }
    Ok(found)
}

fn facts<'a>(from: &mut Reader<'a>) -> Result<Vec<Slot<'a>>> {
    let count = from.map()?;
    let mut found = Vec::with_capacity(from.room(count) + 4);
    for _ in 0..count {
        found.push(Slot { fact: from.int()?, state: State::Raw(from.passed()?) });
    }
    Ok(found)
}

fn dues<'a>(from: &mut Reader<'a>) -> Result<Vec<(Due<'a>, i64)>> {
    let count = from.map()?;
    let mut found = Vec::with_capacity(from.room(count) + 4);
    for _ in 0..count {
        let name = if from.is_str() { Due::Attribute(from.str()?) } else { Due::Fact(from.int()?) };
        found.push((name, from.int()?));
    }
    Ok(found)
}

fn memberships<'a>(from: &mut Reader<'a>) -> Result<Vec<Membership<'a>>> {
    let count = from.map()?;
    let mut found = Vec::with_capacity(from.room(count) + 4);
    for _ in 0..count {
        let segment = from.str()?;
        from.array_of(2)?;
        found.push(Membership { segment, sequence: from.int()?, entered_ms: from.int_or_nil()? });
    }
    Ok(found)
}
