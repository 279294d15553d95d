//! One server: how it is reached, how it fares, what it can do, and its open connections.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::dial::{self, Host};
use super::failure::Failure;
use super::health::{Advice, Health};
use super::lines::Lines;
use super::metrics::Metrics;
use super::session::{Query, Reach};
use super::spares::Spares;
use super::wire::Wire;
use crate::config::{Pool, Timeouts};
use crate::filter::Filter;
use crate::trouble::Trouble;

/// How long others wait for a server that somebody is already waiting for.
const PATIENCE: Duration = Duration::from_millis(250);
/// A connection on which nothing came for so long is asked before it is used.
const STALE: Duration = Duration::from_secs(3);

/// LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3).
const ACTIVE_DIRECTORY: &str = "1.2.840.113556.1.4.800";
/// Simple paged results (RFC 2696).
const PAGED: &str = "1.2.840.113556.1.4.319";

pub(super) enum Way {
    Tcp(Host),
    Unix(PathBuf),
}

/// What the root DSE tells (RFC 4512 section 5.1).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Known {
    pub(super) active_directory: bool,
    pub(super) pages: bool,
    /// It could be read, or never will be.
    certain: bool,
}

pub(super) struct Server {
    /// Its URL.
    pub(super) name: String,
    way: Way,
    pub(super) timeouts: Timeouts,
    pub(super) pool: Pool,
    pub(super) metrics: Metrics,
    health: Health,
    known: Mutex<Option<Known>>,
    /// It has answered since it failed last.
    proven: AtomicBool,
    pub(super) lines: Lines,
    pub(super) spares: Spares,
}

impl Server {
    pub(super) fn new(
        name: String,
        way: Way,
        timeouts: Timeouts,
        pool: Pool,
        metrics: Metrics,
    ) -> Self {
        Server {
            name,
            way,
            timeouts,
            pool,
            metrics,
            health: Health::default(),
            known: Mutex::default(),
            proven: AtomicBool::new(false),
            lines: Lines::default(),
            spares: Spares::default(),
        }
    }

    /// A new connection, and a sign of life on the first one: a server that accepts and then
    /// says nothing must not pass for one that is there. `alone`: there is nowhere else to
    /// go, so that patience has the whole limit.
    pub(super) async fn connect(&self, alone: bool) -> Result<Wire, Failure> {
        let attempt = self.health.begin();
        let full = attempt.is_first || alone;
        let limit = self.timeouts.connect;
        let limit = if full { limit } else { limit.min(PATIENCE) };
        let opened = match timeout(limit, self.open()).await {
            Ok(opened) => opened,
            Err(_) if full => Err(Failure::Late {
                limit,
                silent: true,
            }),
            Err(_) => {
                self.health.is_slow();
                return Err(Failure::Crowded);
            }
        };
        self.metrics.connected(&self.name, opened.is_ok());
        if opened.is_ok() && self.health.is_back() {
            tracing::info!("{} is back", self.name);
        }
        opened
    }

    async fn open(&self) -> Result<Wire, Failure> {
        let opened = match &self.way {
            Way::Tcp(host) => host.dial(self.timeouts.connect).await,
            Way::Unix(path) => dial::unix(path).await,
        };
        let wire = Wire::new(opened.map_err(Failure::Lost)?, self.name.clone());
        if !self.proven.load(Ordering::Relaxed) {
            self.learn(&wire).await?;
            self.proven.store(true, Ordering::Relaxed);
        }
        Ok(wire)
    }

    /// What the server is, as far as it has told.
    pub(super) fn known(&self) -> Option<Known> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks again on a bound connection, where a server told nothing to nobody.
    pub(super) async fn learn_more(&self, wire: &Wire) {
        if self.known().is_some_and(|known| !known.certain) {
            // What it does not tell now it never will.
            let _ = self.learn(wire).await;
            self.set_known(Known {
                certain: true,
                ..self.known().unwrap_or_default()
            });
        }
    }

    async fn learn(&self, wire: &Wire) -> Result<(), Failure> {
        let found = self
            .root(wire, &["supportedCapabilities", "supportedControl"])
            .await?;
        let has = |attribute, oid| {
            let mut entries = found.iter();
            entries.any(|entry| entry.all(attribute).any(|value| value == oid))
        };
        let known = Known {
            active_directory: has("supportedCapabilities", ACTIVE_DIRECTORY),
            pages: has("supportedControl", PAGED),
            certain: !found.is_empty(),
        };
        if known.certain || self.known().is_none() {
            self.set_known(known);
        }
        Ok(())
    }

    /// Is a connection that lay idle still one?
    pub(super) async fn check(&self, wire: &Wire) -> Result<(), Failure> {
        if wire.quiet() < STALE {
            return Ok(());
        }
        self.root(wire, &["1.1"]).await.map(drop)
    }

    /// The root DSE. A server that answers no is there, too.
    pub(super) async fn root(
        &self,
        wire: &Wire,
        attributes: &[&str],
    ) -> Result<Vec<crate::entry::Entry>, Failure> {
        let filter = Filter::parse("(objectClass=*)").map_err(Failure::Lost)?;
        let query = Query {
            base: "",
            depth: Reach::Base,
            filter: &filter,
            attributes,
            most: 1,
        };
        match wire.search(&query, false, self.timeouts.connect).await {
            Err(Failure::Final(Trouble::Answer(_))) => Ok(Vec::new()),
            other => other,
        }
    }

    /// Would it be used now?
    pub(super) fn is_up(&self) -> bool {
        self.health.is_up()
    }

    pub(super) fn advice(&self) -> Advice {
        self.health.advice(Instant::now())
    }

    /// Remembers a failure: the next connection must show again that somebody is there.
    pub(super) fn put_aside(&self, failure: &Failure) {
        self.proven.store(false, Ordering::Relaxed);
        if let Some(pause) = self.health.failed(Instant::now()) {
            let reason = failure.reason();
            tracing::warn!("{} is put aside for {pause:?}: {reason}", self.name);
        }
    }

    /// Is it back? Nobody waits for this.
    pub(super) async fn probe(&self) {
        if let Err(failure) = self.connect(true).await {
            self.put_aside(&failure);
        }
    }

    /// Every second: what lay too long is closed, and nobody's connection is left a user's.
    pub(super) fn sweep(self: &Arc<Self>) {
        self.lines.sweep(self);
        Spares::sweep(self);
    }

    fn set_known(&self, known: Known) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known);
    }
}
