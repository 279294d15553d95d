//! Reload: a new configuration, new plugin files, new keys, while it serves.
//!
//! The new graph is built beside the old one and takes its place at once; requests
//! inside the old end there. Whatever goes wrong, the old one goes on serving.
//!
//! One case differs: a plugin that says `exclusive` and whose file has changed. Two
//! copies of one library must not hold its files, so requests wait at the gate
//! while the old copy lets go and the new one takes over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::accounts::first_admin;
use crate::backends::backend::Backend;
use crate::backends::library::Libraries;
use crate::backends::{Registry, supervisor};
use crate::config::{Config, Report};
use crate::http::Serving;
use crate::keys::Mode;
use crate::live::Live;
use crate::server::tls::{Certificates, Pair, TlsError};
use crate::start::{StartError, open_keys, open_store, serving};
use crate::token::Tokens;

/// Beyond the backends' own time limits: what a call needs to notice that its own is over.
const MARGIN: Duration = Duration::from_secs(2);

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
    #[error("calls to backend \"{0}\" did not end within {limit}", limit = humantime::format_duration(*.1))]
    Stuck(String, Duration),
    #[error("the new configuration was read by a thread that panicked")]
    Panicked,
}

impl Reloader {
    /// Reloads; the answer says what is new.
    ///
    /// # Errors
    /// [`ReloadError`]: the old configuration goes on serving.
    pub async fn reload(&mut self) -> Result<Value, ReloadError> {
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
        if !displaced.is_empty() {
            self.end(&old, &displaced).await?;
        }
        let registry = match plan.start(&config.state, false).await {
            Ok(registry) => registry,
            Err(errors) => {
                if !displaced.is_empty() {
                    self.bring_back(&old, &displaced).await;
                }
                return Err(StartError::Backends(errors).into());
            }
        };
        if let Err(error) = first_admin::make(&registry, &config.state).await {
            tracing::error!(%error, "the first administrator of a new table could not be added");
        }
        let throttle = old.tokens.throttle.with(&config.server.throttle);
        let next = Arc::new(serving(&config, keys, store, registry, throttle));
        let news = news(&old.tokens, &next.tokens, &kept);
        let leaving = self.live.open(next);
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
        tokio::spawn(async move {
            leaving.all_left().await;
            supervisor::retire(ending.iter()).await;
        });
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
    ) -> Result<(), ReloadError> {
        let backends = old.tokens.registry.iter();
        let longest = backends.max_by_key(|backend| backend.settings.timeout);
        let limit = longest.map_or(MARGIN, |backend| backend.settings.timeout + MARGIN);
        let leaving = self.live.close();
        if timeout(limit, leaving.all_left()).await.is_err() {
            self.live.open(Arc::clone(old));
            let id = displaced
                .first()
                .map_or_else(String::new, |backend| backend.id.clone());
            return Err(ReloadError::Stuck(id, limit));
        }
        supervisor::retire(displaced.iter().map(|backend| backend.as_ref())).await;
        Ok(())
    }

    /// Makes ended backends anew as they were, and lets requests in again.
    async fn bring_back(&self, old: &Arc<Serving>, displaced: &[&Arc<Backend>]) {
        let state = &self.config.state;
        let all = old.tokens.registry.all().iter().map(|backend| async move {
            if !displaced.iter().any(|ended| Arc::ptr_eq(ended, backend)) {
                return Arc::clone(backend);
            }
            match supervisor::again(backend, state).await {
                Ok(again) => Arc::new(again),
                Err(error) => {
                    tracing::error!(backend = backend.id, %error, "the backend could not be brought back: its logins fail until a reload succeeds");
                    Arc::clone(backend)
                }
            }
        });
        let registry = join_all(all).await.into_iter().collect();
        self.live.open(Arc::new(Serving {
            tokens: Tokens {
                registry,
                ..old.tokens.clone()
            },
            proxies: old.proxies.clone(),
            openapi: old.openapi.clone(),
        }));
    }
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
