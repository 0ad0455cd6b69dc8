//! What a partition sees of the kernel: `Cache`, `Dues`, `Record` and `Ledger`, with the core's names for the same.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

use crate::adoption::{Adoption, Asks, Newer};
use crate::cache::{self, Key};
use crate::fault;
use crate::dues;
use crate::ledger::{self, Serving};
use crate::halt::Halt;
use crate::passing::Toward;
use crate::{Native, given, past, record, refused};

/// Key → a profile's state, empty of one never stored.
#[pyclass]
pub struct Cache(cache::Cache);

#[pymethods]
impl Cache {
    #[new]
    fn new(limit_bytes: usize) -> Self {
        Cache(cache::Cache::new(limit_bytes))
    }

    #[getter]
    fn aged(&self) -> bool {
        self.0.aged()
    }

    fn get<'py>(&mut self, py: Python<'py>, key: &str) -> Option<Bound<'py, PyBytes>> {
        self.0.get(key).map(|state| PyBytes::new(py, state))
    }

    fn put(&mut self, key: &str, state: &[u8]) {
        self.0.put(key.into(), state.into());
    }

    fn put_all(&mut self, states: HashMap<PyBackedStr, PyBackedBytes>) {
        for (key, state) in states {
            self.0.put((*key).into(), (*state).into());
        }
    }

    /// Those that are not here, once each; the others are made young.
    fn missing<'py>(&mut self, py: Python<'py>, wanted: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
        let missing = PyDict::new(py);
        for key in wanted.try_iter()? {
            let key = key?;
            if self.0.get(key.extract::<PyBackedStr>()?.as_ref()).is_none() {
                missing.set_item(key, ())?;
            }
        }
        Ok(missing.keys())
    }

    fn trim(&mut self) {
        self.0.trim();
    }
}

/// Earlier than every due instant.
const BEGINNING_MS: i64 = -(1 << 62);

/// The next due instants of profiles.
#[pyclass]
pub struct Dues(dues::Dues);

type Entry = (i64, PyBackedStr);
type Fired = (usize, Option<i64>, Vec<(i64, String)>);

#[pymethods]
impl Dues {
    #[new]
    fn new(kept: usize) -> Self {
        Dues(dues::Dues::new(kept))
    }

    fn load(&mut self, entries: Vec<Entry>, complete: bool) {
        self.0.load(entries.into_iter().map(|(due, key)| (due, (*key).into())).collect(), complete);
    }

    fn covers(&self, until_ms: i64) -> bool {
        self.0.covers(until_ms)
    }

    #[pyo3(signature = (key, due_ms, was_ms=None))]
    fn put(&mut self, key: &str, due_ms: Option<i64>, was_ms: Option<i64>) {
        self.0.put(&key.into(), due_ms, was_ms);
    }

    /// What was put and taken is undone; `dues` has the due instants from before, where another one was put.
    fn undo(&mut self, dues: HashMap<PyBackedStr, Option<i64>>) {
        self.0.put_back();
        for (key, due_ms) in &dues {
            self.0.restore(&(**key).into(), *due_ms);
        }
    }

    fn take_unwritten(&mut self, clock_ms: i64) -> HashMap<String, Option<i64>> {
        self.0.take_unwritten(clock_ms).into_iter().map(|(key, due)| (key.to_string(), due)).collect()
    }

    #[pyo3(signature = (until_ms=BEGINNING_MS))]
    fn next(&mut self, until_ms: i64) -> Option<i64> {
        fault::trip("dues");
        self.0.next(until_ms)
    }

    fn pop(&mut self, until_ms: i64) -> Option<(i64, String)> {
        self.0.pop(until_ms).map(|(due, key)| (due, key.to_string()))
    }

    fn first(&mut self, until_ms: i64, limit: usize) -> Vec<(i64, String)> {
        told(self.0.first(until_ms, limit))
    }

    fn keys(&self, until_ms: i64, limit: usize) -> Vec<String> {
        self.0.keys(until_ms, limit).iter().map(Key::to_string).collect()
    }

    fn trim(&mut self) {
        self.0.trim();
    }

    #[getter]
    fn current(&self) -> HashMap<String, i64> {
        self.0.current.iter().map(|(key, due)| (key.to_string(), *due)).collect()
    }

    #[getter]
    fn later(&self) -> HashMap<String, i64> {
        self.0.later.iter().map(|(key, due)| (key.to_string(), *due)).collect()
    }
}

fn told(entries: Vec<dues::Entry>) -> Vec<(i64, String)> {
    entries.into_iter().map(|(due, key)| (due, key.to_string())).collect()
}

/// A packed record that the decoder would take in. Raises ValueError where it would not, or can't say.
#[pyclass(frozen)]
pub struct Record {
    data: PyBackedBytes,
    index: record::Record,
}

#[pymethods]
impl Record {
    #[new]
    fn new(data: PyBackedBytes) -> PyResult<Self> {
        let index = record::Record::index(&data).map_err(refused)?;
        Ok(Record { data, index })
    }

    fn __len__(&self) -> usize {
        self.index.of.len()
    }

    #[getter]
    fn workspaces(&self) -> Vec<&str> {
        self.index.workspaces.iter().map(String::as_str).collect()
    }

    /// The latest instant of its events.
    #[getter]
    fn latest_ms(&self) -> Option<i64> {
        self.index.latest_ms
    }

    /// False: it has changes of profiles that only the decoder can check.
    #[getter]
    fn plain(&self) -> bool {
        self.index.plain
    }

    /// Keys of its profiles that are not cached, once each.
    fn missing(&self, cache: &mut Cache) -> Vec<&str> {
        self.index.profiles.iter().map(|who| &*who.key).filter(|key| !cache.0.holds(key)).collect()
    }
}

/// A chunk of a history. Raises ValueError where it is none.
#[pyclass(frozen)]
pub struct Past {
    data: PyBackedBytes,
    index: past::Past,
}

#[pymethods]
impl Past {
    #[new]
    fn new(data: PyBackedBytes) -> PyResult<Self> {
        let index = past::Past::index(&data).map_err(refused)?;
        Ok(Past { data, index })
    }

    fn __len__(&self) -> usize {
        self.index.len()
    }
}

impl Past {
    pub fn place(&self, at: usize) -> past::Place<'_> {
        past::Place { past: &self.index, data: &self.data, at }
    }
}

/// Which facts are given history: `given::Wish` says what its parts are.
#[pyclass(frozen)]
pub struct Wish(pub given::Wish);

#[pymethods]
impl Wish {
    #[new]
    #[pyo3(signature = (upto, edges, needed, reads))]
    fn new(
        upto: HashMap<i64, i64>, edges: HashMap<i64, Vec<i64>>, needed: Option<&Native>, reads: HashSet<String>,
    ) -> Self {
        Wish(given::Wish { upto, edges, needed: needed.map(|plan| plan.0.clone()), reads })
    }
}

/// A plan of the core.
pub struct Core(pub Py<PyAny>);

impl Asks for Core {
    fn newer(&self, revision: i64) -> crate::halt::Result<Newer> {
        Python::attach(|py| {
            let positions = self.0.call_method1(py, "newer_than", (revision,))?.extract::<HashSet<u32>>(py)?;
            let cause: String = self.0.call_method1(py, "cause_since", (revision,))?.extract(py)?;
            Ok(Newer { positions: positions.into_iter().collect(), backfilled: cause == "backfill" })
        })
        .map_err(|_: PyErr| Halt::Lacks("what the core can't answer"))
    }
}

/// The kernel's share of the commit in the making. `plans`: workspace → plan of the core; `since`: workspace → fact →
/// the revision from which it is kept; `walked`: workspace → the revision to which all were brought. `kernel`: a plan of
/// the core → the kernel's and its revision, or None where the interpreted core serves.
#[pyclass]
pub struct Ledger {
    ledger: ledger::Ledger,
    cache: Py<Cache>,
    dues: Py<Dues>,
    plans: Py<PyDict>,
    since: Py<PyDict>,
    walked: Py<PyDict>,
    kernel: Py<PyAny>,
    known: HashMap<String, Known>,
}

/// How a workspace was served last, and by what that was.
struct Known {
    plan: Py<PyAny>,
    since: Option<Py<PyAny>>,
    walked: i64,
    serving: Serving,
}

#[pymethods]
impl Ledger {
    #[new]
    fn new(
        cache: Py<Cache>, dues: Py<Dues>, plans: Py<PyDict>, since: Py<PyDict>, walked: Py<PyDict>, kernel: Py<PyAny>,
    ) -> Self {
        Ledger { ledger: ledger::Ledger::default(), cache, dues, plans, since, walked, kernel, known: HashMap::new() }
    }

    /// Applies a record from the clock's instant on. `keeps_out` says of a profile never seen whether it is kept out,
    /// which is left; None: nobody is. `commit`: the number of the one in the making.
    ///
    /// Returns the clock after it; the places of repeats, of merges that change nothing, and of events of workspaces
    /// that are not in `plans`; those that are left to the interpreted core, with the clock at each; the derived events
    /// with the places of their causes, in msgpack; places that were refused, with the bound and what it allows; keys
    /// with a retraction to be carried out; what merges leave: (key, into, id of the merge, number, whether there is
    /// history, what was seen).
    fn apply<'py>(
        &mut self, py: Python<'py>, record: &Record, clock_ms: i64, keeps_out: Option<Bound<'py, PyAny>>, commit: i64,
        stamps: Vec<(usize, i64)>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let mut serving = Vec::with_capacity(record.index.workspaces.len());
        for workspace in &record.index.workspaces {
            serving.push(self.serving(py, workspace)?);
        }
        let (cache, mut dues) = (self.cache.borrow(py), self.dues.borrow_mut(py));
        // where it fails, the core asks again, and sees how
        let asked = |key: &str, ask: &Bound<'py, PyAny>| ask.call1((key,)).and_then(|answer| answer.extract()).unwrap_or(true);
        let kept_out = |key: &str| keeps_out.as_ref().is_some_and(|ask| asked(key, ask));
        let applied = self
            .ledger
            .apply(&cache.0, &mut dues.0, &record.index, &record.data, &serving, clock_ms, &stamps, kept_out, commit)
            .map_err(refused)?;
        let derived = PyBytes::new(py, &applied.derived);
        let profiles = &record.index.profiles;
        let retracted: Vec<&str> = applied.retracted.iter().map(|index| &*profiles[*index].key).collect();
        let leaving = applied.leaving.iter().map(|(index, each)| {
            (&*profiles[*index].key, &each.into, &each.merge, each.number, each.history, PyBytes::new(py, &each.seen))
        });
        let (repeats, idle, unknown, left) = (applied.repeats, applied.idle, applied.unknown, applied.left);
        (applied.clock_ms, repeats, idle, unknown, left, derived, applied.refused, retracted, leaving.collect::<Vec<_>>()).into_pyobject(py)
    }

    /// Fires at most `limit` dues up to an instant. Returns how many, the instant of the last one, and those that are
    /// left to the interpreted core.
    fn fire(&mut self, py: Python<'_>, until_ms: i64, limit: usize) -> PyResult<Fired> {
        let (cache, dues) = (self.cache.clone_ref(py), self.dues.clone_ref(py));
        let mut ledger = std::mem::take(&mut self.ledger);
        let mut failed = None;
        let (count, last, left) = {
            let (cache, mut dues) = (cache.borrow(py), dues.borrow_mut(py));
            let serving = |workspace: &str| self.serving(py, workspace).unwrap_or_else(|error| {
                failed = Some(error);
                Serving::Interpreted
            });
            ledger.fire(&cache.0, &mut dues.0, serving, until_ms, limit)
        };
        self.ledger = ledger;
        if let Some(error) = failed {
            return Err(error);
        }
        Ok((count, last, told(left)))
    }

    /// Brings stored profiles (id → state) to the plan and the clock. Returns how many times one was judged by a segment,
    /// and the ids of those that are left to the interpreted core.
    fn walk(
        &mut self, py: Python<'_>, workspace: &str, stored: &Bound<'_, PyDict>, now_ms: i64,
    ) -> PyResult<(usize, Vec<String>)> {
        let Serving::Served(plan, revision, adoption) = self.serving(py, workspace)? else {
            return Ok((0, stored.keys().extract()?));
        };
        let toward = Toward { workspace, plan: &plan, revision, adoption: &adoption, now_ms };
        let (cache, mut dues) = (self.cache.borrow(py), self.dues.borrow_mut(py));
        let (mut judged, mut left) = (0, Vec::new());
        for (id, state) in stored {
            let (id, state) = (id.extract::<PyBackedStr>()?, state.extract::<PyBackedBytes>()?);
            match self.ledger.walk(&cache.0, &mut dues.0, &toward, &id, &state) {
                Ok(count) => judged += count,
                Err(_) => left.push(id.to_string()),
            }
        }
        Ok((judged, left))
    }

    /// Gives the profiles of a chunk at [first, end) their history. `stored`: key → state, of those that are not
    /// cached; `apart`: keys of profiles that were erased, and are left. Returns how many were given some, and the places of
    /// those that are left to the interpreted core, each with the reason.
    #[allow(clippy::too_many_arguments)]
    fn fill(
        &mut self, py: Python<'_>, workspace: &str, wish: &Wish, past: &Past, first: usize, end: usize,
        stored: &Bound<'_, PyDict>, apart: HashSet<String>, now_ms: i64,
    ) -> PyResult<(usize, Vec<(usize, &'static str)>)> {
        let Serving::Served(plan, revision, adoption) = self.serving(py, workspace)? else {
            return Ok((0, (first..end).map(|at| (at, "a plan that is served whole by the interpreted core")).collect()));
        };
        let toward = Toward { workspace, plan: &plan, revision, adoption: &adoption, now_ms };
        let (cache, mut dues) = (self.cache.borrow(py), self.dues.borrow_mut(py));
        let (mut count, mut left) = (0, Vec::new());
        for at in first..end {
            let place = past.place(at);
            let key = [workspace, "\0", place.profile().map_err(refused)?].concat();
            if !apart.is_empty() && apart.contains(&key) {
                left.push((at, "what was erased"));
                continue;
            }
            let known = stored.get_item(key)?.and_then(|state| state.cast_into::<PyBytes>().ok());
            let state = known.as_ref().map(|state| state.as_bytes());
            match self.ledger.fill(&cache.0, &mut dues.0, &toward, &wish.0, place, state) {
                Ok(given) => count += usize::from(given),
                Err(halt) => left.push((at, halt.what())),
            }
        }
        Ok((count, left))
    }

    /// The keys of those that were changed here, are not taken, and may be in a segment that waits for its history.
    fn concerned(&self) -> Vec<&str> {
        self.ledger.changed.iter().filter(|each| !each.taken && !each.quiet).map(|each| &*each.key).collect()
    }

    /// Hands a profile over to the interpreted core until the commit ends: its state, its due instants before the
    /// commit and now. None: it was not changed here.
    #[allow(clippy::type_complexity)]
    fn take<'py>(&mut self, py: Python<'py>, key: &str) -> Option<(Bound<'py, PyBytes>, Option<i64>, Option<i64>)> {
        self.ledger.take(key).map(|each| (PyBytes::new(py, &each.state), each.before_ms, each.wake_ms))
    }

    fn release(&mut self) {
        self.ledger.release();
    }

    fn undo(&mut self, py: Python<'_>) {
        self.ledger.undo(&mut self.dues.borrow_mut(py).0);
    }

    /// The keys of those that were changed here, and are not taken.
    fn changed(&self) -> Vec<&str> {
        self.ledger.changed.iter().filter(|each| !each.taken).map(|each| &*each.key).collect()
    }

    /// The next number for a profile of a workspace.
    fn number(&mut self, workspace: &str) -> i64 {
        self.ledger.sets.number(workspace)
    }

    fn last_number(&self, workspace: &str) -> i64 {
        self.ledger.sets.last(workspace)
    }

    fn set_last_number(&mut self, workspace: &str, number: i64) {
        self.ledger.sets.set_last(workspace, number);
    }

    /// Whether the members of a segment are bits from here on.
    fn set_dense(&mut self, workspace: &str, segment: &str, dense: bool) {
        self.ledger.sets.set_dense(workspace, segment, dense);
    }

    /// Ends the commit in the making. Returns [(command, of what, workspace, segment, count of arguments, their
    /// bytes)], how many transitions, the transitions, and the length of the first state.
    fn seal<'py>(&mut self, py: Python<'py>, clock_ms: i64) -> PyResult<Bound<'py, PyTuple>> {
        let (mut cache, mut dues) = (self.cache.borrow_mut(py), self.dues.borrow_mut(py));
        fault::trip("seal");
        let sealed = self.ledger.seal(&mut cache.0, &mut dues.0, clock_ms);
        let writes = PyList::empty(py);
        for each in &sealed.writes {
            let arguments = PyBytes::new(py, &each.arguments);
            writes.append((each.command, each.of, &each.workspace, &each.segment, each.count, arguments))?;
        }
        (writes, sealed.flips, PyBytes::new(py, &sealed.transitions), sealed.first_bytes).into_pyobject(py)
    }
}

impl Ledger {
    /// How a workspace is served now. A plan that is another object than before is asked for anew.
    fn serving(&mut self, py: Python<'_>, workspace: &str) -> PyResult<Serving> {
        let Some(plan) = self.plans.bind(py).get_item(workspace)? else {
            self.known.remove(workspace);
            return Ok(Serving::Unknown);
        };
        let since = self.since.bind(py).get_item(workspace)?;
        let walked = self.walked.bind(py).get_item(workspace)?.map_or(Ok(-1), |walked| walked.extract())?;
        if let Some(known) = self.known.get(workspace) {
            let same = match (&since, &known.since) {
                (Some(since), Some(known)) => since.is(known),
                (since, known) => since.is_none() && known.is_none(),
            };
            if same && plan.is(&known.plan) && walked == known.walked {
                return Ok(known.serving.clone());
            }
        }
        let made = self.kernel.bind(py).call1((&plan,))?;
        let serving = match made.extract::<Option<(PyRef<Native>, i64)>>() {
            Ok(None) => Serving::Interpreted,
            Ok(Some((native, revision))) => {
                let kept = since.as_ref().map_or(Ok(HashMap::new()), |since| since.extract())?;
                let adoption = Adoption::new(Box::new(Core(plan.clone().unbind())), kept, walked);
                Serving::Served(native.0.clone(), revision, Arc::new(adoption))
            }
            Err(_) => return Err(PyValueError::new_err("not a plan of the kernel")),
        };
        let (plan, since) = (plan.unbind(), since.map(Bound::unbind));
        self.known.insert(workspace.to_owned(), Known { plan, since, walked, serving: serving.clone() });
        Ok(serving)
    }
}
