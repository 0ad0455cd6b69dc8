//! Events that are taken back: a `$retract` names one by its id, and that event never counts again.
//!
//! What came before is counted anew by the core, from the profile's history. Here it is only noted, and kept from what
//! is still to come.

use crate::dedup::digest;
use crate::event::Event;
use crate::halt::Result;
use crate::msgpack::{self, Reader};
use crate::value::Value;

/// A profile's newest retractions that are remembered beside its history, and those that are still to be carried out.
const MAX_TAKEN: usize = 1_000;
const MAX_WAITING: usize = 100;
const DIGEST: usize = 8;
const NIL: &[u8] = &[0xc0];

/// The digests of the ids, and the ids of the `$retract` events that wait, of a profile's field.
fn read(taken: &[u8]) -> Result<(&[u8], Vec<&str>)> {
    if taken == NIL {
        return Ok((&[], Vec::new()));
    }
    let from = &mut Reader::new(taken);
    from.array_of(2)?;
    let ids = from.bin()?;
    let waiting = (0..from.array()?).map(|_| from.str()).collect::<Result<_>>()?;
    Ok((ids, waiting))
}

/// The field with one more retraction; None where that takes nothing more back.
pub fn take_back(taken: &[u8], event: &Event) -> Result<Option<Vec<u8>>> {
    let Some(Value::Str(id)) = event.properties.member("event_id") else { return Ok(None) };
    let digest = digest(id);
    let (ids, mut waiting) = read(taken)?;
    if has(ids, &digest) {
        return Ok(None);
    }
    let ids = [ids, &digest].concat();
    waiting.push(&event.id);
    let mut out = Vec::with_capacity(ids.len() + 64);
    msgpack::put_array(&mut out, 2);
    msgpack::put_bin(&mut out, &ids[ids.len().saturating_sub(MAX_TAKEN * DIGEST)..]);
    let waiting = &waiting[waiting.len().saturating_sub(MAX_WAITING)..];
    msgpack::put_array(&mut out, waiting.len());
    waiting.iter().for_each(|id| msgpack::put_str(&mut out, id));
    Ok(Some(out))
}

/// Whether an event that comes now was taken back before; those of ours never are.
pub fn is_taken(taken: &[u8], event: &Event) -> Result<bool> {
    if taken == NIL || event.name.starts_with('$') {
        return Ok(false);
    }
    Ok(has(read(taken)?.0, &digest(&event.id)))
}

fn has(ids: &[u8], digest: &[u8; DIGEST]) -> bool {
    ids.chunks_exact(DIGEST).any(|each| each == digest)
}
