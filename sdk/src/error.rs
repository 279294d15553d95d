//! What a plugin answers when there is no user, and what the host makes of it.
//!
//! An outage is never a failed login: it is not counted, not cached, and the
//! client is told to try again. Public text and private detail are two fields.

use std::fmt;
use std::time::Duration;

use countersign_abi::{Code, Failure};

/// The result of everything that a plugin does.
pub type Result<T, E = AuthError> = std::result::Result<T, E>;

/// Why there is no user.
///
/// | constructor | when | the client sees |
/// | --- | --- | --- |
/// | [`denied`](AuthError::denied) | wrong password, locked, inactive | 401, always the same text |
/// | [`invalid`](AuthError::invalid) | the request is malformed | 400 with your text |
/// | [`unavailable`](AuthError::unavailable) | nobody can say now | 503 and Retry-After |
/// | [`fault`](AuthError::fault) | a bug, a broken promise | 500 and a request id |
#[derive(Clone, PartialEq)]
pub struct AuthError(Failure);

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Refused.
    Denied,
    /// Malformed.
    Invalid,
    /// Nobody can say now.
    Unavailable,
    /// A bug.
    Fault,
    /// Not offered by this plugin.
    NotSupported,
}

impl AuthError {
    /// The credentials are refused. `reason` goes to the audit log, never to the client.
    pub fn denied(reason: impl Into<String>) -> Self {
        AuthError(Failure::new(Code::Denied, reason))
    }

    /// The request is malformed. `public` is shown to the client: quote nothing that it sent.
    pub fn invalid(public: impl Into<String>) -> Self {
        let public = public.into();
        AuthError(Failure {
            public: public.clone(),
            ..Failure::new(Code::Invalid, public)
        })
    }

    /// Nobody can say now: an outage, a timeout, a full queue. `detail` goes to the log.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        AuthError(Failure::new(Code::Unavailable, detail))
    }

    /// A bug or a broken promise. `detail` goes to the log.
    pub fn fault(detail: impl Into<String>) -> Self {
        AuthError(Failure::new(Code::Fault, detail))
    }

    /// This plugin does not offer that operation.
    pub fn not_supported(operation: &str) -> Self {
        AuthError(Failure::new(
            Code::NotSupported,
            format!("this plugin does not offer {operation}"),
        ))
    }

    /// Names the user that was refused, for the audit log and the throttle.
    #[must_use]
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.0.subject = subject.into();
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after_millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        match self.0.code {
            Code::Denied => Kind::Denied,
            Code::Invalid => Kind::Invalid,
            Code::Unavailable => Kind::Unavailable,
            Code::NotSupported => Kind::NotSupported,
            Code::Fault => Kind::Fault,
        }
    }

    /// The private detail, for logs and tests.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        error.0
    }
}

impl From<Failure> for AuthError {
    fn from(failure: Failure) -> Self {
        AuthError(failure)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.code, self.0.detail)
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AuthError {}
