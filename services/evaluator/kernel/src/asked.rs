//! What the kernel asks the core: its calendar, dates seen from now, patterns, letters without case.
//!
//! A description names these by number, and the core's functions come beside it. So calendars and patterns are in
//! one place, and the kernel never differs from it. What is asked often is remembered (`window`) or has a quick way
//! here (texts of ASCII).

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::halt::{Halt, Result};
use crate::value::Value;
use crate::window::Calendar;

/// A function of the core; its number in the description says what it takes and gives.
pub trait Core: Send + Sync {
    /// An instant from an instant.
    fn instant(&self, t_ms: i64) -> Result<i64>;
    /// Whether a test holds for a value; None where it can't be compared.
    fn verdict(&self, value: &Value) -> Result<Option<bool>>;
    /// The instants [start, end) around or after now in which a date counts; None where it can't be compared.
    fn span(&self, value: &Value, now_ms: i64) -> Result<Option<(i64, i64)>>;
    fn folded(&self, text: &str) -> Result<String>;
    /// An instant as JSON has it.
    fn date(&self, t_ms: i64) -> Result<String>;
    /// The float nearest to a ratio.
    fn nearest(&self, above: i128, below: i128) -> Result<f64>;
}

/// All functions that come with a description.
pub struct Asked(pub Vec<Function>);

impl Asked {
    pub fn at(&self, number: i64) -> Result<Arc<dyn Core>> {
        self.function(number).map(|each| each.core.clone())
    }

    /// Of a function that gives an instant from an instant.
    pub fn calendar(&self, number: i64) -> Result<Arc<Calendar>> {
        self.function(number).map(|each| each.calendar.clone())
    }

    fn function(&self, number: i64) -> Result<&Function> {
        let found = usize::try_from(number).ok().and_then(|index| self.0.get(index));
        found.ok_or(Halt::Bad("a function that is not there"))
    }
}

/// One of them, and what is remembered of its answers where it is a calendar's.
#[derive(Clone)]
pub struct Function {
    core: Arc<dyn Core>,
    calendar: Arc<Calendar>,
}

impl Function {
    pub fn new(function: Py<PyAny>) -> Self {
        let core: Arc<dyn Core> = Arc::new(Called { function, known: Mutex::new(HashMap::new()) });
        Function { calendar: Arc::new(Calendar::new(core.clone())), core }
    }
}

/// A text as comparisons without case see it.
pub fn fold<'t>(core: &dyn Core, text: &'t str) -> Result<Cow<'t, str>> {
    if !text.is_ascii() {
        return core.folded(text).map(Cow::Owned);
    }
    let has_case = text.bytes().any(|byte| byte.is_ascii_uppercase());
    Ok(if has_case { Cow::Owned(text.to_ascii_lowercase()) } else { Cow::Borrowed(text) })
}

/// `known`: verdicts on texts, which depend on nothing else.
struct Called {
    function: Py<PyAny>,
    known: Mutex<HashMap<String, Option<bool>>>,
}

/// So many verdicts are remembered, of texts of no more bytes.
const KEPT: usize = 256;
const LONGEST: usize = 64;

impl Called {
    fn call<A>(&self, given: impl for<'py> FnOnce(Python<'py>) -> PyResult<Bound<'py, PyTuple>>) -> Result<A>
    where
        A: for<'a, 'py> FromPyObject<'a, 'py>,
    {
        Python::attach(|py| {
            let answer = self.function.call1(py, given(py)?)?;
            answer.extract(py).map_err(Into::<PyErr>::into)
        })
        .map_err(|_| Halt::Lacks("what the core can't answer"))
    }
}

impl Core for Called {
    fn instant(&self, t_ms: i64) -> Result<i64> {
        self.call(|py| (t_ms,).into_pyobject(py))
    }

    fn verdict(&self, value: &Value) -> Result<Option<bool>> {
        let text = if let Value::Str(text) = value { Some(*text).filter(|text| text.len() <= LONGEST) } else { None };
        let known = || self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(found) = text.and_then(|text| known().get(text).copied()) {
            return Ok(found);
        }
        let verdict = self.call(|py| (python(py, value)?,).into_pyobject(py))?;
        if let Some(text) = text {
            let mut known = known();
            if known.len() >= KEPT {
                known.clear();
            }
            known.insert(text.to_owned(), verdict);
        }
        Ok(verdict)
    }

    fn span(&self, value: &Value, now_ms: i64) -> Result<Option<(i64, i64)>> {
        self.call(|py| (python(py, value)?, now_ms).into_pyobject(py))
    }

    fn folded(&self, text: &str) -> Result<String> {
        self.call(|py| (text,).into_pyobject(py))
    }

    fn date(&self, t_ms: i64) -> Result<String> {
        self.call(|py| (t_ms,).into_pyobject(py))
    }

    fn nearest(&self, above: i128, below: i128) -> Result<f64> {
        self.call(|py| (above, below).into_pyobject(py))
    }
}

fn python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Nil => py.None().into_bound(py),
        Value::Bool(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Str(text) => text.into_pyobject(py)?.into_any(),
        Value::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Map(members) => {
            let made = PyDict::new(py);
            for (name, member) in members {
                made.set_item(name, python(py, member)?)?;
            }
            made.into_any()
        }
    })
}
