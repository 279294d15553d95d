//! Why the provider could not be asked: an outage, never a refusal.

use std::time::Duration;

use countersign_sdk::AuthError;
use countersign_verify::JwksError;

/// The provider did not answer as it must. The texts are for operators; they hold no URL with
/// a query, no token and no secret.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Trouble {
    /// What went wrong, and at which endpoint.
    pub(crate) what: String,
    /// When the provider said to come again.
    pub(crate) retry_after: Option<Duration>,
}

impl Trouble {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Trouble {
            what: what.into(),
            retry_after: None,
        }
    }
}

impl From<Trouble> for AuthError {
    fn from(trouble: Trouble) -> Self {
        let error = AuthError::unavailable(trouble.what);
        match trouble.retry_after {
            Some(pause) => error.retry_after(pause),
            None => error,
        }
    }
}

/// Keys whose address the provider does not tell.
impl From<Trouble> for JwksError {
    fn from(Trouble { what, retry_after }: Trouble) -> Self {
        JwksError::Address { what, retry_after }
    }
}
