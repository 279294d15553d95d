//! What a backend's answer means. Every path that is not `Authenticated` fails closed.

use std::time::Duration;

use countersign_abi::{Code, Failure, User};

/// One backend's answer about one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// This user.
    Authenticated(User),
    /// Not this backend's kind of request or user.
    NotApplicable,
    /// The credentials are refused.
    Denied(Refused),
    /// The request is malformed; `public` is for the client.
    Invalid(Refused),
    /// Nobody can say now. Never counted as a failed login.
    Unavailable(Refused),
    /// The plugin broke its contract.
    Fault(Refused),
}

/// The circumstances of a refusal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Refused {
    /// For the client; may be empty.
    pub public: String,
    /// For the audit log only.
    pub detail: String,
    /// The user that was refused, as the backend names him; may be empty.
    pub subject: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Outcome {
    /// The outcome's name in logs.
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Authenticated(_) => "authenticated",
            Outcome::NotApplicable => "not_applicable",
            Outcome::Denied(_) => "denied",
            Outcome::Invalid(_) => "invalid",
            Outcome::Unavailable(_) => "unavailable",
            Outcome::Fault(_) => "fault",
        }
    }

    /// The circumstances, where there are any.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Outcome::Authenticated(_) | Outcome::NotApplicable => None,
            Outcome::Denied(refused)
            | Outcome::Invalid(refused)
            | Outcome::Unavailable(refused)
            | Outcome::Fault(refused) => Some(refused),
        }
    }

    /// An outage with a detail for the log.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Outcome::Unavailable(Refused {
            detail: detail.into(),
            ..Refused::default()
        })
    }

    /// A broken contract with a detail for the log.
    pub fn fault(detail: impl Into<String>) -> Self {
        Outcome::Fault(Refused {
            detail: detail.into(),
            ..Refused::default()
        })
    }
}

impl From<Result<Option<User>, Failure>> for Outcome {
    fn from(answer: Result<Option<User>, Failure>) -> Self {
        match answer {
            Ok(Some(user)) if user.id.is_empty() => {
                Outcome::fault("the plugin returned a user with an empty id")
            }
            // It becomes `sub`; consumers cut it off there, or write it into their logs.
            Ok(Some(user)) if user.id.contains(char::is_control) => {
                Outcome::fault("the plugin returned a user whose id has control characters")
            }
            Ok(Some(user)) => Outcome::Authenticated(user),
            Ok(None) => Outcome::NotApplicable,
            Err(failure) => {
                let (code, refused) = (failure.code, Refused::from(failure));
                match code {
                    Code::Denied => Outcome::Denied(refused),
                    Code::Invalid => Outcome::Invalid(refused),
                    Code::Unavailable => Outcome::Unavailable(refused),
                    Code::Fault | Code::NotSupported => Outcome::Fault(refused),
                }
            }
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused {
            public: failure.public,
            detail: failure.detail,
            subject: failure.subject,
            retry_after: (failure.retry_after_millis > 0)
                .then(|| Duration::from_millis(failure.retry_after_millis)),
        }
    }
}
