//! The definitions of a description: every segment's program, and who is concerned by what it reads.

use crate::computed::{Condition, Tell};
use crate::description::Reading;
use crate::exact::{Exact, Number};
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::plan::{ANY_TAG, List, Plan, Segment, make_room};
use crate::program::Program;
use crate::question::Question;
use crate::reach::{Cuts, Reach};
use crate::track::{Clock, Concerned};
use crate::value::{Bound, Op, Plain, Value};

const DEEPEST: usize = 64;

impl Reading<'_> {
    pub(crate) fn segment(&mut self, plan: &mut Plan, position: u32) -> Result<Option<Segment>> {
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
                children.shrink_to_fit();
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
            ("tag", 3) => {
                let name = if self.from.is_nil() { self.from.nil().map(|()| None)? } else { Some(self.text()?) };
                let known = name.clone().unwrap_or_else(|| ANY_TAG.to_owned());
                plan.tags.entry(known).or_default().add(position, self.guard()?.as_deref());
                Program::Tag { name }
            }
            ("consent", 4) => {
                let (pair, state) = (self.text()?, self.text()?);
                plan.consents.entry(pair.clone()).or_default().add(position, self.guard()?.as_deref());
                Program::Consent { pair, state }
            }
            ("listed", 3) => {
                let (segment, version) = (self.text()?, self.from.int()?);
                plan.lists.insert(segment.clone(), List { version, position });
                Program::Listed { segment, version }
            }
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
}

fn mark_edges(edges: &mut Vec<i64>, reaches: &mut Vec<Reach>, asked: &[i64], position: u32, guard: Option<&[i64]>) {
    for edge in asked {
        let at = edges.partition_point(|each| each < edge);
        if edges.get(at) != Some(edge) {
            make_room(edges);
            make_room(reaches);
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
