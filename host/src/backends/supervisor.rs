//! Moves backends from a checked library to ready, and at the end to retired.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use countersign_abi::{Call, Failure, Operation, Services};
use futures_util::future::join_all;
use serde_json::json;
use tokio::time::timeout;

use super::Registry;
use super::backend::{Backend, Capabilities};
use super::gate::Gate;
use super::library::{Libraries, Plugin, PluginError};
use super::log::BackendLog;
use super::printable::printable;
use super::secrets::Secrets;
use crate::config::values::Secret;
use crate::config::{self, Config, shapes};

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
    #[error(
        "backend \"{backend}\" provisions into \"{target}\", whose plugin \"{plugin}\" keeps no rows for others"
    )]
    NoProvision {
        backend: String,
        target: String,
        plugin: String,
    },
}

impl StartError {
    /// The keys of the configuration that it is about. A plugin begins with the one of its own that
    /// it does not like, `tls.ca: …`; several follow each other after semicolons.
    pub fn keys(&self) -> Vec<String> {
        let (backend, own) = match self {
            StartError::Load { backend, .. } => (backend, vec!["plugin".to_owned()]),
            StartError::NoProvision { backend, .. } => (backend, vec!["provision".to_owned()]),
            StartError::Configure {
                backend, reason, ..
            } => (backend, named(reason)),
        };
        own.iter()
            .map(|key| format!("backends.{backend}.{key}"))
            .collect()
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            StartError::Load { error, .. } => error.help(),
            StartError::NoProvision { backend, .. } => format!(
                "name another backend in backends.{backend}.provision, or leave it out; a backend of the db plugin needs access: full"
            ),
            StartError::Configure { backend, .. } => format!(
                "see backends.{backend}.config; `countersign config schema` shows what the plugin takes"
            ),
        }
    }
}

/// Keys that a plugin's words begin with, or all of its settings.
fn named(reason: &str) -> Vec<String> {
    let first_words = reason.split("; ").filter_map(|part| {
        let (word, _) = part.split_once(':')?;
        Some(word.trim_matches('`'))
    });
    let is_part = |c: char| c.is_ascii_lowercase() || "._".contains(c);
    let keys: Vec<_> = first_words
        .filter(|word| !word.is_empty() && word.chars().all(is_part))
        .map(|word| format!("config.{word}"))
        .collect();
    match keys.is_empty() {
        true => vec!["config".to_owned()],
        false => keys,
    }
}

/// Checked libraries for all backends; nothing of them is configured yet.
#[derive(Debug)]
pub struct Plan(Vec<(String, shapes::Backend, Plugin)>);

/// Loads what the configuration names. All failures are told, not only the first.
pub fn plan(config: &Config, libraries: &Libraries) -> Result<Plan, Vec<StartError>> {
    let mut planned = Vec::new();
    let mut failures = Vec::new();
    for (id, settings) in &config.backends {
        match libraries.load(&settings.plugin, &config.plugins) {
            Ok(plugin) => planned.push((id.clone(), settings.clone(), plugin)),
            Err(error) => failures.push(StartError::Load {
                backend: id.clone(),
                error,
            }),
        }
    }
    if failures.is_empty() {
        Ok(Plan(planned))
    } else {
        Err(failures)
    }
}

impl Plan {
    /// Starts every backend, side by side. All failures are told, not only the first.
    pub async fn start(&self, state: &Path, check: bool) -> Result<Registry, Vec<StartError>> {
        let starting = self
            .0
            .iter()
            .map(|(id, settings, plugin)| configure(id, settings, plugin.clone(), state, check));
        let (ready, failures): (Vec<_>, Vec<_>) = join_all(starting)
            .await
            .into_iter()
            .partition(Result::is_ok);
        let ready: Registry = ready.into_iter().flatten().map(Arc::new).collect();
        let mut failures: Vec<StartError> = failures.into_iter().filter_map(Result::err).collect();
        failures.extend(cannot_provision(&ready));
        if failures.is_empty() {
            return Ok(ready);
        }
        retire(ready.iter()).await;
        Err(failures)
    }

    /// Running backends that must end before this plan starts: they hold files which
    /// only one copy of their library may hold, and the plan brings another copy.
    pub fn displaces<'a>(&self, running: &'a Registry) -> Vec<&'a Arc<Backend>> {
        let exclusive = running.all().iter();
        exclusive
            .filter(|backend| backend.capabilities.exclusive)
            .filter(|backend| {
                let sha256 = backend.plugin.library.sha256();
                self.brings_another_copy(&backend.settings.plugin, sha256)
            })
            .collect()
    }

    /// Does it bring another copy of the plugin than the one with this hash?
    pub fn brings_another_copy(&self, plugin: &str, sha256: &str) -> bool {
        let mut planned = self.0.iter();
        planned.any(|(_, settings, planned)| {
            settings.plugin == plugin && planned.library.sha256() != sha256
        })
    }
}

/// Backends whose users have nowhere to go. A target that did not start has its own error.
fn cannot_provision(ready: &Registry) -> impl Iterator<Item = StartError> {
    ready.iter().filter_map(|backend| {
        let target = ready.get(&backend.settings.provision.as_ref()?.backend)?;
        (!target.capabilities.provision).then(|| StartError::NoProvision {
            backend: backend.id.clone(),
            target: target.id.clone(),
            plugin: target.settings.plugin.clone(),
        })
    })
}

/// Makes a backend again that was told to finish: same library, same settings.
pub async fn again(backend: &Backend, state: &Path) -> Result<Backend, StartError> {
    let plugin = backend.plugin.clone();
    configure(&backend.id, &backend.settings, plugin, state, false).await
}

/// Tells backends to finish, side by side; none may take longer than a few seconds. Those
/// that have not said that they did may still hold what they held.
pub async fn retire<'a>(backends: impl Iterator<Item = &'a Backend>) -> Vec<&'a Backend> {
    let grace = SHUTDOWN_LIMIT.as_millis() as u64;
    let call = Call {
        millis_left: grace,
        arguments: json!({ "grace_millis": grace }),
        ..Call::default()
    };
    let call = &call;
    let goodbyes = backends.map(|backend| async move {
        let goodbye = backend.instance.call(Operation::Shutdown, call);
        let finished = matches!(timeout(SHUTDOWN_LIMIT, goodbye).await, Ok(Ok(_)));
        if !finished {
            tracing::warn!(backend = backend.id, "did not shut down cleanly");
        }
        backend.log.finish();
        (!finished).then_some(backend)
    });
    join_all(goodbyes).await.into_iter().flatten().collect()
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
    // Written out, since as JSON it must be text.
    let Some(state) = state.to_str() else {
        return Err(failed("the state folder's path is not UTF-8".into()));
    };
    let envelope =
        json!({ "config": settings.config, "backend": id, "state": state, "check": check })
            .to_string();
    let secrets = Arc::new(Secrets::new(&secrets_of(settings, &plugin)));
    let log = Arc::new(BackendLog::of(id, Arc::clone(&secrets)));
    let services = Arc::clone(&log) as Arc<dyn Services>;
    let limit = settings.start_timeout;
    let made = timeout(limit, plugin.library.create(services, &envelope)).await;
    let instance = made
        .map_err(|_| {
            let limit = humantime::format_duration(limit);
            failed(format!(
                "it was not ready within {limit} (`start_timeout`); what its log said last may tell what it waits for"
            ))
        })?
        .map_err(|failure| failed(log.clean(&failure.detail)))?;
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
        Ok(Err(failure)) => return Err(failed(log.clean(&failure.detail))),
        Err(_) => return Err(failed("it did not tell its capabilities in time".into())),
    };
    let username = settings.matches.username_pattern();
    let username = username.map_err(|error| failed(format!("match.username: {error}")))?;
    for warning in &plugin.warnings {
        tracing::warn!(backend = id, "{warning}");
    }
    let gate = Gate::new(id, settings.concurrency, secrets);
    Ok(Backend {
        id: id.to_owned(),
        plugin,
        settings: settings.clone(),
        capabilities,
        instance,
        gate,
        log,
        username,
    })
}

/// What of a backend's configuration its plugin must not tell.
fn secrets_of(settings: &shapes::Backend, plugin: &Plugin) -> Vec<Secret> {
    // Whoever got here has passed this schema; a plugin that now has another one hides nothing.
    let schema = plugin.library.schema().ok();
    let schema = schema.and_then(|schema| serde_json::from_str(&schema).ok());
    config::secrets_in(&settings.config, &schema.unwrap_or_default())
}
