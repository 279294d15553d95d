//! What an instance knows of its surroundings.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_abi::{Metric, Services};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::cpu;
use crate::log::{self, Speaker};
use crate::{AuthError, Result};

/// What the host tells an instance when it is configured.
#[derive(Deserialize)]
pub(crate) struct Envelope {
    #[serde(default)]
    pub(crate) config: Value,
    backend: String,
    state: PathBuf,
    #[serde(default)]
    check: bool,
}

/// An instance's surroundings: its name, its folders, its CPU pool. Cheap to clone.
#[derive(Clone)]
pub struct Cx(Arc<Inner>);

struct Inner {
    backend: String,
    state: PathBuf,
    check: bool,
    /// None in a test without a host.
    services: Option<Arc<dyn Services>>,
}

impl Cx {
    pub(crate) fn new(envelope: &Envelope, services: Option<Arc<dyn Services>>) -> Self {
        let Envelope {
            backend,
            state,
            check,
            ..
        } = envelope;
        Cx(Arc::new(Inner {
            backend: backend.clone(),
            state: state.clone(),
            check: *check,
            services,
        }))
    }

    /// The backend's id in the configuration.
    pub fn backend(&self) -> &str {
        &self.0.backend
    }

    /// The host's state folder, absolute; files made in it belong to this deployment.
    pub fn state(&self) -> &Path {
        &self.0.state
    }

    /// true = `countersign check`: look, but create and change nothing.
    pub fn is_check(&self) -> bool {
        self.0.check
    }

    /// Runs work that burns CPU (a password hash) outside the runtime's threads, on
    /// a small pool of lower priority that all instances of the library share.
    ///
    /// The queue is bounded: when it is full the answer is `Unavailable`, at once. Work
    /// whose caller has gone is not begun; work that has begun runs to its end, and until
    /// then the host counts its call as one of `concurrency`.
    pub async fn cpu<T, F>(&self, work: F) -> Result<T, AuthError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        cpu::pool()?.run(work).await
    }

    /// Runs work beside the calls, on this instance's behalf: its logs are told as the
    /// instance's. Call it from within `configure` or a call. The work must end by
    /// itself, at the latest when the instance is dropped.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        match &self.0.services {
            Some(services) => {
                drop(tokio::spawn(log::on_behalf(Speaker::new(services), work)));
            }
            None => drop(tokio::spawn(work)),
        }
    }

    /// Adds to a count, such as `binds`, that the host shows as
    /// `countersign_plugin_binds{backend="…"}` on `/metrics`. Names and labels come from
    /// the code, never from a request: the host keeps a limited number of series.
    pub fn count(&self, name: &str, labels: &[(&str, &str)], amount: u64) {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        self.metric(Metric::Counter, name, labels, amount as f64);
    }

    /// Sets a level, such as `pool_idle`.
    pub fn gauge(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.metric(Metric::Gauge, name, labels, value);
    }

    /// Observes one value of a distribution, such as `search_seconds`; times are in seconds.
    pub fn observe(&self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.metric(Metric::Histogram, name, labels, value);
    }

    fn metric(&self, kind: Metric, name: &str, labels: &[(&str, &str)], value: f64) {
        let Some(services) = &self.0.services else {
            return;
        };
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        let labels = match Map::from_iter(labels) {
            none if none.is_empty() => String::new(),
            some => Value::Object(some).to_string(),
        };
        services.metric(kind, name, &labels, value);
    }

    /// How many threads [`cpu`](Self::cpu) has.
    pub fn cpu_threads(&self) -> usize {
        cpu::threads()
    }
}
