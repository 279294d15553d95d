//! What a plugin says, in the host's log.

use countersign_abi::{Level, Metric, Services};

/// The services of one backend: its lines name it.
pub(super) struct BackendLog {
    backend: String,
}

impl BackendLog {
    /// The log of the backend with this id.
    pub(super) fn of(id: &str) -> Self {
        BackendLog {
            backend: id.to_owned(),
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
        let (backend, module) = (self.backend.as_str(), printable(module));
        let (message, fields) = (printable(message), printable(fields));
        match level {
            Level::Trace => tracing::trace!(target: "plugin", backend, module, fields, "{message}"),
            Level::Debug => tracing::debug!(target: "plugin", backend, module, fields, "{message}"),
            Level::Info => tracing::info!(target: "plugin", backend, module, fields, "{message}"),
            Level::Warn => tracing::warn!(target: "plugin", backend, module, fields, "{message}"),
            Level::Error => tracing::error!(target: "plugin", backend, module, fields, "{message}"),
        }
    }

    fn metric(&self, _: Metric, _: &str, _: &str, _: f64) {}

    fn panicked(&self, place: &str, text: &str) {
        let (backend, place, text) = (self.backend.as_str(), printable(place), printable(text));
        tracing::error!(target: "plugin", backend, "the plugin panicked at {place}: {text}");
    }
}

/// A plugin's text is untrusted: at most 8 KiB of it, without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .take(8192)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
