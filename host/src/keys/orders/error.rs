//! Why an order was not carried out, and what to do about it.

use std::path::PathBuf;

use crate::config::shapes::Algorithm;
use crate::keys::KeyError;

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum OrderError {
    #[error("the standby {kid:?} may sign from {ready} on: consumers may not have fetched it yet")]
    TooEarly { kid: String, ready: String },
    #[error("there is no key {kid:?} in {ring}")]
    Unknown { kid: String, ring: String },
    #[error("key {kid:?} is retiring already; {until}")]
    Retiring { kid: String, until: String },
    #[error("this key is in the ring already, as {0:?}")]
    There(String),
    #[error("the key in {} was revoked", .0.display())]
    Revoked(PathBuf),
    #[error("the algorithm {algorithm} needs an {expected} key, but {} holds an {found} key", file.display())]
    Kind {
        algorithm: Algorithm,
        expected: String,
        found: String,
        file: PathBuf,
    },
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl OrderError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            OrderError::TooEarly { .. } => {
                "wait until then; or, if tokens may be refused meanwhile, say --now".into()
            }
            OrderError::Unknown { .. } => {
                "`countersign keys list` names them; --audience looks into an audience's own ring, and a key of keys.extra_public goes by being taken out there"
                    .into()
            }
            OrderError::Retiring { .. } => "with --now it is revoked, and its tokens are refused".into(),
            OrderError::There(_) => "nothing needs to be done; `countersign keys list` shows it".into(),
            OrderError::Revoked(_) => "make another key: `countersign keys generate`".into(),
            OrderError::Kind { .. } => "name an --algorithm that fits the key, or leave it out".into(),
            OrderError::Key(error) => error.help(),
        }
    }
}
