//! Why keys cannot be had, or not be changed.

use crate::accounts::store::StoreError;
use crate::keys::{KeyError, OrderError};

/// Why keys cannot be had, or not be changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum KeyringError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("no audience {0:?} has a ring of its own")]
    NoRing(String),
    #[error("other hosts change the keys all the time")]
    Contended,
    #[error("the keys were changed by a thread that panicked")]
    Panicked,
}

impl KeyringError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            KeyringError::Keys(error) => error.help(),
            KeyringError::Store(error) => error.help().into(),
            KeyringError::Order(error) => error.help(),
            KeyringError::NoRing(_) => {
                "set `keys: own` for the audience, or leave --audience out".into()
            }
            KeyringError::Contended => "try again".into(),
            KeyringError::Panicked => "see the log, and please report it".into(),
        }
    }
}
