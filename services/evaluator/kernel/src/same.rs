//! Sequences whose steps share a value: the same cart, the same ticket, the same product. They are kept apart for
//! every value, and an event goes to the parts of its values (modules `same` and `apart` of the core).

use std::borrow::Cow;

use crate::absent::{Absent, Awaited};
use crate::entries::LISTED;
use crate::chain::{Begun, Present};
use crate::event::Event;
use crate::filter::{Filter, hold};
use crate::fold::text;
use crate::halt::{Halt, Result};
use crate::heap;
use crate::msgpack::{self, Reader};
use crate::trail::{self, Stamp, Stamps, Trail};
use crate::value::{Value, flat, walk};
use crate::window::FOREVER;

/// So many values of one event count.
const MAX_VALUES: usize = 100;
/// A heap of due times has at most so many entries more than twice the parts.
const SPARE: usize = 8;
const MANY: Halt = Halt::Lacks("values of a sequence in chunks");
const OTHER: Halt = Halt::Bad("a state of another kind");

pub enum Chain {
    Absent(Absent),
    Present(Present),
}

enum Firsts<'a> {
    Awaited(Awaited<'a>),
    Begun(Begun<'a>),
}

pub struct Step {
    pub names: Vec<String>,
    pub filters: Vec<Filter>,
}

/// `path`: of the property that the events share.
pub struct Same {
    pub chain: Chain,
    pub trail: Trail,
    pub steps: Vec<Step>,
    pub path: Vec<String>,
}

/// What is kept for one value; the fields are those of the core's struct of this name.
struct Part<'a> {
    chain: Option<Firsts<'a>>,
    trails: Vec<Stamps<'a>>,
    last: Stamp<'a>,
    size: i64,
    due_ms: Option<i64>,
}

/// Few parts, by the value as text; those that had an event last come last.
pub struct Apart<'a> {
    parts: Vec<(Cow<'a, str>, Part<'a>)>,
    queue: Vec<(i64, Cow<'a, str>)>,
    total: i64,
    until: i64,
    best: Option<Cow<'a, str>>,
}

impl<'a> Apart<'a> {
    fn empty() -> Self {
        Apart { parts: Vec::new(), queue: Vec::new(), total: 0, until: 0, best: None }
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 5);
        msgpack::put_map(out, self.parts.len());
        for (value, part) in &self.parts {
            msgpack::put_str(out, value);
            part.encode(out);
        }
        msgpack::put_array(out, self.queue.len());
        for (due, value) in &self.queue {
            msgpack::put_array(out, 2);
            msgpack::put_int(out, *due);
            msgpack::put_str(out, value);
        }
        msgpack::put_int(out, self.total);
        msgpack::put_int(out, self.until);
        match &self.best {
            Some(best) => msgpack::put_str(out, best),
            None => out.push(0xc0),
        }
    }

    fn place(&self, value: &str) -> Option<usize> {
        self.parts.iter().position(|each| each.0 == value)
    }

    fn is_valid(&self, entry: &(i64, Cow<str>)) -> bool {
        self.place(&entry.1).is_some_and(|at| self.parts[at].1.due_ms == Some(entry.0))
    }

    fn next_due(&mut self) -> Option<(i64, Cow<'a, str>)> {
        while self.queue.first().is_some_and(|entry| !self.is_valid(entry)) {
            heap::pop(&mut self.queue);
        }
        self.queue.first().cloned()
    }

    fn drop(&mut self, value: &str) {
        if self.best.as_deref() == Some(value) {
            (self.until, self.best) = (0, None);
        }
        if let Some(at) = self.place(value) {
            let (_, part) = self.parts.remove(at);
            self.total = self.total.saturating_sub(part.size);
        }
    }

    fn find_best(&mut self) {
        (self.until, self.best) = (0, None);
        for (value, part) in &self.parts {
            let until = part.chain.as_ref().map_or(0, Firsts::until);
            if until > self.until {
                (self.until, self.best) = (until, Some(value.clone()));
            }
        }
    }

    /// After any change of a part.
    fn note(&mut self, at: usize, now_ms: i64) -> Result<()> {
        let (value, part) = &mut self.parts[at];
        let value = value.clone();
        let size = part.trails.iter().map(Stamps::len).sum::<usize>() + part.chain.as_ref().map_or(0, Firsts::size);
        self.total = self.total.saturating_add(size as i64).saturating_sub(part.size);
        part.size = size as i64;
        let (before, due) = (part.due_ms, part.chain.as_mut().map_or(Ok(None), |chain| chain.due(now_ms))?);
        part.due_ms = due;
        let until = part.chain.as_ref().map_or(0, Firsts::until);
        if let Some(due) = due.filter(|_| due != before) {
            heap::push(&mut self.queue, (due, value.clone()));
        }
        if self.queue.len() > 2 * self.parts.len() + SPARE {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|entry| self.is_valid(entry));
            queue.sort_unstable();
            queue.dedup();
            self.queue = queue;
        }
        if until >= self.until {
            if until > now_ms {
                (self.until, self.best) = (until, Some(value));
            }
        } else if self.best.as_ref() == Some(&value) {
            self.find_best();
        }
        Ok(())
    }
}

impl<'a> Part<'a> {
    fn encode(&self, out: &mut Vec<u8>) {
        msgpack::put_array(out, 5);
        match &self.chain {
            Some(Firsts::Awaited(awaited)) => awaited.encode(out),
            Some(Firsts::Begun(begun)) => begun.encode(out),
            None => out.push(0xc0),
        }
        msgpack::put_array(out, self.trails.len());
        self.trails.iter().for_each(|stamps| stamps.encode(out));
        trail::put_stamp(&self.last, out);
        msgpack::put_int(out, self.size);
        msgpack::put_int_or_nil(out, self.due_ms);
    }
}

impl Firsts<'_> {
    fn until(&self) -> i64 {
        match self {
            Firsts::Awaited(awaited) => awaited.until(),
            Firsts::Begun(begun) => begun.until(),
        }
    }

    fn size(&self) -> usize {
        match self {
            Firsts::Awaited(awaited) => awaited.size(),
            Firsts::Begun(begun) => begun.size(),
        }
    }

    /// When the clock changes it; None where all that it can do is to end it, which `until` says.
    fn due(&mut self, now_ms: i64) -> Result<Option<i64>> {
        match self {
            Firsts::Awaited(awaited) => Ok(awaited.due_ms.filter(|_| awaited.is_open())),
            Firsts::Begun(begun) if begun.is_waiting() => begun.next_ms(now_ms),
            Firsts::Begun(_) => Ok(None),
        }
    }
}

impl Same {
    pub fn decode<'a>(&self, from: &mut Reader<'a>) -> Result<Apart<'a>> {
        if !from.is_array() {
            return Err(MANY);
        }
        from.array_of(5)?;
        let mut state = Apart::empty();
        for _ in 0..from.map()? {
            let value = from.str()?;
            state.parts.push((value.into(), self.part(from)?));
        }
        for _ in 0..from.array()? {
            from.array_of(2)?;
            state.queue.push((from.int()?, from.str()?.into()));
        }
        (state.total, state.until) = (from.int()?, from.int()?);
        state.best = if from.is_nil() { from.nil().map(|()| None)? } else { Some(from.str()?.into()) };
        Ok(state)
    }

    fn part<'a>(&self, from: &mut Reader<'a>) -> Result<Part<'a>> {
        from.array_of(5)?;
        let chain = if from.is_nil() {
            from.nil().map(|()| None)?
        } else {
            Some(match &self.chain {
                Chain::Absent(_) => Firsts::Awaited(Awaited::decode(from)?),
                Chain::Present(_) => Firsts::Begun(Begun::decode(from)?),
            })
        };
        from.array_of(self.steps.len() - 1)?;
        let trails = (1..self.steps.len()).map(|_| Stamps::decode(from, ())).collect::<Result<_>>()?;
        Ok(Part { chain, trails, last: trail::stamp(from)?, size: from.int()?, due_ms: from.int_or_nil()? })
    }

    pub fn add<'a>(&self, state: Option<Apart<'a>>, event: &Event<'a>, now_ms: i64) -> Result<Option<Apart<'a>>> {
        let mut state = state;
        if let Some(state) = &mut state {
            self.settle(state, now_ms)?;
        }
        if state.as_ref().is_some_and(|state| self.is_over(state)) {
            return Ok(state);
        }
        let mut at = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            if step.names.iter().any(|name| name == event.name) && hold(&step.filters, &event.properties, event.time_ms)? {
                at.push(index);
            }
        }
        if at.is_empty() || !self.trail.wants(event.time_ms, now_ms)? {
            return Ok(state);
        }
        let values = self.values(event)?;
        if values.is_empty() {
            return Ok(state);
        }
        let mut state = state.unwrap_or_else(Apart::empty);
        while let Some((oldest, part)) = state.parts.first() {
            if self.trail.wants(part.last.0, now_ms)? {
                break;
            }
            let oldest = oldest.clone();
            state.drop(&oldest);
        }
        for value in values {
            self.take(&mut state, value, event, &at, now_ms)?;
        }
        if self.is_over(&state) {
            return Ok(Some(Apart { until: state.until, best: state.best, ..Apart::empty() }));
        }
        if state.parts.len() > LISTED || state.total > LISTED as i64 { Err(MANY) } else { Ok(Some(state)) }
    }

    /// Whether nothing but a retraction can undo what has come about.
    fn is_over(&self, state: &Apart) -> bool {
        matches!(self.chain, Chain::Present(_)) && state.until == FOREVER
    }

    /// The values of an event, as texts, each once.
    fn values(&self, event: &Event) -> Result<Vec<String>> {
        let mut items = Vec::new();
        for value in walk(&self.path, &event.properties) {
            flat(value, &mut |item| items.push(item));
        }
        items.truncate(MAX_VALUES);
        let scalars = items.into_iter().filter(|item| !matches!(item, Value::Nil | Value::Map(_)));
        let mut texts = scalars.map(text).collect::<Result<Vec<_>>>()?;
        texts.sort_unstable();
        texts.dedup();
        Ok(texts)
    }

    fn take<'a>(&self, state: &mut Apart<'a>, value: String, event: &Event<'a>, at: &[usize], now_ms: i64) -> Result<()> {
        let stamp: Stamp = (event.time_ms, event.id.clone());
        let place = match state.place(&value) {
            Some(place) if stamp >= state.parts[place].1.last => {
                let (value, part) = state.parts.remove(place);
                state.parts.push((value, Part { last: stamp.clone(), ..part }));
                state.parts.len() - 1
            }
            Some(place) => place,
            None => {
                let trails = (1..self.steps.len()).map(|_| Stamps::empty()).collect();
                let part = Part { chain: None, trails, last: stamp.clone(), size: 0, due_ms: None };
                state.parts.push((value.into(), part));
                state.parts.len() - 1
            }
        };
        let part = &mut state.parts[place].1;
        let later: Vec<usize> = at.iter().filter_map(|index| index.checked_sub(1)).collect();
        for index in &later {
            self.trail.add(&mut part.trails[*index], &stamp, now_ms)?;
        }
        let first = at.contains(&0);
        if first {
            part.chain = match (&self.chain, part.chain.take()) {
                (Chain::Absent(kind), None) => kind.add(None, &stamp, now_ms)?.map(Firsts::Awaited),
                (Chain::Absent(kind), Some(Firsts::Awaited(chain))) => kind.add(Some(chain), &stamp, now_ms)?.map(Firsts::Awaited),
                (Chain::Present(kind), None) => kind.add(None, &stamp, now_ms)?.map(Firsts::Begun),
                (Chain::Present(kind), Some(Firsts::Begun(chain))) => kind.add(Some(chain), &stamp, now_ms)?.map(Firsts::Begun),
                _ => return Err(OTHER),
            };
        }
        let trails: Vec<&Stamps> = part.trails.iter().collect();
        match (&self.chain, &mut part.chain) {
            (_, None) => {}
            (Chain::Absent(kind), Some(Firsts::Awaited(chain))) => kind.follow(chain, &stamp, first, &later, &trails, now_ms)?,
            (Chain::Present(kind), Some(Firsts::Begun(chain))) => kind.follow(chain, &stamp, first, &later, &trails, now_ms)?,
            _ => return Err(OTHER),
        }
        state.note(place, now_ms)
    }

    /// What the clock alone has changed.
    pub fn settle(&self, state: &mut Apart, now_ms: i64) -> Result<()> {
        while let Some((due, value)) = state.next_due().filter(|entry| entry.0 <= now_ms) {
            let place = state.place(&value).ok_or(OTHER)?;
            let part = &mut state.parts[place].1;
            if !self.trail.wants(part.last.0, now_ms)? {
                state.drop(&value);
                continue;
            }
            let trails: Vec<&Stamps> = part.trails.iter().collect();
            match (&self.chain, &mut part.chain) {
                (Chain::Absent(kind), Some(Firsts::Awaited(chain))) => kind.settle(chain, &trails, now_ms)?,
                (Chain::Present(kind), Some(Firsts::Begun(chain))) => kind.settle(chain, now_ms)?,
                _ => return Err(OTHER),
            }
            state.note(place, now_ms)?;
            if state.parts[place].1.due_ms == Some(due) {
                return Err(Halt::Bad("a due time that fired lies in the past"));
            }
        }
        Ok(())
    }

    /// Of a state that is settled.
    pub fn value(&self, state: &Apart, now_ms: i64) -> bool {
        now_ms < state.until
    }

    pub fn next_ms(&self, state: &mut Apart, now_ms: i64) -> Option<i64> {
        if now_ms < state.until {
            return (state.until < FOREVER).then_some(state.until);
        }
        state.next_due().map(|entry| entry.0)
    }
}
