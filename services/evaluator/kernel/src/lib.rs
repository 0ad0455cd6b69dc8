//! The native kernel of the evaluator: bytes in, bytes out. Python sees `Plan` and what is in `port`.

mod absent;
mod adoption;
mod amount;
mod announcing;
mod asked;
mod attribute;
mod bag;
mod bounds;
mod cache;
mod chain;
mod change;
mod chunks;
mod computed;
mod count;
mod dedup;
mod definition;
mod description;
mod dues;
mod entries;
mod event;
mod exact;
mod fact;
mod fault;
mod feed;
mod filter;
mod fold;
mod given;
mod halt;
mod hashes;
mod heap;
mod json;
mod ledger;
mod merging;
mod mode;
mod msgpack;
mod numbers;
mod parts;
mod passing;
mod past;
mod plan;
mod port;
mod profile;
mod program;
mod question;
mod reach;
mod record;
mod registered;
mod registers;
mod resp;
mod retraction;
mod same;
mod score;
mod sealed;
mod sets;
mod step;
mod track;
mod trail;
mod transition;
mod value;
mod window;

use std::collections::HashMap;
use std::sync::Arc;

use pyo3::exceptions::{PyNotImplementedError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use adoption::Adoption;
use asked::Asked;
use halt::Halt;
use step::Done;

/// States are hundreds of bytes that come and go in all sizes, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Of the description; `kernel/description.py` has the same number, so a change here is a change there.
const SHAPE: u32 = 11;

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
struct Native(Arc<plan::Plan>);

#[pymethods]
impl Native {
    /// Raises NotImplementedError where it lacks something, ValueError where the description can't be read.
    #[new]
    fn new(description: &[u8], asked: Vec<Py<Function>>) -> PyResult<Self> {
        fault::trip("plan");
        let asked = Asked(asked.iter().map(|each| each.get().0.clone()).collect());
        plan::Plan::read(description, &asked).map(|plan| Native(Arc::new(plan))).map_err(|halt| match halt {
            Halt::Lacks(what) => PyNotImplementedError::new_err(what),
            halt => refused(halt),
        })
    }

    /// (state or None, next due instant or None, transitions, derived events, the bound by which it was refused and
    /// what that allows, or None) of an event; the text says what the kernel lacks for it. Raises ValueError where the bytes can't be read.
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

    /// The same of the way from an older plan to `plan`, the core's at its revision.
    fn adopt<'py>(
        &self, py: Python<'py>, plan: Py<PyAny>, profile: &str, state: &[u8], now_ms: i64, since: HashMap<i64, i64>, walked: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let revision = plan.getattr(py, "revision")?.extract(py)?;
        let adoption = Adoption::new(Box::new(port::Core(plan)), since, walked);
        answer(py, step::adopt(&self.0, revision, &adoption, profile, state, now_ms))
    }

    /// The same of history that is given to a profile, the one at a place of a chunk.
    fn give<'py>(
        &self, py: Python<'py>, revision: i64, state: &[u8], past: &port::Past, at: usize, wish: &port::Wish, now_ms: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        answer(py, passing::give(&self.0, revision, state, past.place(at), &wish.0, now_ms))
    }
}

fn answer<'py>(py: Python<'py>, done: halt::Result<Done>) -> PyResult<Bound<'py, PyAny>> {
    match done {
        Ok(done) => {
            let state = done.state.map(|state| PyBytes::new(py, &state));
            let transitions = PyBytes::new(py, &msgpack::counted(done.flips, &done.transitions));
            let derived = PyBytes::new(py, &msgpack::counted(done.events, &done.derived));
            Ok((state, done.wake_ms, transitions, derived, done.refused).into_pyobject(py)?.into_any())
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

/// For tests (module `fault`).
#[pyfunction]
#[pyo3(signature = (place=None))]
fn plant(place: Option<String>) {
    fault::plant(place);
}

#[pymodule]
#[pyo3(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SHAPE", SHAPE)?;
    module.add("Panic", module.py().get_type::<pyo3::panic::PanicException>())?;
    module.add_function(wrap_pyfunction!(plant, module)?)?;
    module.add_class::<Function>()?;
    module.add_class::<Native>()?;
    module.add_class::<port::Cache>()?;
    module.add_class::<port::Dues>()?;
    module.add_class::<port::Record>()?;
    module.add_class::<port::Past>()?;
    module.add_class::<port::Wish>()?;
    module.add_class::<port::Ledger>()?;
    module.add_class::<announcing::Announcing>()?;
    module.add_function(wrap_pyfunction!(announcing::py_kinds, module)?)?;
    module.add_function(wrap_pyfunction!(announcing::py_mentions, module)?)
}
