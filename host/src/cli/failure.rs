//! How a command ends that does not end well: an exit code, and for each thing
//! that is wrong `error:`, `caused by:`, `help:`.

use std::error::Error;
use std::fmt;

use crate::accounts::manage::ManageError;
use crate::accounts::store::StoreError;
use crate::accounts::unlink::UnlinkError;
use crate::backends::library::PluginError;
use crate::backends::supervisor;
use crate::config::Report;
use crate::config::key::KeyPath;
use crate::config::origins::{Origins, Place};
use crate::keyring::KeyringError;
use crate::keys::{KeyError, OrderError};
use crate::reload::ReloadError;
use crate::server::tls::TlsError;
use crate::start::StartError;
use crate::state::StateError;
use crate::token::management::ManagementError;

/// The answer is no.
pub(super) const REFUSED: u8 = 1;
/// The command line cannot be understood.
pub(super) const USAGE: u8 = 64;
/// What is nobody's setting: something of ours broke, or the database is away.
pub(super) const INTERNAL: u8 = 70;
/// Key files.
pub(super) const KEYS: u8 = 74;
/// Configuration, plugins, addresses, folders: what the operator sets.
pub(super) const CONFIGURATION: u8 = 78;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: u8,
    text: String,
}

impl Failure {
    /// One error with what to do about it.
    pub(super) fn new(code: u8, error: impl fmt::Display, help: impl fmt::Display) -> Self {
        Failure {
            code,
            text: format!("error: {error}\nhelp: {help}\n"),
        }
    }

    /// What another process of ours wrote in full.
    pub(super) fn told(code: u8, text: &str) -> Self {
        Failure {
            code,
            text: text.to_owned(),
        }
    }

    /// The question names something that is not there.
    pub(super) fn unknown(report: &Report) -> Self {
        Failure {
            code: REFUSED,
            text: report.to_string(),
        }
    }

    /// An error, the chain of its causes, and what to do about it.
    pub(super) fn chain(code: u8, error: &dyn Error, help: impl fmt::Display) -> Self {
        let mut text = format!("error: {error}\n");
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!("caused by: {error}\n"));
            cause = error.source();
        }
        text.push_str(&format!("help: {help}\n"));
        Failure { code, text }
    }

    /// The same as `from`, each backend's error with the places of the keys that it is about.
    pub(super) fn starting(error: StartError, origins: &Origins) -> Self {
        let StartError::Backends(errors) = error else {
            return error.into();
        };
        backends(&errors, |error| {
            let keys = error.keys().into_iter().map(|key| KeyPath::parse(&key));
            let written = keys
                .map(|key| origins.of(&key))
                .filter(|origin| origin.place != Place::Default);
            let mut places: Vec<_> = written.map(|origin| format!("  --> {origin}\n")).collect();
            places.dedup();
            places.concat()
        })
    }

    /// The same with another exit code.
    pub(super) fn with_code(self, code: u8) -> Self {
        Failure { code, ..self }
    }

    /// What is wrong, in one line, for a table.
    pub(super) fn first_line(&self) -> String {
        let line = self.text.lines().next().unwrap_or_default();
        line.trim_start_matches("error: ").to_owned()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl From<Report> for Failure {
    fn from(report: Report) -> Self {
        Failure {
            code: CONFIGURATION,
            text: report.to_string(),
        }
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Failure::new(CONFIGURATION, &error, error.help())
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        Failure::chain(KEYS, &error, error.help())
    }
}

impl From<KeyringError> for Failure {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Keys(error) | KeyringError::Order(OrderError::Key(error)) => error.into(),
            KeyringError::Store(error) => error.into(),
            KeyringError::Panicked => Failure::new(INTERNAL, &error, error.help()),
            KeyringError::Order(_) | KeyringError::NoRing(_) | KeyringError::Contended => {
                Failure::new(REFUSED, &error, error.help())
            }
        }
    }
}

impl From<StoreError> for Failure {
    /// A database that is not there yet is no mistake in the configuration: whoever starts us
    /// should try again.
    fn from(error: StoreError) -> Self {
        let code = if error.is_away() {
            INTERNAL
        } else {
            CONFIGURATION
        };
        Failure::new(code, &error, error.help())
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Failure::chain(KEYS, &error, error.help())
    }
}

impl From<PluginError> for Failure {
    fn from(error: PluginError) -> Self {
        Failure::new(CONFIGURATION, &error, error.help())
    }
}

impl From<ManageError> for Failure {
    fn from(error: ManageError) -> Self {
        Failure::new(REFUSED, &error, error.help())
    }
}

impl From<UnlinkError> for Failure {
    fn from(error: UnlinkError) -> Self {
        Failure::new(REFUSED, &error, error.help())
    }
}

impl From<ManagementError> for Failure {
    fn from(error: ManagementError) -> Self {
        Failure::new(REFUSED, &error, error.help())
    }
}

impl From<ReloadError> for Failure {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::Configuration(report) => report.into(),
            ReloadError::Start(error) => error.into(),
            ReloadError::Tls(error) => error.into(),
            ReloadError::Stuck(..) => Failure::new(
                REFUSED,
                &error,
                "its plugin ignores its time limit; restart the server to be rid of it",
            ),
            ReloadError::Held(_) => Failure::new(
                REFUSED,
                &error,
                "restart the server: the new file is taken then",
            ),
            ReloadError::Panicked => {
                Failure::new(INTERNAL, &error, "see the log, and please report it")
            }
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Keys(error) => error.into(),
            StartError::Keyring(error) => error.into(),
            StartError::Store(error) => error.into(),
            StartError::Trust(error) => Failure::new(CONFIGURATION, &error, error.help()),
            StartError::Backends(errors) => backends(&errors, |_| String::new()),
        }
    }
}

/// All of them, each with its places, whole lines.
fn backends(
    errors: &[supervisor::StartError],
    place: impl Fn(&supervisor::StartError) -> String,
) -> Failure {
    let each = errors
        .iter()
        .map(|error| format!("error: {error}\n{}help: {}\n", place(error), error.help()));
    Failure {
        code: CONFIGURATION,
        text: each.collect(),
    }
}
