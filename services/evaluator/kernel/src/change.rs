//! What a `$profile` event asks for, as the core's `ProfileChange`.

use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::value::Value;

const OPTED: [&str; 3] = ["opted_in", "opted_out", "none"];

/// `attributes`: name and value, still encoded. `score`: a number that it is set to, or else by which it goes up.
#[derive(Default)]
pub struct Change<'a> {
    pub attributes: Vec<(&'a str, &'a [u8])>,
    pub tags: Vec<(&'a str, bool)>,
    pub consent: Vec<Consent<'a>>,
    pub score: Option<Score<'a>>,
    pub groups: Vec<&'a str>,
    pub lists: Vec<(&'a str, bool)>,
    pub versions: Vec<(&'a str, i64)>,
}

pub struct Consent<'a> {
    pub channel: Option<&'a str>,
    pub topic: Option<&'a str>,
    pub state: &'static str,
}

#[derive(Default)]
pub struct Score<'a> {
    pub set: Option<&'a [u8]>,
    pub increment: Option<&'a [u8]>,
}

impl Consent<'_> {
    /// The name of its register.
    pub fn pair(&self) -> String {
        format!("{}\0{}", self.channel.unwrap_or(""), self.topic.unwrap_or(""))
    }
}

impl<'a> Change<'a> {
    pub fn read(raw: &'a [u8]) -> Result<Self> {
        let from = &mut Reader::new(raw);
        let mut change = Change::default();
        let (mut tags, mut lists) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        let mut seen = Vec::new();
        for _ in 0..from.map()? {
            let name = from.str()?;
            if seen.contains(&name) {
                return Err(TWICE);
            }
            seen.push(name);
            match name {
                "attributes" => {
                    for _ in 0..from.map()? {
                        let name = from.str()?;
                        if change.attributes.iter().any(|each| each.0 == name) {
                            return Err(TWICE);
                        }
                        change.attributes.push((name, from.raw()?));
                    }
                }
                "tags_add" => tags.0 = texts(from)?,
                "tags_remove" => tags.1 = texts(from)?,
                "lists_add" => lists.0 = texts(from)?,
                "lists_remove" => lists.1 = texts(from)?,
                "groups" => change.groups = texts(from)?,
                "consent" => {
                    for _ in 0..from.array()? {
                        change.consent.push(consent(from)?);
                    }
                }
                "score" if from.is_nil() => from.nil()?,
                "score" => change.score = Some(score(from)?),
                "lists_versions" => {
                    for _ in 0..from.map()? {
                        change.versions.push((from.str()?, from.int()?));
                    }
                }
                _ => return Err(Halt::Lacks("changes of another kind")),
            }
        }
        change.tags = switched(&tags.0, &tags.1);
        change.lists = switched(&lists.0, &lists.1);
        Ok(change)
    }
}

const TWICE: Halt = Halt::Lacks("a key that stands twice");

fn texts<'a>(from: &mut Reader<'a>) -> Result<Vec<&'a str>> {
    (0..from.array()?).map(|_| from.str()).collect()
}

/// Each name once. A name that is both added and removed is removed.
fn switched<'a>(added: &[&'a str], removed: &[&'a str]) -> Vec<(&'a str, bool)> {
    let mut found: Vec<(&str, bool)> = Vec::with_capacity(added.len() + removed.len());
    for (names, present) in [(added, true), (removed, false)] {
        for name in names {
            match found.iter_mut().find(|each| each.0 == *name) {
                Some(known) => known.1 = present,
                None => found.push((name, present)),
            }
        }
    }
    found
}

fn consent<'a>(from: &mut Reader<'a>) -> Result<Consent<'a>> {
    let mut made = Consent { channel: None, topic: None, state: "" };
    for _ in 0..from.map()? {
        match from.str()? {
            "channel" => made.channel = text_or_nil(from)?,
            "topic" => made.topic = text_or_nil(from)?,
            "state" => {
                let state = from.str()?;
                made.state = OPTED.into_iter().find(|each| *each == state).ok_or(Halt::Bad("a consent of another state"))?;
            }
            _ => return Err(Halt::Lacks("changes of another kind")),
        }
    }
    if made.state.is_empty() { Err(Halt::Bad("a consent without a state")) } else { Ok(made) }
}

fn score<'a>(from: &mut Reader<'a>) -> Result<Score<'a>> {
    let mut made = Score::default();
    for _ in 0..from.map()? {
        let name = from.str()?;
        let raw = from.raw()?;
        let is_number = matches!(Reader::new(raw).value()?, Value::Int(_) | Value::Float(_));
        match name {
            "reason" if raw == [0xc0] || Reader::new(raw).is_str() => {}
            "set" | "increment" if raw == [0xc0] => {}
            "set" if is_number => made.set = Some(raw),
            "increment" if is_number => made.increment = Some(raw),
            _ => return Err(Halt::Lacks("changes of another kind")),
        }
    }
    Ok(made)
}

fn text_or_nil<'a>(from: &mut Reader<'a>) -> Result<Option<&'a str>> {
    if from.is_nil() { from.nil().map(|()| None) } else { from.str().map(Some) }
}
