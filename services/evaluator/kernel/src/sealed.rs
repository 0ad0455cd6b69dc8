//! What the kernel's share of a commit writes, as arguments of Redis commands.

use foldhash::HashMap;

use crate::cache::Key;
use crate::ledger::{Changed, split};
use crate::resp::Arguments;
use crate::sets::Sets;
use crate::step::Stepping;

/// The heads and the ends of a state's two arguments take at most so many bytes more than the workspace's name.
const ROOM: usize = 24;

/// A profile that entered or exited a segment.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    workspace: String,
    segment: String,
    key: Key,
    turn: u32,
    entered: bool,
    number: i64,
}

/// Arguments of one command on a key, which the caller names: of what, in which workspace, of which segment.
pub struct Write {
    pub command: &'static str,
    pub of: &'static str,
    pub workspace: String,
    pub segment: String,
    pub count: usize,
    pub arguments: Vec<u8>,
}

/// `transitions` are maps in msgpack, one after the other. `first_bytes`: the length of the first state.
pub struct Sealed {
    pub writes: Vec<Write>,
    pub flips: usize,
    pub transitions: Vec<u8>,
    pub first_bytes: usize,
}

impl Move {
    /// `moved`: the position of the segment, and whether it was entered.
    pub fn of(stepping: &Stepping, moved: (u32, bool), key: &Key) -> Move {
        let segment = stepping.plan.segments.get(moved.0 as usize).and_then(Option::as_ref);
        Move {
            workspace: stepping.plan.workspace.clone(),
            segment: segment.map_or_else(String::new, |segment| segment.id.clone()),
            key: key.clone(),
            turn: 0,
            entered: moved.1,
            number: stepping.profile.number,
        }
    }
}

pub fn sealed(
    changed: &[Changed], dues: &HashMap<Key, Option<i64>>, transitions: Vec<u8>, moves: Vec<Move>, sets: &Sets,
) -> Sealed {
    let flips = moves.len();
    let mut writes = profiles(changed);
    due(dues, &mut writes);
    ids(sets, &mut writes);
    members(moves, sets, &mut writes);
    let first_bytes = changed.iter().find(|each| !each.taken).map_or(0, |each| each.state.len());
    Sealed { writes, flips, transitions, first_bytes }
}

fn profiles(changed: &[Changed]) -> Vec<Write> {
    let mut by: Vec<(&str, Arguments)> = Vec::new();
    let room = changed.iter().map(|each| each.key.len() + each.state.len() + ROOM).sum();
    for each in changed.iter().filter(|each| !each.taken) {
        let (workspace, id) = split(&each.key);
        let at = by.iter().rposition(|each| each.0 == workspace).unwrap_or_else(|| {
            by.push((workspace, if by.is_empty() { Arguments::sized(room) } else { Arguments::default() }));
            by.len() - 1
        });
        let arguments = &mut by[at].1;
        arguments.put(id.as_bytes());
        arguments.put(&each.state);
        arguments.cut();
    }
    let mut writes = Vec::new();
    for (workspace, arguments) in by {
        put(&mut writes, "HSET", "profiles", workspace, "", arguments);
    }
    writes
}

fn due(dues: &HashMap<Key, Option<i64>>, writes: &mut Vec<Write>) {
    let (mut set, mut unset) = (Arguments::default(), Arguments::default());
    for (key, due_ms) in dues {
        if let Some(due) = due_ms {
            set.put_int(*due);
            set.put(key.as_bytes());
            set.cut();
        } else {
            unset.put(key.as_bytes());
            unset.cut();
        }
    }
    put(writes, "ZADD", "due", "", "", set);
    put(writes, "ZREM", "due", "", "", unset);
}

fn ids(sets: &Sets, writes: &mut Vec<Write>) {
    let mut by: Vec<(&str, Arguments)> = Vec::new();
    for (key, number) in &sets.new {
        let (workspace, id) = split(key);
        let at = by.iter().rposition(|each| each.0 == workspace).unwrap_or_else(|| {
            by.push((workspace, Arguments::default()));
            by.len() - 1
        });
        by[at].1.put_int(*number);
        by[at].1.put(id.as_bytes());
        by[at].1.cut();
    }
    for (workspace, arguments) in by {
        put(writes, "HSET", "ids", workspace, "", arguments);
    }
}

/// Only where each profile ended up: it may have entered and exited within one commit.
fn members(mut moves: Vec<Move>, sets: &Sets, writes: &mut Vec<Write>) {
    for (turn, each) in moves.iter_mut().enumerate() {
        each.turn = turn as u32;
    }
    moves.sort_unstable();
    for group in moves.chunk_by(|one, other| (&one.workspace, &one.segment) == (&other.workspace, &other.segment)) {
        let Some(Move { workspace, segment, .. }) = group.first() else { continue };
        let lasts = group.chunk_by(|one, other| one.key == other.key).filter_map(|of_one| of_one.last());
        if sets.is_dense(workspace, segment) {
            bits(workspace, segment, &lasts.collect::<Vec<_>>(), writes);
            continue;
        }
        let (mut entered, mut exited) = (Arguments::default(), Arguments::default());
        for last in lasts {
            let id = split(&last.key).1.as_bytes();
            if last.entered {
                entered.put_int(last.number);
                entered.put(id);
                entered.cut();
            } else {
                exited.put(id);
                exited.cut();
            }
        }
        put(writes, "ZADD", "members", workspace, segment, entered);
        put(writes, "ZREM", "members", workspace, segment, exited);
    }
}

fn bits(workspace: &str, segment: &str, lasts: &[&Move], writes: &mut Vec<Write>) {
    let mut arguments = Arguments::default();
    if let [only] = lasts {
        arguments.put_int(only.number);
        arguments.put_int(i64::from(only.entered));
        return put(writes, "SETBIT", "bits", workspace, segment, arguments);
    }
    for last in lasts {
        arguments.put(b"SET");
        arguments.put(b"u1");
        arguments.put_int(last.number);
        arguments.put_int(i64::from(last.entered));
        arguments.cut();
    }
    put(writes, "BITFIELD", "bits", workspace, segment, arguments);
}

fn put(writes: &mut Vec<Write>, command: &'static str, of: &'static str, workspace: &str, segment: &str, arguments: Arguments) {
    for (count, arguments) in arguments.finish() {
        let (workspace, segment) = (workspace.to_owned(), segment.to_owned());
        writes.push(Write { command, of, workspace, segment, count, arguments });
    }
}
