//! Reload: a new configuration, new plugin files, new keys, while it serves.
//!
//! The new graph is built beside the old one and takes its place at once; requests
//! inside the old end there. Whatever goes wrong, the old one goes on serving.
//!
//! One case differs: a plugin that says `exclusive` and whose file has changed. Two
//! copies of one library must not hold its files, so requests wait at the gate
//! while the old copy lets go and the new one takes over.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::accounts::first_admin;
use crate::backends::backend::Backend;
use crate::backends::library::Libraries;
use crate::backends::{Registry, supervisor};
use crate::config::{Config, Report};
use crate::drains::Drains;
use crate::http::Serving;
use crate::keys::Mode;
use crate::live::Live;
use crate::metering;
use crate::server::tls::{Certificates, Pair, TlsError};
use crate::start::{StartError, open_keys, open_store, serving};
use crate::token::Tokens;

/// Beyond the backends' own time limits: what a call needs to notice that its own is over.
const MARGIN: Duration = Duration::from_secs(2);

/// More libraries than this, and each reload that adds one says what that costs.
const MANY_LIBRARIES: usize = 64;

/// Reads the configuration anew.
pub type Load = dyn Fn() -> Result<Config, Report> + Send + Sync;

/// What a reload needs.
pub struct Reloader {
    /// What serves.
    pub live: Arc<Live<Serving>>,
    /// The libraries of this process.
    pub libraries: Arc<Libraries>,
    /// The sources of the configuration.
    pub load: Arc<Load>,
    /// The public listener's certificate, if it has one.
    pub certificates: Option<Arc<Certificates>>,
    /// What former reloads have replaced.
    pub drains: Drains,
    /// The configuration as it was read, and as it serves: with the ports that the system chose.
    pub read: Config,
    /// See [`read`](Self::read).
    pub config: Config,
}

/// Why everything is as it was before.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ReloadError {
    #[error("the configuration does not hold")]
    Configuration(Report),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("calls {0} did not end within {limit}", limit = humantime::format_duration(*.1))]
    Stuck(String, Duration),
    #[error(
        "plugin \"{0}\" has a new file, but a backend of the old one did not shut down and may still hold its files"
    )]
    Held(String),
    #[error("the reload panicked; the log has the panic's text")]
    Panicked,
}

impl Reloader {
    /// Reloads; the answer says what is new. Dropped before its end, all is as before, but
    /// for exclusive backends that were ended by then.
    ///
    /// # Errors
    /// [`ReloadError`]: the old configuration goes on serving.
    pub async fn reload(&mut self) -> Result<Value, ReloadError> {
        let mapped = self.libraries.mapped().libraries;
        let reload = AssertUnwindSafe(self.attempt()).catch_unwind().await;
        let result = reload.unwrap_or(Err(ReloadError::Panicked));
        metering::reloaded(result.is_ok());
        self.tell_mapped(mapped);
        result
    }

    async fn attempt(&mut self) -> Result<Value, ReloadError> {
        let load = Arc::clone(&self.load);
        // Reads files and maps libraries: not for a thread that answers requests.
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let read = loaded
            .map_err(|_| ReloadError::Panicked)?
            .map_err(ReloadError::Configuration)?;
        let (config, kept) = self.keep(&read);
        let libraries = Arc::clone(&self.libraries);
        let planned = {
            let config = config.clone();
            tokio::task::spawn_blocking(move || supervisor::plan(&config, &libraries)).await
        };
        let plan = planned
            .map_err(|_| ReloadError::Panicked)?
            .map_err(StartError::Backends)?;
        let keys = open_keys(&config, Mode::Serve, &|step| tracing::info!("{step}"));
        let keys = keys.map_err(StartError::Keys)?;
        let pair = match &self.certificates {
            Some(_) => Some(Pair::read(&config.server.tls)?),
            None => None,
        };

        let old = self.live.latest();
        let store = open_store(&config, Mode::Serve, old.tokens.accounts.store()).await;
        let store = store.map_err(StartError::Store)?;
        let displaced = plan.displaces(&old.tokens.registry);
        let limit = longest(&old.tokens.registry) + MARGIN;
        if timeout(limit, self.drains.make_room(&plan)).await.is_err() {
            return Err(ReloadError::Stuck(
                "of the configuration before".into(),
                limit,
            ));
        }
        if let Some(plugin) = self.drains.held(&plan) {
            return Err(ReloadError::Held(plugin));
        }
        let mut closed = None;
        if !displaced.is_empty() {
            closed = Some(self.end(&old, &displaced, limit).await?);
        }
        let started = match self.drains.held(&plan) {
            Some(plugin) => Err(ReloadError::Held(plugin)),
            None => {
                let started = plan.start(&config.state, false).await;
                started.map_err(|errors| StartError::Backends(errors).into())
            }
        };
        let registry = match started {
            Ok(registry) => registry,
            Err(error) => {
                if let Some(closed) = closed {
                    self.bring_back(closed).await;
                }
                return Err(error);
            }
        };
        if let Err(error) = first_admin::make(&registry, &config.state).await {
            tracing::error!(%error, "the first administrator of a new table could not be added");
        }
        let throttle = old.tokens.throttle.with(&config.server.throttle);
        let next = Arc::new(serving(&config, keys, store, registry, throttle));
        let news = news(&old.tokens, &next.tokens, &kept);
        next.tokens.registry.take_over(&old.tokens.registry);
        let leaving = self.live.open(next);
        if let Some(closed) = closed {
            closed.done();
        }
        if let (Some(certificates), Some(pair)) = (&self.certificates, pair) {
            certificates.replace(pair);
        }
        let displaced = displaced.into_iter().map(Arc::as_ptr).collect::<Vec<_>>();
        let ended = old
            .tokens
            .registry
            .all()
            .iter()
            .filter(|backend| !displaced.contains(&Arc::as_ptr(backend)));
        let ending: Registry = ended.cloned().collect();
        drop(old);
        self.drains.add(leaving, ending);
        (self.read, self.config) = (read, config);
        Ok(news)
    }

    /// What only a restart can change stays as it is; the answer names it.
    fn keep(&self, read: &Config) -> (Config, Vec<&'static str>) {
        let before = &self.read;
        let (server, served) = (&read.server, &before.server);
        let differs = [
            ("server.listen", server.listen != served.listen),
            ("server.tls", server.tls.is_on() != served.tls.is_on()),
            ("server.limits", server.limits != served.limits),
            ("admin.listen", read.admin.listen != before.admin.listen),
            ("state", read.state != before.state),
        ];
        let mut config = read.clone();
        config.server.listen.clone_from(&self.config.server.listen);
        if config.server.tls.is_on() != self.config.server.tls.is_on() {
            config.server.tls.clone_from(&self.config.server.tls);
        }
        config.admin.listen.clone_from(&self.config.admin.listen);
        config.state.clone_from(&self.config.state);
        let kept = differs.into_iter().filter(|(_, differs)| *differs);
        (config, kept.map(|(key, _)| key).collect())
    }

    /// Ends backends whose successors cannot live beside them; requests wait meanwhile.
    async fn end(
        &self,
        old: &Arc<Serving>,
        displaced: &[&Arc<Backend>],
        limit: Duration,
    ) -> Result<Closed, ReloadError> {
        let mut closed = Closed {
            live: Arc::clone(&self.live),
            old: Some(Arc::clone(old)),
            ended: Vec::new(),
        };
        if timeout(limit, self.live.close().all_left()).await.is_err() {
            let first = displaced.first();
            let id = first.map_or_else(String::new, |backend| {
                format!("to backend \"{}\"", backend.id)
            });
            return Err(ReloadError::Stuck(id, limit));
        }
        closed.ended = displaced.iter().copied().cloned().collect();
        let unfinished = supervisor::retire(closed.ended.iter().map(AsRef::as_ref)).await;
        self.drains.holding(&unfinished);
        Ok(closed)
    }

    /// Makes ended backends anew as they were, and lets requests in again.
    async fn bring_back(&self, closed: Closed) {
        let Some(old) = closed.old.clone() else {
            return;
        };
        let state = &self.config.state;
        let all = old.tokens.registry.all().iter().map(|backend| async {
            if !closed.ended.iter().any(|ended| Arc::ptr_eq(ended, backend)) {
                return Arc::clone(backend);
            }
            match supervisor::again(backend, state).await {
                Ok(again) => Arc::new(again),
                Err(error) => {
                    tracing::error!(backend = backend.id, %error, "the backend could not be brought back: it is unavailable until a reload succeeds");
                    backend.end();
                    Arc::clone(backend)
                }
            }
        });
        let registry: Registry = join_all(all).await.into_iter().collect();
        registry.take_over(&old.tokens.registry);
        self.live.open(Arc::new(Serving {
            tokens: Tokens {
                registry,
                ..old.tokens.clone()
            },
            proxies: old.proxies.clone(),
            openapi: old.openapi.clone(),
        }));
        closed.done();
    }

    /// Libraries are never unloaded: who reloads for ever with new files should know.
    fn tell_mapped(&self, before: usize) {
        let mapped = self.libraries.mapped();
        if mapped.libraries == before {
            return;
        }
        let (libraries, megabytes) = (mapped.libraries, mapped.bytes.div_ceil(1 << 20));
        if libraries > MANY_LIBRARIES {
            tracing::warn!(
                libraries,
                megabytes,
                "plugin libraries stay mapped until a restart, the replaced ones too: plan one"
            );
        } else {
            tracing::info!(
                libraries,
                megabytes,
                "plugin libraries stay mapped until a restart, the replaced ones too"
            );
        }
    }
}

/// The closed gate, and the backends that were ended behind it. However a reload ends, the
/// gate opens: dropped, to what served before, less what was ended.
struct Closed {
    live: Arc<Live<Serving>>,
    /// None once something serves.
    old: Option<Arc<Serving>>,
    ended: Vec<Arc<Backend>>,
}

impl Closed {
    fn done(mut self) {
        self.old = None;
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        if let Some(old) = self.old.take() {
            self.ended.iter().for_each(|backend| backend.end());
            self.live.open(old);
        }
    }
}

/// The longest time limit of a backend's calls.
fn longest(registry: &Registry) -> Duration {
    let limits = registry.iter().map(|backend| backend.settings.timeout);
    limits.max().unwrap_or_default()
}

fn news(old: &Tokens, new: &Tokens, kept: &[&str]) -> Value {
    let backends = new.registry.iter().map(|backend| {
        let sha256 = backend.plugin.library.sha256();
        let before = old.registry.get(&backend.id);
        let change = match before.map(|before| before.plugin.library.sha256()) {
            None => "added",
            Some(known) if known != sha256 => "new library",
            Some(_) => "configured anew",
        };
        (backend.id.clone(), change.into())
    });
    let gone = old
        .registry
        .iter()
        .filter(|backend| new.registry.get(&backend.id).is_none());
    let gone = gone.map(|backend| (backend.id.clone(), "removed".into()));
    let changes: serde_json::Map<String, Value> = backends.chain(gone).collect();
    json!({ "backends": changes, "key": new.keys.active().kid(), "needs_restart": kept })
}
