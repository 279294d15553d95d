//! Countersign inside another axum service: its public routes as a [`Router`], without
//! sockets, signals and logging of its own. `host/examples/embed.rs` is a whole service.
//!
//! The admin socket is the server's alone: while a service holds the state folder,
//! `countersign users …` on it says that it is in use.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::task::AbortHandle;

use crate::accounts::first_admin::{self, FirstAdminError};
use crate::backends::library::Libraries;
use crate::backends::supervisor;
use crate::config::{self, Config, Notice, Report, Sources};
use crate::drains::Drains;
use crate::http::peer::Peer;
use crate::http::{self, Face, Serving};
use crate::keyring::KeyringError;
use crate::keys::{Asked, Mode};
use crate::live::Live;
use crate::reload::{ReloadError, Reloader};
use crate::seeding::{self, SeedError};
use crate::start::{self, StartError};
use crate::state::{self, Lock, StateError};
use crate::upkeep;

/// Countersign, started, for another service to serve. Call [`shutdown`](Self::shutdown)
/// when that has answered its last request.
pub struct Embedded {
    live: Arc<Live<Serving>>,
    reloader: Arc<Mutex<Reloader>>,
    drains: Drains,
    /// What goes on in the background: keys, and bots' tokens.
    keeping: [AbortHandle; 2],
    _lock: Lock,
}

/// Why it does not start. `Debug` is the same text, since that is what `main` prints.
#[derive(thiserror::Error)]
#[allow(missing_docs)]
pub enum EmbedError {
    #[error("{0}")]
    Configuration(Report),
    #[error("{0}\nhelp: {help}", help = .0.help())]
    State(#[from] StateError),
    #[error("{}", told(.0))]
    Start(#[from] StartError),
    #[error("{0}\nhelp: {help}", help = .0.help())]
    Seed(#[from] SeedError),
    #[error(transparent)]
    FirstAdmin(#[from] FirstAdminError),
    #[error("the configuration was read by a thread that panicked")]
    Panicked,
}

impl Embedded {
    /// Does what `countersign serve` does, up to binding a socket: reads the configuration,
    /// takes the state folder, opens the keys, starts the backends.
    ///
    /// `server.listen` and `admin.listen` are not used; `server.public_url` should be the URL
    /// under which the service shows these routes, since the issuer is made from it.
    ///
    /// # Errors
    /// [`EmbedError`], with everything that the command would print.
    pub async fn start(sources: Sources) -> Result<Self, EmbedError> {
        // Used only where executable memfds are forbidden; the copies have no names.
        let libraries = Arc::new(Libraries::new(std::env::temp_dir()));
        let load = Arc::new({
            let libraries = Arc::clone(&libraries);
            move || {
                let loaded = config::load(&sources, libraries.as_ref())?;
                Ok((loaded.config, loaded.notices))
            }
        });
        let config = first_config(Arc::clone(&load)).await?;
        let lock = state::lock(&config.state)?;
        let progress = |step: &str| tracing::info!("{step}");
        let serving = start::start(&config, &libraries, Mode::Serve, progress).await?;
        first_admin::make(&serving.tokens.registry, &config.state).await?;
        seeding::seed(&serving.tokens, &config).await?;
        let live = Arc::new(Live::new(serving));
        let upkeep = tokio::spawn(upkeep::upkeep(Arc::clone(&live)));
        let drains = Drains::default();
        let reloader = Reloader {
            drains: drains.clone(),
            live: Arc::clone(&live),
            libraries,
            load,
            read: config.clone(),
            config,
            // Sockets are the other service's.
            certificates: None,
        };
        let reloader = Arc::new(Mutex::new(reloader));
        let keeping = tokio::spawn(keep_keys(Arc::clone(&reloader))).abort_handle();
        Ok(Embedded {
            live,
            reloader,
            drains,
            keeping: [keeping, upkeep.abort_handle()],
            _lock: lock,
        })
    }

    /// The public routes, to be nested or to be the fallback of another router. Serve that
    /// with `into_make_service_with_connect_info::<SocketAddr>()`, or put a [`Peer`] on each
    /// request: otherwise the audit log does not know the clients' addresses.
    pub fn router(&self) -> Router {
        http::router(Face::new(Arc::clone(&self.live))).layer(from_fn(peer_of_the_connection))
    }

    /// Reads configuration, plugin files and keys anew, while it serves; the answer says
    /// what has changed. It goes on to its end even if nobody waits for that.
    ///
    /// # Errors
    /// [`ReloadError`]: the old configuration goes on serving.
    pub async fn reload(&self) -> Result<Value, ReloadError> {
        let reloader = Arc::clone(&self.reloader);
        let reload = tokio::spawn(async move { reloader.lock().await.reload().await });
        reload.await.unwrap_or(Err(ReloadError::Panicked))
    }

    /// Has something done to the keys, as `countersign keys rotate` and its like do; the answer
    /// is for the operator, line by line.
    ///
    /// # Errors
    /// [`KeyringError`]: the keys are as before.
    pub async fn keys(&self, asked: &Asked) -> Result<Vec<String>, KeyringError> {
        self.reloader.lock().await.order(asked).await
    }

    /// Lets the backends finish what they must; requests fail from now on.
    pub async fn shutdown(self) {
        // A reload that goes on must not bring up what nobody ends.
        let _last = self.reloader.lock().await;
        self.keeping.iter().for_each(AbortHandle::abort);
        supervisor::retire(self.live.latest().tokens.registry.iter()).await;
        self.drains.all_ended().await;
        if let Some(store) = self.live.latest().tokens.accounts.store() {
            store.close().await;
        }
    }
}

/// Rotations that are due, keys whose last token has expired, and what other hosts change.
async fn keep_keys(reloader: Arc<Mutex<Reloader>>) {
    loop {
        let due = reloader.lock().await.tick().await;
        due.passed().await;
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.keeping.iter().for_each(AbortHandle::abort);
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for EmbedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Reads files and maps libraries: not for a thread that answers requests.
async fn first_config<F>(load: Arc<F>) -> Result<Config, EmbedError>
where
    F: Fn() -> Result<(Config, Vec<Notice>), Report> + Send + Sync + 'static,
{
    let loaded = tokio::task::spawn_blocking(move || load()).await;
    let (config, notices) = loaded
        .map_err(|_| EmbedError::Panicked)?
        .map_err(EmbedError::Configuration)?;
    notices.iter().for_each(Notice::log);
    Ok(config)
}

async fn peer_of_the_connection(mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    if let Some(ConnectInfo(address)) = connection {
        let peer = Peer(address.ip().to_canonical());
        request.extensions_mut().insert(peer);
    }
    next.run(request).await
}

/// Every backend that does not start, and what to do about it.
fn told(error: &StartError) -> String {
    match error {
        StartError::Keys(error) => format!("{error}\nhelp: {}", error.help()),
        StartError::Store(error) => format!("{error}\nhelp: {}", error.help()),
        StartError::Trust(error) => format!("{error}\nhelp: {}", error.help()),
        StartError::Keyring(error) => format!("{error}\nhelp: {}", error.help()),
        StartError::Backends(errors) => {
            let each = errors
                .iter()
                .map(|error| format!("{error}\nhelp: {}", error.help()));
            each.collect::<Vec<_>>().join("\n")
        }
    }
}
