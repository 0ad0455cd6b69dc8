//! The native kernel of the evaluator: bytes in, bytes out. Nothing but `Plan` is seen from Python.

mod absent;
mod attribute;
mod bag;
mod chain;
mod count;
mod dedup;
mod event;
mod exact;
mod fact;
mod feed;
mod halt;
mod msgpack;
mod plan;
mod profile;
mod program;
mod reach;
mod step;
mod trail;
mod value;
mod window;

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use halt::Halt;
use step::Done;
use window::{Asked, Shift};

/// A workspace's plan. `asked`: the shifts of the description that the core's calendar answers.
#[pyclass(frozen, name = "Plan")]
struct Native(plan::Plan);

#[pymethods]
impl Native {
    #[new]
    fn new(description: &[u8], asked: Vec<Py<PyAny>>) -> PyResult<Self> {
        let shifts: Vec<Shift> = asked.into_iter().map(shift).collect();
        plan::Plan::read(description, &shifts).map(Native).map_err(|halt| PyValueError::new_err(message(halt)))
    }

    /// (state or None, next due instant or None, transitions, derived events) of an event; the text says what the
    /// kernel lacks for it. Raises ValueError where the bytes can't be read.
    fn event<'py>(&self, py: Python<'py>, state: &[u8], event: &[u8], now_ms: i64) -> PyResult<Bound<'py, PyAny>> {
        answer(py, step::event(&self.0, state, event, now_ms))
    }

    /// The same of the clock, which comes to the profile's next due instant.
    fn clock<'py>(&self, py: Python<'py>, profile: &str, state: &[u8], now_ms: i64) -> PyResult<Bound<'py, PyAny>> {
        answer(py, step::clock(&self.0, profile, state, now_ms))
    }
}

fn shift(asked: Py<PyAny>) -> Shift {
    Shift::Asked(Arc::new(Asked::new(Box::new(move |t_ms| {
        Python::attach(|py| asked.call1(py, (t_ms,))?.extract(py))
            .map_err(|_: PyErr| Halt::Lacks("an instant that the calendar does not know"))
    }))))
}

fn answer<'py>(py: Python<'py>, done: halt::Result<Done>) -> PyResult<Bound<'py, PyAny>> {
    match done {
        Ok(done) => {
            let state = done.state.map(|state| PyBytes::new(py, &state));
            let transitions = PyBytes::new(py, &counted(done.flips, &done.transitions));
            let derived = PyBytes::new(py, &counted(done.events, &done.derived));
            Ok((state, done.wake_ms, transitions, derived).into_pyobject(py)?.into_any())
        }
        Err(Halt::Lacks(what)) => Ok(PyString::new(py, what).into_any()),
        Err(halt) => Err(PyValueError::new_err(message(halt))),
    }
}

fn counted(count: usize, items: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() + 5);
    msgpack::put_array(&mut out, count);
    out.extend_from_slice(items);
    out
}

fn message(halt: Halt) -> String {
    match halt {
        Halt::Bad(what) => format!("the kernel can't read it: {what}"),
        Halt::Lacks(what) => format!("the kernel lacks {what}"),
    }
}

#[pymodule]
#[pyo3(name = "_native")]
fn native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Native>()
}
