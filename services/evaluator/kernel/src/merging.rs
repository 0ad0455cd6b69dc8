//! A profile goes into another one: it leaves its segments, and all that stays of it is where it went, what it has
//! seen, and the numbers that it counts on. What it had done is handed over by the core.

use crate::dedup::{digest, remember};
use crate::event::Event;
use crate::halt::{Halt, Result};
use crate::msgpack::{self, Reader};
use crate::profile::{Profile, keep};
use crate::step::Stepping;
use crate::value::Value;

/// The `plan` of a profile that has gone into another: no plan has this revision.
pub const GONE: i64 = -2;
const NIL: &[u8] = &[0xc0];
/// Of a sender among others: the digest of its id, a number and a chunk of 4 bytes each.
const DIGEST: usize = 8;
const ENTRY: usize = DIGEST + 8;

/// What is to be handed over. `history`: whether there is any.
pub struct Leaving {
    pub into: String,
    pub merge: String,
    pub number: i64,
    pub history: bool,
    pub seen: Vec<u8>,
}

/// What a profile knows of those that it has gone into, or that have gone into it.
struct Kin<'a> {
    sent: i64,
    senders: &'a [u8],
    names: &'a str,
}

impl<'a> Kin<'a> {
    fn read(kin: &'a [u8]) -> Result<Self> {
        if kin == NIL {
            return Ok(Kin { sent: 0, senders: &[], names: "" });
        }
        let from = &mut Reader::new(kin);
        from.array_of(6)?;
        from.raw()?; // it has gone nowhere, or its plan would be another one
        from.str()?;
        let sent = from.int()?;
        from.int()?;
        Ok(Kin { sent, senders: from.bin()?, names: from.str()? })
    }

    /// Whether another profile has gone into this one.
    fn knows(&self, sender: &str) -> bool {
        let digest = digest(sender);
        self.senders.chunks_exact(ENTRY).any(|each| each[..DIGEST] == digest)
    }
}

impl<'a> Stepping<'a> {
    /// Applies a `$merge`; None where it changes nothing: it is a repeat, or the other has gone into this one already.
    /// `commit` is the number of the one in the making.
    pub fn merge(&mut self, event: &Event<'a>, now_ms: i64, commit: i64) -> Result<Option<Leaving>> {
        let plan = self.plan;
        if self.profile.plan == GONE {
            return Err(Halt::Lacks("events of a profile that is gone"));
        }
        self.now_ms = now_ms;
        let Some(Value::Str(into)) = event.properties.member("into") else { return Ok(None) };
        let kin = Kin::read(self.profile.kin)?;
        if into.is_empty() || *into == self.profile_id || kin.knows(into) {
            return Ok(None);
        }
        if self.profile.taken != NIL {
            return Err(Halt::Lacks("a merge of a profile with retractions")); // the core drops those that wait
        }
        let Some(seen) = remember(&self.profile.seen, &event.id, now_ms, plan.window_ms, plan.max_ids)? else {
            return Ok(None);
        };
        let history = !self.is_new;
        self.leave("merge", &event.id)?;
        let mut gone = Profile::new(self.profile_id, GONE);
        gone.memberships = std::mem::take(&mut self.profile.memberships);
        gone.number = self.profile.number;
        let number = kin.sent.saturating_add(1);
        let mut out = Vec::new();
        msgpack::put_array(&mut out, 6);
        msgpack::put_str(&mut out, into);
        msgpack::put_str(&mut out, &event.id);
        msgpack::put_int(&mut out, number);
        msgpack::put_int(&mut out, commit);
        msgpack::put_bin(&mut out, kin.senders);
        msgpack::put_str(&mut out, kin.names);
        gone.kin = keep(self.arena, out);
        gone.seen = seen.clone().into();
        self.profile = gone;
        (self.changed, self.is_new) = (true, false);
        Ok(Some(Leaving { into: (*into).to_owned(), merge: event.id.clone().into_owned(), number, history, seen }))
    }

    /// The profile is going for good: it exits every segment that it is in, in the order of their ids.
    fn leave(&mut self, cause: &'static str, event_id: &str) -> Result<()> {
        let plan = self.plan;
        let mut inside: Vec<&str> = Vec::new();
        for each in self.profile.memberships.iter().filter(|each| each.entered_ms.is_some()) {
            inside.push(each.segment);
        }
        inside.sort_unstable();
        for id in inside {
            let found = plan.segments.iter().position(|each| each.as_ref().is_some_and(|each| each.id == id));
            let segment = found.and_then(|at| plan.segments[at].as_ref().map(|segment| (at, segment)));
            let (at, segment) = segment.ok_or(Halt::Lacks("a segment that is no more"))?;
            self.flip(segment, cause, Some(event_id), &[])?;
            self.moves.push((at as u32, false));
        }
        Ok(())
    }
}
