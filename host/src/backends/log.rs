//! What a plugin says, in the host's log: without secrets, without control characters,
//! and not faster than a log can bear.

use std::sync::Arc;
use std::time::Instant;

use countersign_abi::{Failure, Level, Metric, Services};

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
        let (message, fields) = (self.clean(message), self.clean(fields));
        match level {
            Level::Trace => tracing::trace!(target: "plugin", backend, module, fields, "{message}"),
            Level::Debug => tracing::debug!(target: "plugin", backend, module, fields, "{message}"),
            Level::Info => tracing::info!(target: "plugin", backend, module, fields, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", backend, module, fields, "{message}"),
            Level::Error => tracing::error!(target: "plugin", backend, module, fields, "{message}"),
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
