//! A plan, read from the description that the interpreted core's plan gives of itself.
//!
//! The description is msgpack, and its shape is that of `kernel/description.py`. The ways from a change to the
//! segments that it may flip are worked out here, as modules `index` and `track` of the core do it.

use std::collections::HashMap;

use crate::absent::Absent;
use crate::asked::Asked;
use crate::chain::Present;
use crate::computed::{Condition, Tell};
use crate::event::texts;
use crate::exact::{Exact, Number};
use crate::fact::Kind;
use crate::feed::{Feeds, Wants};
use crate::filter::Filter;
use crate::fold::{Of, Payload};
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::plan::{Plan, Segment};
use crate::program::Program;
use crate::question::Question;
use crate::reach::{Cuts, Reach};
use crate::track::{Clock, Concerned, Track};
use crate::trail::SLACK_MS;
use crate::value::{Bound, Op, Plain, Value};
use crate::window::{Frame, Shift};

const DEEPEST: usize = 64;

pub fn read(description: &[u8], asked: &Asked) -> Result<Plan> {
    Reading { from: Reader::new(description), asked }.plan()
}

struct Reading<'d> {
    from: Reader<'d>,
    asked: &'d Asked,
}

impl Reading<'_> {
    fn plan(&mut self) -> Result<Plan> {
        self.from.array_of(8)?;
        let mut plan = Plan {
            workspace: self.text()?,
            window_ms: self.from.int()?,
            max_ids: self.size()?,
            max_attributes: self.from.int()?,
            max_attribute_bytes: self.from.int()?,
            tracks: Vec::new(),
            feeds: HashMap::new(),
            segments: Vec::new(),
            born: Vec::new(),
            watches: HashMap::new(),
            dependents: HashMap::new(),
            by_id: HashMap::new(),
        };
        let names = self.facts(&mut plan)?;
        for position in 0..self.from.array()? {
            let segment = self.segment(&mut plan, position as u32)?;
            plan.segments.push(segment);
        }
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

    fn facts(&mut self, plan: &mut Plan) -> Result<Vec<Vec<String>>> {
        let mut names = Vec::new();
        let mut trails_of = Vec::new();
        for index in 0..self.from.array()? {
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
                plan.tracks[index].trails.push(trail);
                plan.tracks[trail].followers.push(index);
            }
        }
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
                Kind::Trail { frame, within, slack: if months { SLACK_MS } else { 0 } }
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
            _ => return Err(Halt::Lacks("a kind of fact")),
        };
        Ok(kind)
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

    fn segment(&mut self, plan: &mut Plan, position: u32) -> Result<Option<Segment>> {
        if self.from.is_nil() {
            return self.from.nil().map(|()| None);
        }
        self.from.array_of(4)?;
        let (id, version) = (self.text()?, self.from.int()?);
        let program = self.program(plan, position, 0)?;
        let mut tells = Vec::new();
        for _ in 0..self.from.array()? {
            self.from.array_of(4)?;
            let (id, fact) = (self.text()?, self.fact(plan)?);
            tells.push(Tell { id, fact, core: self.asked.at(self.from.int()?)?, is_date: self.from.bool()? });
        }
        Ok(Some(Segment { id, version, program, tells }))
    }

    fn program(&mut self, plan: &mut Plan, position: u32, depth: usize) -> Result<Program> {
        if depth > DEEPEST {
            return Err(Halt::Lacks("a definition so deep"));
        }
        let fields = self.from.array()?;
        let name = self.from.str()?;
        Ok(match (name, fields) {
            ("all" | "any", 2) => {
                let mut children = Vec::new();
                for _ in 0..self.from.array()? {
                    children.push(self.program(plan, position, depth + 1)?);
                }
                if name == "all" { Program::All(children) } else { Program::Any(children) }
            }
            ("not", 2) => Program::Not(Box::new(self.program(plan, position, depth + 1)?)),
            ("attribute", 4) => {
                let (name, written) = (self.text()?, self.from.raw()?);
                let guard = self.guard()?;
                let [question, watched] = [(); 2].map(|()| Question::read(&mut Reader::new(written), self.asked));
                plan.watches.entry(name.clone()).or_default().add(watched?, written, position, guard.as_deref());
                let question = question?;
                Program::Attribute { name, question }
            }
            ("measure", 6) => self.measure(plan, position)?,
            ("computed", 5) => self.computed(plan, position)?,
            ("never", 1) => Program::Never,
            ("happened", 3) => {
                let fact = self.fact(plan)?;
                let guard = self.guard()?;
                if let Concerned::All(reach) = &mut plan.tracks[fact].concerned {
                    reach.add(position, guard.as_deref());
                }
                Program::Happened { fact }
            }
            ("member", 4) => {
                let segment = self.text()?;
                let (at, guard) = (self.from.int()?, self.guard()?);
                if let Ok(at) = u32::try_from(at) {
                    plan.dependents.entry(at).or_default().add(position, guard.as_deref());
                }
                Program::Member { segment }
            }
            ("tag", 2) => {
                let name = if self.from.is_nil() { self.from.nil().map(|()| None)? } else { Some(self.text()?) };
                Program::Tag { name }
            }
            ("consent", 3) => Program::Consent { pair: self.text()?, state: self.text()? },
            ("listed", 3) => Program::Listed { segment: self.text()?, version: self.from.int()? },
            ("bucket", 4) => {
                let salt = self.text()?;
                Program::Bucket { salt, from: self.size()? as u64, to: self.size()? as u64 }
            }
            _ => return Err(Halt::Lacks("a condition")),
        })
    }

    /// [fact, op, value, guard, edges].
    fn measure(&mut self, plan: &mut Plan, position: u32) -> Result<Program> {
        let fact = self.fact(plan)?;
        let op = Op::named(self.from.str()?).ok_or(Halt::Lacks("an op"))?;
        let operand = self.from.value()?;
        let (low, high) = match &operand {
            Value::List(pair) if pair.len() == 2 => (amount(&pair[0])?, amount(&pair[1])?),
            _ => (amount(&operand)?, amount(&operand)?),
        };
        let guard = self.guard()?;
        let asked = self.ints()?;
        match &mut plan.tracks[fact].concerned {
            Concerned::Counted { edges, reaches } => mark_edges(edges, reaches, &asked, position, guard.as_deref()),
            Concerned::Measured(cuts) => cuts.mark(op, &cut(low), &cut(high), false, position, guard.as_deref()),
            Concerned::Valued { .. } | Concerned::All(_) => return Err(Halt::Bad("a measure of something that happens")),
        }
        Ok(Program::Measure { fact, op, low, high })
    }

    /// [fact, condition, guard, edges].
    fn computed(&mut self, plan: &mut Plan, position: u32) -> Result<Program> {
        let fact = self.fact(plan)?;
        let written = self.from.raw()?;
        let condition = Condition::read(&mut Reader::new(written), self.asked)?;
        let (guard, asked) = (self.guard()?, self.ints()?);
        match &mut plan.tracks[fact].concerned {
            Concerned::Counted { edges, reaches } => mark_edges(edges, reaches, &asked, position, guard.as_deref()),
            Concerned::Measured(cuts) => mark_cuts(cuts, &condition, position, guard.as_deref())?,
            Concerned::Valued { reach, clocks } => {
                reach.add(position, guard.as_deref());
                if let Some(core) = condition.clock() {
                    let number = asked.first().copied().ok_or(Halt::Bad("a clock without a number"))?;
                    let at = clocks.iter().position(|clock| clock.number == number).unwrap_or_else(|| {
                        clocks.push(Clock { number, core: core.clone(), reach: Reach::default() });
                        clocks.len() - 1
                    });
                    clocks[at].reach.add(position, guard.as_deref());
                }
            }
            Concerned::All(_) => return Err(Halt::Bad("a measure of something that happens")),
        }
        Ok(Program::Computed { fact, condition })
    }

    fn frame(&mut self) -> Result<Frame> {
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

    fn shift(&mut self) -> Result<Shift> {
        self.from.array_of(2)?;
        let (asked, number) = (self.from.bool()?, self.from.int()?);
        if !asked {
            return Ok(Shift::Fixed(number));
        }
        self.asked.calendar(number).map(Shift::Asked)
    }

    fn guard(&mut self) -> Result<Option<Vec<i64>>> {
        if self.from.is_nil() { self.from.nil().map(|()| None) } else { self.ints().map(Some) }
    }

    fn fact(&mut self, plan: &Plan) -> Result<usize> {
        let id = self.from.int()?;
        plan.by_id.get(&id).copied().ok_or(Halt::Bad("a condition on a fact that is not there"))
    }

    fn ints(&mut self) -> Result<Vec<i64>> {
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

    fn text(&mut self) -> Result<String> {
        self.from.str().map(str::to_owned)
    }

    fn size(&mut self) -> Result<usize> {
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
        let trails = track.trails.iter().all(|trail| matches!(plan.tracks[*trail].kind, Kind::Trail { .. }));
        if track.trails.len() < least || !trails || (least == 0 && !track.trails.is_empty()) {
            return Err(Halt::Bad("a sequence without its steps"));
        }
    }
    Ok(())
}

fn mark_edges(edges: &mut Vec<i64>, reaches: &mut Vec<Reach>, asked: &[i64], position: u32, guard: Option<&[i64]>) {
    for edge in asked {
        let at = edges.partition_point(|each| each < edge);
        if edges.get(at) != Some(edge) {
            edges.insert(at, *edge);
            reaches.insert(at, Reach::default());
        }
        reaches[at].add(position, guard);
    }
}

fn mark_cuts(cuts: &mut Cuts, condition: &Condition, position: u32, guard: Option<&[i64]>) -> Result<()> {
    match condition {
        Condition::Exists { .. } => cuts.mark_presence(position, guard),
        Condition::Among { bounds, denied, without } => {
            let op = if *denied { Op::Neq } else { Op::Eq };
            bounds.iter().for_each(|bound| cuts.mark(op, &cut(*bound), &cut(*bound), *without, position, guard));
        }
        Condition::Ordered { op, low, high, without } => cuts.mark(*op, &cut(*low), &cut(*high), *without, position, guard),
        _ => return Err(Halt::Bad("a condition on a number that asks for another value")),
    }
    Ok(())
}

fn cut(bound: Exact) -> Bound {
    Bound::Number(Plain::Int(bound.scaled))
}

fn amount(value: &Value) -> Result<Exact> {
    match value {
        Value::Int(whole) => Exact::of(Number::Int(*whole)),
        Value::Float(float) => Exact::of(Number::Float(*float)),
        _ => Err(Halt::Bad("a bound that is no number")),
    }
}
