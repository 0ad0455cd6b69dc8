//! A profile's score: the latest `set` and all increments after it, added exactly.

use crate::change::Score;
use crate::exact::{Exact, Number};
use crate::fold::{number, put_number};
use crate::halt::Result;
use crate::msgpack::{self, Reader};
use crate::profile::{Arena, Profile, keep};

/// Beyond so many increments the two oldest become one.
const MAX_INCREMENTS: usize = 1_000;
const NIL: &[u8] = &[0xc0];

/// (time, event id, amount still encoded).
type Increment<'a> = (i64, &'a str, &'a [u8]);

/// Writes a change of the score; the total that is the attribute then, encoded.
pub fn write<'a>(profile: &mut Profile<'a>, change: &Score<'a>, stamp: (i64, &'a str), arena: &'a Arena) -> Result<Vec<u8>> {
    let base = base(profile.score)?;
    if base.is_none_or(|(_, time_ms, event_id)| stamp >= (time_ms, event_id)) {
        if let Some(set) = change.set {
            let mut register = Vec::new();
            msgpack::put_array(&mut register, 3);
            register.extend_from_slice(set);
            msgpack::put_int(&mut register, stamp.0);
            msgpack::put_str(&mut register, stamp.1);
            profile.score = keep(arena, register);
            let kept: Vec<Increment> = increments(profile.increments)?.into_iter().filter(|each| (each.0, each.1) > stamp).collect();
            profile.increments = keep(arena, encoded(&kept));
            profile.increased = NIL;
        } else if let Some(increment) = change.increment {
            let total = increased(profile, arena)?.plus(exact(increment)?)?;
            profile.increased = keep(arena, stored(total)?);
            let mut kept = increments(profile.increments)?;
            let at = kept.partition_point(|each| (each.0, each.1) <= stamp);
            kept.insert(at, (stamp.0, stamp.1, increment));
            if kept.len() > MAX_INCREMENTS {
                let both = exact(kept[0].2)?.plus(exact(kept[1].2)?)?;
                kept[1].2 = keep(arena, stored(both)?);
                kept.remove(0);
            }
            profile.increments = keep(arena, encoded(&kept));
        }
    }
    let latest = self::base(profile.score)?.map_or(Ok(Exact::ZERO), |(value, ..)| exact(value))?;
    let total = latest.plus(increased(profile, arena)?)?;
    let mut out = Vec::new();
    put_number(&mut out, total.finite()?);
    Ok(out)
}

/// The sum of the increments; one that is not kept is added up and kept.
fn increased<'a>(profile: &mut Profile<'a>, arena: &'a Arena) -> Result<Exact> {
    if profile.increased == NIL {
        let mut total = Exact::ZERO;
        for (_, _, amount) in increments(profile.increments)? {
            total = total.plus(exact(amount)?)?;
        }
        profile.increased = keep(arena, stored(total)?);
    }
    exact(profile.increased)
}

fn base(score: &[u8]) -> Result<Option<(&[u8], i64, &str)>> {
    if score == NIL {
        return Ok(None);
    }
    let from = &mut Reader::new(score);
    from.array_of(3)?;
    Ok(Some((from.raw()?, from.int()?, from.str()?)))
}

fn increments(raw: &[u8]) -> Result<Vec<Increment<'_>>> {
    let from = &mut Reader::new(raw);
    let count = from.array()?;
    let mut found = Vec::with_capacity(from.room(count) + 1);
    for _ in 0..count {
        from.array_of(3)?;
        found.push((from.int()?, from.str()?, from.raw()?));
    }
    Ok(found)
}

fn encoded(increments: &[Increment]) -> Vec<u8> {
    let mut out = Vec::new();
    msgpack::put_array(&mut out, increments.len());
    for (time_ms, event_id, amount) in increments {
        msgpack::put_array(&mut out, 3);
        msgpack::put_int(&mut out, *time_ms);
        msgpack::put_str(&mut out, event_id);
        out.extend_from_slice(amount);
    }
    out
}

fn exact(raw: &[u8]) -> Result<Exact> {
    let number: Number = number(&mut Reader::new(raw))?;
    Exact::of(number)
}

fn stored(number: Exact) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    put_number(&mut out, number.stored()?);
    Ok(out)
}
