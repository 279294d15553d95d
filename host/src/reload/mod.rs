//! Reload: a new configuration, new plugin files, new keys, while it serves.
//!
//! The new graph is built beside the old one and takes its place at once; requests
//! inside the old end there. Whatever goes wrong, the old one goes on serving.
//!
//! One case differs: a plugin that says `exclusive` and whose file has changed. Two
//! copies of one library must not hold its files, so requests wait at the gate
//! while the old copy lets go and the new one takes over.

mod closed;
mod keys;
mod news;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value;
use tokio::time::timeout;

use crate::accounts::first_admin;
use crate::backends::Registry;
use crate::backends::backend::Backend;
use crate::backends::library::Libraries;
use crate::backends::supervisor::{self, Plan};
use crate::config::{Config, Notice, Report};
use crate::drains::Drains;
use crate::http::Serving;
use crate::http::browser::Browser;
use crate::keys::Mode;
use crate::live::Live;
use crate::metering;
use crate::seeding;
use crate::server::tls::{Certificates, Pair, TlsError};
use crate::start::{StartError, open_keys, open_store, sealer, serving, throttle};
use crate::token::Trusted;

use closed::Closed;
pub use keys::Due;
use news::news;

/// Beyond the backends' own time limits: what a call needs to notice that its own is over.
const MARGIN: Duration = Duration::from_secs(2);

/// More libraries than this, and each reload that adds one says what that costs.
const MANY_LIBRARIES: usize = 64;

/// Reads the configuration anew; also what there is to notice in it.
pub type Load = dyn Fn() -> Result<(Config, Vec<Notice>), Report> + Send + Sync;

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

/// A new configuration and what could be made of it beside the old.
struct Next {
    read: Config,
    config: Config,
    /// Keys that keep their old value until a restart.
    kept: Vec<&'static str>,
    plan: Plan,
    trusted: Trusted,
    pair: Option<Pair>,
    /// What whoever asked should know, though it holds.
    notices: Vec<String>,
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
        let mut next = self.prepare().await?;
        let old = self.live.latest();
        let store = open_store(&next.config, Mode::Serve, old.tokens.accounts.store()).await;
        let store = store.map_err(StartError::Store)?;
        // Hosts of another store have counted other things.
        let before = old.tokens.accounts.store();
        let fresh = match before.zip(store.as_ref()) {
            Some((before, store)) if Arc::ptr_eq(before, store) => None,
            _ => Some(throttle(&next.config, store.as_ref()).await),
        };
        let fresh = fresh.transpose().map_err(StartError::Store)?;
        let keys = open_keys(&next.config, Mode::Serve, store.as_ref(), |step| {
            tracing::info!("{step}");
        });
        let keys = keys.await.map_err(StartError::from)?;
        let warnings = keys.notices().into_iter();
        let warnings = warnings.map(|notice| format!("warning: {notice}"));
        next.notices.extend(warnings);
        let (kek, former) = (&next.config.store.kek, &self.config.store.kek);
        let other = (kek.expose() != former.expose()).then(|| sealer(&next.config, Mode::Serve));
        let other = other.transpose().map_err(StartError::Keys)?;
        let (registry, closed) = self.start(&next, &old).await?;

        let config = next.config;
        if let Err(error) = first_admin::make(&registry, &config.state).await {
            tracing::error!(%error, "the first administrator of a new table could not be added");
        }
        let throttle = match fresh {
            Some(throttle) => throttle,
            None => old.tokens.throttle.with(&config.server.throttle),
        };
        let browser = match other {
            Some(sealer) => Browser::new(&config, sealer),
            None => old.browser.with(&config),
        };
        let browser = browser.keeping(store.as_ref());
        let serving = serving(
            &config,
            keys,
            store,
            next.trusted,
            (registry, throttle, browser),
        );
        let serving = Arc::new(serving);
        let news = news(&old.tokens, &serving.tokens, &next.kept, &next.notices);
        if let Err(error) = seeding::seed(&serving.tokens, &config).await {
            tracing::error!(%error, "a new bot of bots.seed could not be made");
        }
        serving.tokens.registry.take_over(&old.tokens.registry);
        let leaving = self.live.open(serving);
        let ended = closed.map(Closed::done).unwrap_or_default();
        if let (Some(certificates), Some(pair)) = (&self.certificates, next.pair) {
            certificates.replace(pair);
        }
        let all = old.tokens.registry.all().iter();
        let ending = all.filter(|backend| !ended.iter().any(|ended| Arc::ptr_eq(ended, backend)));
        let ending: Registry = ending.cloned().collect();
        drop(old);
        self.drains.add(leaving, ending);
        countersign_abi::give_back_memory();
        (self.read, self.config) = (next.read, config);
        Ok(news)
    }

    /// Everything that can be made while the old serves as before.
    async fn prepare(&self) -> Result<Next, ReloadError> {
        let load = Arc::clone(&self.load);
        // Reads files and maps libraries: not for a thread that answers requests.
        let loaded = tokio::task::spawn_blocking(move || load()).await;
        let (read, noticed) = loaded
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
        let old = self.live.latest();
        let trusted = Trusted::new(&config, Some(&old.tokens.trusted));
        let trusted = trusted.map_err(StartError::Trust)?;
        let pair = match &self.certificates {
            Some(_) => Some(Pair::read(&config.server.tls)?),
            None => None,
        };
        for notice in &noticed {
            notice.log();
        }
        let told = noticed.iter().map(ToString::to_string);
        let of_tls = pair.iter().flat_map(Pair::notices);
        let of_tls = of_tls.map(|notice| format!("warning: TLS: {notice}"));
        let notices = told.chain(of_tls).collect();
        Ok(Next {
            read,
            config,
            kept,
            plan,
            trusted,
            pair,
            notices,
        })
    }

    /// Starts the new backends. Those that cannot live beside the old ones have them ended
    /// first, behind a closed gate, and brought back if anything fails.
    async fn start(
        &self,
        next: &Next,
        old: &Arc<Serving>,
    ) -> Result<(Registry, Option<Closed>), ReloadError> {
        let plan = &next.plan;
        let limit = longest(&old.tokens.registry) + MARGIN;
        if timeout(limit, self.drains.make_room(plan)).await.is_err() {
            let whose = "of the configuration before".to_owned();
            return Err(ReloadError::Stuck(whose, limit));
        }
        if let Some(plugin) = self.drains.held(plan) {
            return Err(ReloadError::Held(plugin));
        }
        let displaced = plan.displaces(&old.tokens.registry);
        let closed = if displaced.is_empty() {
            None
        } else {
            Some(self.end(old, &displaced, limit).await?)
        };
        let started = match self.drains.held(plan) {
            Some(plugin) => Err(ReloadError::Held(plugin)),
            None => {
                let started = plan.start(&next.config.state, false).await;
                started.map_err(|errors| StartError::Backends(errors).into())
            }
        };
        match (started, closed) {
            (Ok(registry), closed) => Ok((registry, closed)),
            (Err(error), None) => Err(error),
            (Err(error), Some(closed)) => {
                closed.bring_back(&self.config.state).await;
                Err(error)
            }
        }
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

/// The longest time limit of a backend's calls.
fn longest(registry: &Registry) -> Duration {
    let limits = registry.iter().map(|backend| backend.settings.timeout);
    limits.max().unwrap_or_default()
}
