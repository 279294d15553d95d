//! What an instance says while a test runs it: lines, measurements, panics.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_abi::{Level, Metric, Services};
use serde_json::Value;

/// A line of the plugin's log, as it left the plugin: the host's redaction of secrets
/// comes later, so a test may look whether there is anything to redact.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Severity.
    pub level: Level,
    /// The module that spoke.
    pub target: String,
    /// The text.
    pub message: String,
    /// The event's fields with those of its spans; null where there are none.
    pub fields: Value,
}

/// A value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Count, level or distribution.
    pub kind: Metric,
    /// The name, without what the host puts before it.
    pub name: String,
    /// The labels; null where there are none.
    pub labels: Value,
    /// What was counted, set or observed.
    pub value: f64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line {
            level,
            target,
            message,
            fields,
        } = self;
        write!(f, "{level:?} {target}: {message}")?;
        match fields {
            Value::Null => Ok(()),
            fields => write!(f, " {fields}"),
        }
    }
}

/// The host's services for one instance under test.
#[derive(Default)]
pub(super) struct Recorder {
    lines: Mutex<Vec<Line>>,
    measurements: Mutex<Vec<Measurement>>,
    panics: Mutex<Vec<String>>,
}

impl Recorder {
    pub(super) fn lines(&self) -> Vec<Line> {
        held(&self.lines).clone()
    }

    pub(super) fn measurements(&self) -> Vec<Measurement> {
        held(&self.measurements).clone()
    }

    pub(super) fn panics(&self) -> Vec<String> {
        held(&self.panics).clone()
    }
}

impl Services for Recorder {
    fn enabled(&self, _: Level) -> bool {
        true
    }

    fn log(&self, level: Level, target: &str, message: &str, fields: &str) {
        held(&self.lines).push(Line {
            level,
            target: target.to_owned(),
            message: message.to_owned(),
            fields: json(fields),
        });
    }

    fn metric(&self, kind: Metric, name: &str, labels: &str, value: f64) {
        held(&self.measurements).push(Measurement {
            kind,
            name: name.to_owned(),
            labels: json(labels),
            value,
        });
    }

    fn panicked(&self, place: &str, text: &str) {
        held(&self.panics).push(format!("{place}: {text}"));
    }
}

fn held<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
