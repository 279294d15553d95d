//! Why there is no token: what the client is told, and what the audit log is.

use std::time::Duration;

use super::Request;
use crate::backends::outcome::{Outcome, Refused};

/// FAB's text for a body without username or password.
const MISSING: &str = "Username and password must be provided";

/// Waited when an outage does not say how long.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What the client is told. The reason is in the audit log only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400 with this text.
    BadRequest(String),
    /// 401.
    Denied,
    /// 429, try again after.
    Throttled(Duration),
    /// 503, try again after.
    Unavailable(Duration),
    /// 500.
    Fault,
}

/// What an outcome that is no user becomes for the client, and its circumstances.
pub(super) fn of(request: &Request, outcome: Outcome) -> (Refusal, Refused) {
    match outcome {
        Outcome::Denied(refused) => (Refusal::Denied, refused),
        Outcome::Invalid(refused) => (Refusal::BadRequest(refused.public.clone()), refused),
        Outcome::Unavailable(refused) => (
            Refusal::Unavailable(refused.retry_after.unwrap_or(RETRY_AFTER)),
            refused,
        ),
        Outcome::Fault(refused) => (Refusal::Fault, refused),
        Outcome::NotApplicable if !request.has_bearer() && !request.has_credentials() => (
            Refusal::BadRequest(MISSING.into()),
            reason("no username and password, no bearer token"),
        ),
        Outcome::NotApplicable => (
            Refusal::Denied,
            reason("no backend knows this user or kind of request"),
        ),
        Outcome::Authenticated(_) => (Refusal::Fault, reason("authenticated by no backend")),
    }
}

fn reason(detail: &str) -> Refused {
    Refused {
        detail: detail.into(),
        ..Refused::default()
    }
}
