//! From a checked configuration to everything that minting needs. `serve` and
//! `check` run the same code; only the first may change the state folder.

use std::time::SystemTime;

use crate::backends::library::Libraries;
use crate::backends::supervisor;
use crate::config::Config;
use crate::keys::{KeyError, KeySet, Mode, Opening};
use crate::token::{Issuer, Tokens};

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum StartError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error("{} backends cannot be started", .0.len())]
    Backends(Vec<supervisor::StartError>),
}

/// Opens the keys and starts the backends. `progress` is told what takes a while.
pub async fn start(
    config: &Config,
    libraries: &Libraries,
    mode: Mode,
    progress: &dyn Fn(&str),
) -> Result<Tokens, StartError> {
    let keys = KeySet::open(
        &config.keys,
        &config.state,
        &Opening {
            mode,
            exposed: config.is_exposed(),
            now: SystemTime::now(),
            progress,
        },
    )?;
    for notice in keys.notices() {
        tracing::warn!("{notice}");
    }
    let registry = supervisor::start(config, libraries, mode == Mode::Check)
        .await
        .map_err(StartError::Backends)?;
    let issuer = Issuer::new(config, config.issuer());
    Ok(Tokens {
        registry,
        issuer,
        keys,
    })
}
