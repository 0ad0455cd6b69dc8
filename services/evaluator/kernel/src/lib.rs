//! The native kernel of the evaluator: bytes in, bytes out. Nothing but `Plan` is seen from Python.

mod absent;
mod amount;
mod asked;
mod attribute;
mod bag;
mod bounds;
mod chain;
mod change;
mod computed;
mod count;
mod dedup;
mod definition;
mod description;
mod event;
mod exact;
mod fact;
mod feed;
mod filter;
mod fold;
mod halt;
mod mode;
mod msgpack;
mod parts;
mod plan;
mod profile;
mod program;
mod question;
mod reach;
mod record;
mod registered;
mod registers;
mod score;
mod step;
mod track;
mod trail;
mod value;
mod window;

use pyo3::exceptions::{PyNotImplementedError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use asked::Asked;
use halt::Halt;
use step::Done;

/// Of the description; `kernel/description.py` has the same number, so a change here is a change there.
const SHAPE: u32 = 5;

/// A function of the core. Plans that share it share what is remembered of its answers.
#[pyclass(frozen, weakref)]
struct Function(asked::Function);

#[pymethods]
impl Function {
    #[new]
    fn new(function: Py<PyAny>) -> Self {
        Function(asked::Function::new(function))
    }
}

/// What a workspace's plan does, whatever its revision. `asked`: the functions of the core that the description
/// names by their numbers.
#[pyclass(frozen, name = "Plan")]
struct Native(plan::Plan);

#[pymethods]
impl Native {
    /// Raises NotImplementedError where it lacks something, ValueError where the description can't be read.
    #[new]
    fn new(description: &[u8], asked: Vec<Py<Function>>) -> PyResult<Self> {
        let asked = Asked(asked.iter().map(|each| each.get().0.clone()).collect());
        plan::Plan::read(description, &asked).map(Native).map_err(|halt| match halt {
            Halt::Lacks(what) => PyNotImplementedError::new_err(what),
            halt => refused(halt),
        })
    }

    /// (state or None, next due instant or None, transitions, derived events) of an event; the text says what the
    /// kernel lacks for it. Raises ValueError where the bytes can't be read.
    fn event<'py>(
        &self, py: Python<'py>, revision: i64, state: &[u8], event: &[u8], now_ms: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(py, step::event(&self.0, revision, state, event, now_ms))
    }

    /// The same of the clock, which comes to the profile's next due instant.
    fn clock<'py>(
        &self, py: Python<'py>, revision: i64, profile: &str, state: &[u8], now_ms: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(py, step::clock(&self.0, revision, profile, state, now_ms))
    }

    /// Applies a packed record whose events are all of the plan's workspace. `states`: profile → its state, which
    /// may be left out of those never seen.
    ///
    /// Returns [(profile, state, due instant before, and now)] of those that changed, the places of repeats, the
    /// transitions, the derived events with the places of their causes, and [(profile, what the kernel lacks)] of
    /// those that are given back. Raises ValueError where the record can't be read.
    fn record<'py>(
        &self, py: Python<'py>, revision: i64, record: &[u8], states: &Bound<'py, PyDict>, clock_ms: i64,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let arena = profile::Arena::new();
        let read = record::Record::read(record, &self.0.workspace).map_err(refused)?;
        let mut stored = Vec::with_capacity(read.profiles.len());
        for profile in &read.profiles {
            let state = states.get_item(profile)?;
            stored.push(state.map(|state| state.cast_into::<PyBytes>()).transpose()?);
        }
        let states: Vec<&[u8]> = stored.iter().map(|state| state.as_ref().map_or(&[][..], |state| state.as_bytes())).collect();
        let applied = read.apply(&self.0, &arena, revision, &states, clock_ms).map_err(refused)?;
        let changed = PyList::empty(py);
        for each in &applied.changed {
            changed.append((each.profile, PyBytes::new(py, &each.state), each.before_ms, each.wake_ms))?;
        }
        let transitions = PyBytes::new(py, &applied.transitions);
        let derived = PyBytes::new(py, &applied.derived);
        (changed, applied.repeats, transitions, derived, applied.given_back).into_pyobject(py)
    }

    /// Brings profiles (id, state, until), each to an instant, through all that was due by then.
    ///
    /// Returns for each one (state, or None where nothing was due, and the next due instant) or what the kernel
    /// lacks, in their order, and the transitions.
    fn fire<'py>(
        &self, py: Python<'py>, revision: i64, due: Vec<(PyBackedStr, PyBackedBytes, i64)>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let due: Vec<(&str, &[u8], i64)> = due.iter().map(|(profile, state, until)| (&**profile, &**state, *until)).collect();
        let (fired, transitions) = record::fire(&self.0, revision, &due);
        let answers = PyList::empty(py);
        for each in fired {
            match each {
                Ok(fired) => answers.append((fired.state.map(|state| PyBytes::new(py, &state)), fired.wake_ms))?,
                Err(what) => answers.append(what)?,
            }
        }
        (answers, PyBytes::new(py, &transitions)).into_pyobject(py)
    }
}

fn answer<'py>(py: Python<'py>, done: halt::Result<Done>) -> PyResult<Bound<'py, PyAny>> {
    match done {
        Ok(done) => {
            let state = done.state.map(|state| PyBytes::new(py, &state));
            let transitions = PyBytes::new(py, &msgpack::counted(done.flips, &done.transitions));
            let derived = PyBytes::new(py, &msgpack::counted(done.events, &done.derived));
            Ok((state, done.wake_ms, transitions, derived).into_pyobject(py)?.into_any())
        }
        Err(Halt::Lacks(what)) => Ok(PyString::new(py, what).into_any()),
        Err(halt) => Err(refused(halt)),
    }
}

fn refused(halt: Halt) -> PyErr {
    PyValueError::new_err(match halt {
        Halt::Bad(what) => format!("the kernel can't read it: {what}"),
        Halt::Lacks(what) => format!("the kernel lacks {what}"),
    })
}

#[pymodule]
#[pyo3(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SHAPE", SHAPE)?;
    module.add_class::<Function>()?;
    module.add_class::<Native>()
}
