//! Moves backends from a checked library to ready, and at the end to retired.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_abi::{Call, Failure, Operation};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Registry;
use super::backend::{Backend, Capabilities};
use super::library::{Libraries, Plugin, PluginError};
use super::log::{BackendLog, printable};
use crate::config::Config;
use crate::config::shapes;

/// How long an instance may take to be made.
const CONFIGURE_LIMIT: Duration = Duration::from_secs(30);

/// How long an instance may take to shut down.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Why a backend did not become ready.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum StartError {
    #[error("backend \"{backend}\" cannot be loaded: {error}")]
    Load { backend: String, error: PluginError },
    #[error("backend \"{backend}\" (plugin \"{plugin}\") could not be configured: {reason}")]
    Configure {
        backend: String,
        plugin: String,
        reason: String,
    },
}

impl StartError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            StartError::Load { error, .. } => error.help(),
            StartError::Configure { backend, .. } => format!(
                "see backends.{backend}.config; `countersign config schema` shows what the plugin takes"
            ),
        }
    }
}

/// Starts every backend, side by side. All failures are told, not only the first.
pub async fn start(
    config: &Config,
    libraries: &Libraries,
    check: bool,
) -> Result<Registry, Vec<StartError>> {
    let mut starting = Vec::new();
    let mut failures = Vec::new();
    for (id, settings) in &config.backends {
        match libraries.load(&settings.plugin, &config.plugins) {
            Ok(plugin) => starting.push(configure(id, settings, plugin, &config.state, check)),
            Err(error) => failures.push(StartError::Load {
                backend: id.clone(),
                error,
            }),
        }
    }
    let mut ready = Vec::new();
    for started in join_all(starting).await {
        match started {
            Ok(backend) => ready.push(backend),
            Err(error) => failures.push(error),
        }
    }
    let ready: Registry = ready.into_iter().collect();
    if failures.is_empty() {
        return Ok(ready);
    }
    retire(&ready).await;
    Err(failures)
}

/// Tells every backend to finish, side by side; none may take longer than a few seconds.
pub async fn retire(registry: &Registry) {
    let grace = SHUTDOWN_LIMIT.as_millis() as u64;
    let call = Call {
        millis_left: grace,
        arguments: json!({ "grace_millis": grace }),
        ..Call::default()
    };
    let goodbyes = registry.iter().map(|backend| async {
        let goodbye = backend.instance.call(Operation::Shutdown, &call);
        if !matches!(timeout(SHUTDOWN_LIMIT, goodbye).await, Ok(Ok(_))) {
            tracing::warn!(backend = backend.id, "did not shut down cleanly");
        }
    });
    join_all(goodbyes).await;
}

async fn configure(
    id: &str,
    settings: &shapes::Backend,
    plugin: Plugin,
    state: &Path,
    check: bool,
) -> Result<Backend, StartError> {
    let failed = |reason: String| StartError::Configure {
        backend: id.to_owned(),
        plugin: settings.plugin.clone(),
        reason: printable(&reason),
    };
    let envelope =
        json!({ "config": settings.config, "backend": id, "state": state, "check": check })
            .to_string();
    let services = Arc::new(BackendLog::of(id));
    let made = timeout(CONFIGURE_LIMIT, plugin.library.create(services, &envelope)).await;
    let instance = made
        .map_err(|_| {
            failed(format!(
                "it took longer than {}",
                humantime::format_duration(CONFIGURE_LIMIT)
            ))
        })?
        .map_err(|failure| failed(failure.detail))?;
    let offered = timeout(
        SHUTDOWN_LIMIT,
        instance.call(Operation::Capabilities, &Call::default()),
    )
    .await;
    let capabilities = match offered {
        Ok(Ok(json)) => serde_json::from_value(json)
            .map_err(|_| failed("its capabilities are not JSON".into()))?,
        Ok(Err(Failure {
            code: countersign_abi::Code::NotSupported,
            ..
        })) => Capabilities::default(),
        Ok(Err(failure)) => return Err(failed(failure.detail)),
        Err(_) => return Err(failed("it did not tell its capabilities in time".into())),
    };
    let username = settings.matches.username_pattern();
    let username = username.map_err(|error| failed(format!("match.username: {error}")))?;
    if let Some(warning) = &plugin.warning {
        tracing::warn!(backend = id, "{warning}");
    }
    let permits = Semaphore::new(settings.concurrency.min(Semaphore::MAX_PERMITS));
    Ok(Backend {
        id: id.to_owned(),
        plugin,
        settings: settings.clone(),
        capabilities,
        instance,
        permits,
        username,
    })
}
