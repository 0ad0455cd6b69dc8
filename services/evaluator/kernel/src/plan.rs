//! A workspace's plan: its facts, who is fed, its segments, and the ways from a change to the segments that it may flip.

use std::collections::HashSet;

use foldhash::HashMap;

use crate::amount::Amount;
use crate::asked::Asked;
use crate::attribute::Watch;
use crate::bounds::Bounds;
use crate::computed::Tell;
use crate::description;
use crate::fact::State;
use crate::feed::{Feeds, Wants};
use crate::halt::Result;
use crate::profile::Profile;
use crate::program::Program;
use crate::reach::Reach;
use crate::track::Track;

/// Under this name, which is no tag's, stands whoever asks for any tag at all.
pub const ANY_TAG: &str = "";

pub struct Segment {
    pub id: String,
    pub version: i64,
    pub program: Program,
    pub tells: Vec<Tell>,
}

/// Most lists of a plan have one entry: the first takes room for one, and not for four.
pub fn make_room<T>(list: &mut Vec<T>) {
    if list.is_empty() {
        list.reserve_exact(1);
    }
}

/// A static segment.
pub struct List {
    pub version: i64,
    pub position: u32,
}

pub struct Plan {
    pub workspace: String,
    pub window_ms: i64,
    pub max_ids: usize,
    pub bounds: Bounds,
    pub tracks: Vec<Track>,
    pub feeds: HashMap<String, Feeds>,
    pub segments: Vec<Option<Segment>>,
    pub ids: HashSet<String>,
    pub born: Vec<u32>,
    pub watches: HashMap<String, Watch>,
    pub dependents: HashMap<u32, Reach>,
    pub tags: HashMap<String, Reach>,
    pub consents: HashMap<String, Reach>,
    pub lists: HashMap<String, List>,
    pub(crate) by_id: HashMap<i64, usize>,
}

impl Plan {
    pub fn track(&self, fact: i64) -> Option<&Track> {
        self.by_id.get(&fact).map(|index| &self.tracks[*index])
    }

    pub fn wants(&self, index: usize) -> &Wants {
        &self.tracks[index].wants
    }

    /// A fact's value, by its index. The state stays open.
    pub fn value(&self, profile: &mut Profile, index: usize, now_ms: i64) -> Result<Amount> {
        let track = &self.tracks[index];
        let Some(at) = profile.slot(track.id) else { return track.kind.value(None, now_ms) };
        let state = &mut profile.facts[at].state;
        *state = track.kind.open(std::mem::replace(state, State::Whole(0)))?;
        track.kind.value(Some(state), now_ms)
    }

    pub fn read(description: &[u8], asked: &Asked) -> Result<Plan> {
        description::read(description, asked)
    }
}
