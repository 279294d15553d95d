//! What a plugin says, in the host's log: without secrets, without control characters,
//! and not faster than a log can bear.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use countersign_abi::{Failure, Level, Metric, Services};
use serde_json::{Map, Value};

use super::flood::{A_SECOND, Flood};
use super::metrics::PluginMetrics;
use super::printable::printable;
use super::secrets::Secrets;

/// The services of one backend: its lines name it.
#[derive(Debug)]
pub(super) struct BackendLog {
    backend: String,
    secrets: Arc<Secrets>,
    flood: Flood,
    metrics: PluginMetrics,
}

impl BackendLog {
    /// The log of the backend with this id.
    pub(super) fn of(id: &str, secrets: Arc<Secrets>) -> Self {
        BackendLog {
            backend: id.to_owned(),
            metrics: PluginMetrics::of(id, Arc::clone(&secrets)),
            secrets,
            flood: Flood::new(Instant::now()),
        }
    }

    /// A text of the plugin's that may be logged.
    pub(super) fn clean(&self, text: &str) -> String {
        printable(&self.secrets.hide(text))
    }

    /// A failure whose texts may be logged, and its public one sent. The subject is the
    /// name of a user, and told as it is: who chooses his name as his password, too,
    /// must still be found in the audit log.
    pub(super) fn clean_failure(&self, failure: Failure) -> Failure {
        let hide = |text: String| self.secrets.hide(&text).into_owned();
        Failure {
            public: hide(failure.public),
            detail: hide(failure.detail),
            ..failure
        }
    }

    /// Tells what is left to tell.
    pub(super) fn finish(&self) {
        self.tell_dropped(self.flood.rest());
    }

    /// May the plugin say a line now?
    fn admit(&self) -> bool {
        let admitted = self.flood.admit(Instant::now());
        match admitted {
            Some(dropped) => self.tell_dropped(dropped),
            None => self.metrics.line_dropped(),
        }
        admitted.is_some()
    }

    fn tell_dropped(&self, dropped: u64) {
        if dropped > 0 {
            let backend = self.backend.as_str();
            tracing::warn!(
                backend,
                dropped,
                "log lines of the plugin were dropped: it writes more than {A_SECOND} a second"
            );
        }
    }
}

impl Services for BackendLog {
    fn enabled(&self, level: Level) -> bool {
        match level {
            Level::Trace => tracing::enabled!(target: "plugin", tracing::Level::TRACE),
            Level::Debug => tracing::enabled!(target: "plugin", tracing::Level::DEBUG),
            Level::Info => tracing::enabled!(target: "plugin", tracing::Level::INFO),
            Level::Warn => tracing::enabled!(target: "plugin", tracing::Level::WARN),
            Level::Error => tracing::enabled!(target: "plugin", tracing::Level::ERROR),
        }
    }

    fn log(&self, level: Level, module: &str, message: &str, fields: &str) {
        // Not asked by every SDK: what would not be written must not use up the rate.
        if !self.enabled(level) || !self.admit() {
            return;
        }
        let (backend, module) = (self.backend.as_str(), printable(module));
        let (request, fields) = apart(fields);
        let request = request.as_deref().map(printable);
        let message = self.clean(message);
        let fields = fields.map(|fields| self.clean(&fields));
        let (fields, request) = (fields.as_deref(), request.as_deref());
        match level {
            Level::Trace => {
                tracing::trace!(target: "plugin", backend, module, fields, request, "{message}")
            }
            Level::Debug => {
                tracing::debug!(target: "plugin", backend, module, fields, request, "{message}")
            }
            Level::Info => {
                tracing::info!(target: "plugin", backend, module, fields, request, "{message}")
            }
            Level::Warn => {
                tracing::warn!(target: "plugin", backend, module, fields, request, "{message}")
            }
            Level::Error => {
                tracing::error!(target: "plugin", backend, module, fields, request, "{message}")
            }
        }
    }

    fn metric(&self, kind: Metric, name: &str, labels: &str, value: f64) {
        self.metrics.record(kind, name, labels, value);
    }

    fn panicked(&self, place: &str, text: &str) {
        self.metrics.panicked();
        if !self.admit() {
            return;
        }
        let (backend, place, text) = (self.backend.as_str(), printable(place), self.clean(text));
        tracing::error!(target: "plugin", backend, "the plugin panicked at {place}: {text}");
    }
}

/// The request's id, which the SDK puts among a line's fields, and the other fields: the id
/// stands where it stands in lines of the host's own. Nothing that is empty is told.
fn apart(fields: &str) -> (Option<String>, Option<Cow<'_, str>>) {
    const REQUEST: &str = "request";
    let whole = (!fields.is_empty()).then_some(Cow::Borrowed(fields));
    if !fields.contains(REQUEST) {
        return (None, whole);
    }
    let Ok(mut members) = serde_json::from_str::<Map<String, Value>>(fields) else {
        return (None, whole);
    };
    let Some(Value::String(request)) = members.get(REQUEST).cloned() else {
        return (None, whole);
    };
    members.remove(REQUEST);
    let rest = (!members.is_empty()).then(|| Cow::Owned(Value::Object(members).to_string()));
    (Some(request), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_of_the_request_is_taken_out_of_the_fields() {
        for (fields, request, rest) in [
            ("", None, None),
            (r#"{"a":1}"#, None, Some(r#"{"a":1}"#)),
            (r#"{"request":"r-1"}"#, Some("r-1"), None),
            (
                r#"{"a":"request","request":"r-1"}"#,
                Some("r-1"),
                Some(r#"{"a":"request"}"#),
            ),
            (r#"{"request":7}"#, None, Some(r#"{"request":7}"#)),
            ("request, but no JSON", None, Some("request, but no JSON")),
        ] {
            let (found, left) = apart(fields);
            assert_eq!(
                (found.as_deref(), left.as_deref()),
                (request, rest),
                "{fields}"
            );
        }
    }
}
