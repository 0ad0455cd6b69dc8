//! A plan, read from the description that the interpreted core's plan gives of itself.
//!
//! The description is msgpack, and its shape is that of `kernel/description.py`. The ways from a change to the
//! segments that it may flip are worked out here, as modules `index` and `track` of the core do it.

use std::collections::HashSet;

use foldhash::{HashMap, HashMapExt};

use crate::absent::Absent;
use crate::asked::Asked;
use crate::bounds::Bounds;
use crate::chain::Present;
use crate::event::texts;
use crate::fact::Kind;
use crate::feed::{Feeds, Wants};
use crate::filter::Filter;
use crate::fold::{Of, Payload};
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::plan::{Plan, make_room};
use crate::reach::{Cuts, Reach};
use crate::track::{Concerned, Track};
use crate::same::{Chain, Same, Step};
use crate::trail::{SLACK_MS, Trail};
use crate::window::{Frame, Shift};

/// Room is made at once for so many facts, and segments; a description may claim any number.
const FORESEEN: usize = 100_000;

pub fn read(description: &[u8], asked: &Asked) -> Result<Plan> {
    Reading { from: Reader::new(description), asked }.plan()
}

pub struct Reading<'d> {
    pub(crate) from: Reader<'d>,
    pub(crate) asked: &'d Asked,
}

impl Reading<'_> {
    fn plan(&mut self) -> Result<Plan> {
        self.from.array_of(7)?;
        let mut plan = Plan {
            workspace: self.text()?,
            window_ms: self.from.int()?,
            max_ids: self.size()?,
            bounds: self.bounds()?,
            tracks: Vec::new(),
            feeds: HashMap::new(),
            segments: Vec::new(),
            ids: HashSet::new(),
            born: Vec::new(),
            watches: HashMap::new(),
            dependents: HashMap::new(),
            tags: HashMap::new(),
            consents: HashMap::new(),
            lists: HashMap::new(),
            by_id: HashMap::new(),
        };
        let names = self.facts(&mut plan)?;
        let count = self.from.array()?;
        plan.segments.reserve_exact(count.min(FORESEEN));
        for position in 0..count {
            let segment = self.segment(&mut plan, position as u32)?;
            plan.ids.extend(segment.iter().map(|segment| segment.id.clone()));
            plan.segments.push(segment);
        }
        plan.segments.shrink_to_fit();
        plan.ids.shrink_to_fit();
        plan.born = self.positions(plan.segments.len())?;
        if !self.from.done() {
            return Err(Halt::Bad("a description that goes on"));
        }
        let mut by_name: HashMap<String, Vec<(usize, &Wants)>> = HashMap::new();
        for (index, names) in names.into_iter().enumerate() {
            for name in names {
                by_name.entry(name).or_default().push((index, &plan.tracks[index].wants));
            }
        }
        let feeds = by_name.into_iter().map(|(name, facts)| (name, Feeds::of(&facts))).collect();
        plan.feeds = feeds;
        link(&mut plan)?;
        Ok(plan)
    }

    fn bounds(&mut self) -> Result<Bounds> {
        self.from.array_of(6)?;
        let [attributes, attribute_bytes, tags, consents, groups, lists] = [(); 6].map(|()| self.from.int());
        Ok(Bounds {
            attributes: attributes?,
            attribute_bytes: attribute_bytes?,
            tags: tags?,
            consents: consents?,
            groups: groups?,
            lists: lists?,
        })
    }

    fn facts(&mut self, plan: &mut Plan) -> Result<Vec<Vec<String>>> {
        let mut names = Vec::new();
        let mut trails_of = Vec::new();
        let count = self.from.array()?;
        plan.tracks.reserve_exact(count.min(FORESEEN));
        for index in 0..count {
            self.from.array_of(7)?;
            let id = self.from.int()?;
            let kind = self.kind()?;
            names.push(texts(&mut self.from)?);
            let filters = Filter::all(&mut self.from, self.asked)?;
            let owner = if self.from.is_nil() { self.from.nil().map(|()| None)? } else { Some(self.text()?) };
            let concerned = match self.from.str()? {
                "counted" => Concerned::Counted { edges: Vec::new(), reaches: Vec::new() },
                "measured" => Concerned::Measured(Cuts::default()),
                "valued" => Concerned::Valued { reach: Reach::default(), clocks: Vec::new() },
                _ => Concerned::All(Reach::default()),
            };
            trails_of.push(self.ints()?);
            let wants = Wants { filters };
            plan.tracks.push(Track { id, kind, owner, concerned, wants, trails: Vec::new(), followers: Vec::new() });
            plan.by_id.insert(id, index);
        }
        for (index, trails) in trails_of.into_iter().enumerate() {
            for id in trails {
                let trail = *plan.by_id.get(&id).ok_or(Halt::Bad("a sequence without its steps"))?;
                make_room(&mut plan.tracks[index].trails);
                make_room(&mut plan.tracks[trail].followers);
                plan.tracks[index].trails.push(trail);
                plan.tracks[trail].followers.push(index);
            }
        }
        plan.tracks.shrink_to_fit();
        Ok(names)
    }

    fn kind(&mut self) -> Result<Kind> {
        let fields = self.from.array()?;
        let name = self.from.str()?;
        let kind = match (name, fields) {
            ("count_ever", 3) => Kind::CountEver { from: self.from.int()?, to: self.from.int()? },
            ("count", 3) => Kind::Count { leave: self.shift()?, depth: self.size()?.max(1) },
            ("each", 3) => Kind::Bag { of: Of::Each, frame: self.frame()?, depth: self.size()?, payload: Payload::One },
            ("keys" | "distinct" | "sum" | "avg" | "extreme" | "moment" | "pick" | "mode", 4) => {
                let (frame, depth, (of, payload)) = (self.frame()?, self.size()?, self.fold(name)?);
                match frame {
                    Frame::Absolute { from, to } => Kind::Ever { of, from, to, depth, payload },
                    frame => Kind::Bag { of, frame, depth, payload },
                }
            }
            ("occurrence", 4) => {
                Kind::Occurrence { frame: self.frame()?, last: self.from.bool()?, has: Filter::all(&mut self.from, self.asked)? }
            }
            ("trail", 4) => {
                let (frame, within, months) = (self.frame()?, self.shift()?, self.from.bool()?);
                Kind::Trail(Trail { frame, within, slack: if months { SLACK_MS } else { 0 } })
            }
            ("absent", 5) => {
                let (frame, within, months) = (self.frame()?, self.shift()?, self.from.bool()?);
                let slack = if months { 2 * SLACK_MS } else { 0 };
                Kind::Absent(Absent { frame, within, slack, between: self.from.bool()? })
            }
            ("present", 4) => {
                let (frame, within, months) = (self.frame()?, self.shift()?, self.from.bool()?);
                Kind::Present(Present { frame, within, slack: if months { 2 * SLACK_MS } else { 0 } })
            }
            ("same", 7) => Kind::Same(self.same()?),
            _ => return Err(Halt::Lacks("a kind of fact")),
        };
        Ok(kind)
    }

    /// [frame, within, in months, whether steps lie between where the last is absent, path, steps]. Trail and chain
    /// have each a window of their own.
    fn same(&mut self) -> Result<Same> {
        let (start, trail_frame) = (self.from.clone(), self.frame()?);
        let frame = Reading { from: start, asked: self.asked }.frame()?;
        let (start, trail_within) = (self.from.clone(), self.shift()?);
        let within = Reading { from: start, asked: self.asked }.shift()?;
        let slack = if self.from.bool()? { SLACK_MS } else { 0 };
        let trail = Trail { frame: trail_frame, within: trail_within, slack };
        let absent = self.from.int_or_nil()?;
        let chain = match absent {
            Some(between) => Chain::Absent(Absent { frame, within, slack: 2 * slack, between: between != 0 }),
            None => Chain::Present(Present { frame, within, slack: 2 * slack }),
        };
        let path = texts(&mut self.from)?;
        let mut steps = Vec::new();
        for _ in 0..self.from.array()? {
            self.from.array_of(2)?;
            steps.push(Step { names: texts(&mut self.from)?, filters: Filter::all(&mut self.from, self.asked)? });
        }
        let least = if absent.is_some_and(|between| between != 0) { 3 } else { 2 };
        if steps.len() < least { Err(Halt::Bad("a sequence without its steps")) } else { Ok(Same { chain, trail, steps, path }) }
    }

    /// The last field of a measure's kind: [path, most or last] of extremes and picks.
    fn fold(&mut self, name: &str) -> Result<(Of, Payload)> {
        Ok(match name {
            "keys" => (Of::Keys, Payload::Key(self.shift()?)),
            "moment" => (Of::Extreme { most: self.from.bool()? }, Payload::Time),
            "extreme" | "pick" => {
                self.from.array_of(2)?;
                let (path, most) = (texts(&mut self.from)?, self.from.bool()?);
                if name == "extreme" {
                    (Of::Extreme { most }, Payload::Extreme { path, most })
                } else {
                    (Of::Pick { last: most }, Payload::Pick { path, last: most })
                }
            }
            "distinct" => (Of::Keys, Payload::Distinct(texts(&mut self.from)?)),
            "sum" => (Of::Sum, Payload::Sum(texts(&mut self.from)?)),
            "avg" => (Of::Average, Payload::Mean(texts(&mut self.from)?)),
            _ => (Of::Mode, Payload::Uses(texts(&mut self.from)?)),
        })
    }

    pub(crate) fn frame(&mut self) -> Result<Frame> {
        self.from.array_of(3)?;
        match self.from.str()? {
            "absolute" => Ok(Frame::Absolute { from: self.from.int()?, to: self.from.int()? }),
            "sliding" => {
                let enter = if self.from.is_nil() { self.from.nil().map(|()| None)? } else { Some(self.shift()?) };
                Ok(Frame::Sliding { enter, leave: self.shift()? })
            }
            _ => Err(Halt::Lacks("a window")),
        }
    }

    pub(crate) fn shift(&mut self) -> Result<Shift> {
        self.from.array_of(2)?;
        let (asked, number) = (self.from.bool()?, self.from.int()?);
        if !asked {
            return Ok(Shift::Fixed(number));
        }
        self.asked.calendar(number).map(Shift::Asked)
    }

    pub(crate) fn guard(&mut self) -> Result<Option<Vec<i64>>> {
        if self.from.is_nil() { self.from.nil().map(|()| None) } else { self.ints().map(Some) }
    }

    pub(crate) fn fact(&mut self, plan: &Plan) -> Result<usize> {
        let id = self.from.int()?;
        plan.by_id.get(&id).copied().ok_or(Halt::Bad("a condition on a fact that is not there"))
    }

    pub(crate) fn ints(&mut self) -> Result<Vec<i64>> {
        (0..self.from.array()?).map(|_| self.from.int()).collect()
    }

    fn positions(&mut self, count: usize) -> Result<Vec<u32>> {
        let found = self.ints()?;
        let sound = |at: &i64| usize::try_from(*at).is_ok_and(|at| at < count);
        if found.iter().all(sound) {
            Ok(found.into_iter().map(|at| at as u32).collect())
        } else {
            Err(Halt::Bad("a position that is not there"))
        }
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.from.str().map(str::to_owned)
    }

    pub(crate) fn size(&mut self) -> Result<usize> {
        usize::try_from(self.from.int()?).map_err(|_| Halt::Bad("less than nothing"))
    }
}

/// What the steps count on: a sequence has trails, and they are trails.
fn link(plan: &mut Plan) -> Result<()> {
    for track in &plan.tracks {
        let least = match &track.kind {
            Kind::Absent(absent) if absent.between => 2,
            Kind::Absent(_) | Kind::Present(_) => 1,
            _ => 0,
        };
        let trails = track.trails.iter().all(|trail| matches!(plan.tracks[*trail].kind, Kind::Trail(_)));
        if track.trails.len() < least || !trails || (least == 0 && !track.trails.is_empty()) {
            return Err(Halt::Bad("a sequence without its steps"));
        }
    }
    Ok(())
}
