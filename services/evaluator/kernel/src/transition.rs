//! Transitions as the outbox has them: a map in msgpack, each field by its name.

use blake2::Blake2b;
use blake2::digest::Digest;
use blake2::digest::consts::U16;

use crate::msgpack::{self, Reader};

/// The fields of `core.event.Transition` after the id, in their order.
const FIELDS: [&str; 9] = ["workspace", "segment", "profile", "kind", "at_ms", "sequence", "cause", "event_id", "version"];

/// `fields`: the values of `FIELDS`, one after the other. `computed`: the values of computed attributes, a map.
pub fn put(out: &mut Vec<u8>, fields: &[u8], computed: Option<&[u8]>) {
    msgpack::put_map(out, 1 + FIELDS.len() + usize::from(computed.is_some()));
    msgpack::put_str(out, "id");
    put_digest(out, fields);
    let from = &mut Reader::new(fields);
    for name in FIELDS {
        msgpack::put_str(out, name);
        out.extend_from_slice(from.raw().unwrap_or_default());
    }
    if let Some(computed) = computed {
        msgpack::put_str(out, "computed");
        out.extend_from_slice(computed);
    }
}

/// The id: a digest of the nine fields as an array.
fn put_digest(out: &mut Vec<u8>, fields: &[u8]) {
    let mut hash = Blake2b::<U16>::new();
    hash.update([0x99]);
    hash.update(fields);
    out.extend_from_slice(&[0xd9, 32]);
    for byte in hash.finalize() {
        out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
    }
}
