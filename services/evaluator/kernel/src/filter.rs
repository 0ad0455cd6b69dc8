//! Filters: tests on the properties of an event, or on the items of a list among them.

use std::collections::HashSet;

use crate::asked::Asked;
use crate::event::texts;
use crate::halt::{Halt, Result};
use crate::msgpack::Reader;
use crate::question::{Question, Test};
use crate::value::{Key, Value, flat, walk};

/// So many items of a list are looked at.
const MAX_ITEMS: usize = 1_000;
/// Filters of items within items go no deeper in a definition.
const DEEPEST: usize = 16;

pub enum Filter {
    Asks { path: Vec<String>, question: Question },
    /// Whether some item of a list passes all filters, or (`wanted` false) none does.
    Items { path: Vec<String>, wanted: bool, filters: Vec<Filter> },
    /// Whether all filters of one of several lists hold.
    Any(Vec<Vec<Filter>>),
}

/// An equality that must hold, by which events are led to the few facts that they can feed.
pub struct Handle<'f> {
    pub path: Vec<String>,
    pub keys: &'f HashSet<Key<'static>>,
}

impl Filter {
    pub fn all(from: &mut Reader, asked: &Asked) -> Result<Vec<Filter>> {
        Filter::all_in(from, asked, 0)
    }

    /// Each is [path, question], or [path, wanted, filters] of items, or [lists of filters].
    fn all_in(from: &mut Reader, asked: &Asked, depth: usize) -> Result<Vec<Filter>> {
        if depth > DEEPEST {
            return Err(Halt::Lacks("filters so deep"));
        }
        let mut found = Vec::new();
        for _ in 0..from.array()? {
            let fields = from.array()?;
            if fields == 1 {
                let lists = (0..from.array()?).map(|_| Filter::all_in(from, asked, depth + 1));
                found.push(Filter::Any(lists.collect::<Result<_>>()?));
                continue;
            }
            let path = texts(from)?;
            found.push(match fields {
                2 => Filter::Asks { path, question: Question::read(from, asked)? },
                3 => Filter::Items { path, wanted: from.bool()?, filters: Filter::all_in(from, asked, depth + 1)? },
                _ => return Err(Halt::Bad("a filter of another shape")),
            });
        }
        found.shrink_to_fit();
        Ok(found)
    }

    /// `path` of the list whose items it is a filter on.
    pub fn handles<'f>(&'f self, within: &[String], into: &mut Vec<Handle<'f>>) {
        match self {
            Filter::Asks { path, question } => {
                if let Some(keys) = question.handle() {
                    into.push(Handle { path: [within, path].concat(), keys });
                }
            }
            Filter::Items { path, wanted: true, filters } => {
                let within = [within, path].concat();
                filters.iter().for_each(|filter| filter.handles(&within, into));
            }
            Filter::Items { .. } | Filter::Any(_) => {}
        }
    }

    /// `time_ms` of the event, from which dates are seen.
    pub fn holds(&self, properties: &Value, time_ms: i64) -> Result<bool> {
        match self {
            Filter::Asks { path, question } => asks(path, question, properties, time_ms),
            Filter::Items { path, wanted, filters } => {
                let mut items = Vec::new();
                for value in walk(path, properties) {
                    flat(value, &mut |item| if !matches!(item, Value::Nil) { items.push(item) });
                }
                let none = Value::Map(Vec::new());
                for item in items.into_iter().take(MAX_ITEMS) {
                    let item = if let Value::Map(_) = item { item } else { &none };
                    if hold(filters, item, time_ms)? {
                        return Ok(*wanted);
                    }
                }
                Ok(!wanted)
            }
            Filter::Any(lists) => {
                for filters in lists {
                    if hold(filters, properties, time_ms)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}

/// Whether all filters hold.
pub fn hold(filters: &[Filter], properties: &Value, time_ms: i64) -> Result<bool> {
    for filter in filters {
        if !filter.holds(properties, time_ms)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn asks(path: &[String], question: &Question, properties: &Value, time_ms: i64) -> Result<bool> {
    let values = walk(path, properties);
    if matches!(question.test, Test::Exists) {
        return Ok(values.is_empty() == question.denied);
    }
    let mut verdicts = Vec::new();
    for value in values {
        if question.is_whole() {
            verdicts.push(question.verdict(value, time_ms));
        } else {
            flat(value, &mut |item| verdicts.push(question.verdict(item, time_ms)));
        }
    }
    let (mut compared, mut any) = (false, false);
    for verdict in verdicts {
        if let Some(verdict) = verdict? {
            (compared, any) = (true, any || verdict);
        }
    }
    Ok(if compared { any != question.denied } else { question.without })
}
