//! From a checked configuration to everything that minting needs. `serve` and
//! `check` run the same code; only the first may change the state folder.

use std::sync::Arc;

use crate::accounts::Accounts;
use crate::accounts::store::{Location, Store, StoreError};
use crate::accounts::throttle::Throttle;
use crate::backends::library::Libraries;
use crate::backends::{Registry, supervisor};
use crate::config::Config;
use crate::http::Serving;
use crate::http::browser::Browser;
use crate::http::openapi::Document;
use crate::http::peer::TrustedProxies;
use crate::http::verify::Identity;
use crate::keyring::{Keyring, KeyringError, Progress};
use crate::keys::{Current, KeyError, Mode, Rings, Sealer};
use crate::token::trust::TrustError;
use crate::token::{Issuer, Roles, Tokens, Trusted};

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum StartError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error(transparent)]
    Keyring(KeyringError),
    #[error("{} backends cannot be started", .0.len())]
    Backends(Vec<supervisor::StartError>),
}

impl From<KeyringError> for StartError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Keys(error) => StartError::Keys(error),
            KeyringError::Store(error) => StartError::Store(error),
            other => StartError::Keyring(other),
        }
    }
}

/// Opens the store and the keys, and starts the backends. `progress` is told what takes a while.
pub async fn start(
    config: &Config,
    libraries: &Libraries,
    mode: Mode,
    progress: Progress,
) -> Result<Serving, StartError> {
    let trusted = Trusted::new(config, None)?;
    let store = open_store(config, mode, None).await?;
    let keys = open_keys(config, mode, store.as_ref(), progress).await?;
    let plan = supervisor::plan(config, libraries).map_err(StartError::Backends)?;
    let registry = plan.start(&config.state, mode == Mode::Check).await;
    let registry = registry.map_err(StartError::Backends)?;
    registry.take_over(&Registry::default());
    let throttle = throttle(config, store.as_ref()).await?;
    let browser = Browser::new(config, sealer(config, mode)?);
    let browser = browser.keeping(store.as_ref());
    let parts = (registry, throttle, browser);
    Ok(serving(config, keys, store, trusted, parts))
}

/// The store. The one that serves stays if it is in the same place. A check looks, and opens
/// nothing.
pub async fn open_store(
    config: &Config,
    mode: Mode,
    serving: Option<&Arc<Store>>,
) -> Result<Option<Arc<Store>>, StoreError> {
    let location = Location::of(config);
    let store = match serving.filter(|store| store.is_at(&location)) {
        Some(store) => Arc::clone(store),
        None if mode == Mode::Check => return Store::check(&location).await.map(|()| None),
        None => {
            let store = Arc::new(Store::open(location).await?);
            store.attend();
            store
        }
    };
    store.bound_outages(config.store.outage);
    Ok(Some(store))
}

/// The throttle, with nothing counted: hosts of one store count together.
pub async fn throttle(config: &Config, store: Option<&Arc<Store>>) -> Result<Throttle, StoreError> {
    let throttle = Throttle::new(&config.server.throttle);
    match store {
        Some(store) => throttle.sharing(store).await,
        None => Ok(throttle),
    }
}

/// The keys that this configuration names; with `store.kek`, those in the store.
pub async fn open_keys(
    config: &Config,
    mode: Mode,
    store: Option<&Arc<Store>>,
    progress: Progress,
) -> Result<Rings, KeyringError> {
    let keyring = Keyring::new(config, store, progress)?;
    let keys = match mode {
        Mode::Serve => keyring.open().await?,
        Mode::Check => keyring.clone().check().await?,
    };
    let leftover = keyring.leftover();
    for notice in keys.notices().into_iter().chain(leftover) {
        tracing::warn!("{notice}");
    }
    Ok(keys)
}

/// What seals sessions: of this state folder, or of the hosts that share `store.kek`.
pub fn sealer(config: &Config, mode: Mode) -> Result<Sealer, KeyError> {
    match config.store.kek.expose() {
        "" => Sealer::open(&config.state, mode),
        kek => Sealer::shared(kek),
    }
}

/// What serves, of live parts.
pub fn serving(
    config: &Config,
    keys: Rings,
    store: Option<Arc<Store>>,
    trusted: Trusted,
    (registry, throttle, browser): (Registry, Throttle, Browser),
) -> Serving {
    Serving {
        tokens: tokens(config, keys, store, trusted, (registry, throttle)),
        proxies: TrustedProxies::new(&config.server.trusted_proxies),
        browser,
        bots: Arc::new(config.bots.clone()),
        managers: config.admin.roles.clone().into(),
        identity: Arc::new(Identity::new(&config.server.verify)),
        openapi: Document::new(&config.public_url()),
    }
}

/// What mints for bots where no server runs: keys and store, and no backend.
///
/// # Errors
/// [`StartError`].
pub async fn open_tokens(config: &Config, progress: Progress) -> Result<Tokens, StartError> {
    let store = open_store(config, Mode::Serve, None).await?;
    let keys = open_keys(config, Mode::Serve, store.as_ref(), progress).await?;
    let trusted = Trusted::new(config, None)?;
    let throttle = Throttle::new(&config.server.throttle);
    let parts = (Registry::default(), throttle);
    Ok(tokens(config, keys, store, trusted, parts))
}

fn tokens(
    config: &Config,
    keys: Rings,
    store: Option<Arc<Store>>,
    trusted: Trusted,
    (registry, throttle): (Registry, Throttle),
) -> Tokens {
    Tokens {
        registry,
        accounts: Accounts::new(store),
        roles: Arc::new(Roles::new(config)),
        issuer: Arc::new(Issuer::new(config, config.issuer())),
        keys: Arc::new(Current::new(keys)),
        trusted: Arc::new(trusted),
        throttle,
    }
}
