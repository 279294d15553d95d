//! Why there is no token: what the client is told, and what the audit log is.

use std::error::Error;
use std::time::Duration;

use super::Request;
use crate::backends::chain::Decision;
use crate::backends::outcome::{Outcome, Refused};

/// FAB's text for a body without username or password.
const MISSING: &str = "Username and password must be provided";

/// Waited when an outage does not say how long.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What the client is told. The reason is in the audit log only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400 with this text.
    BadRequest(String),
    /// 401.
    Denied,
    /// 503, try again after.
    Unavailable(Duration),
    /// 500.
    Fault,
}

/// Turns a decision that is not a user into a refusal, and writes the audit line.
pub(super) fn refused(request: &Request, decision: Decision<'_>) -> Refusal {
    let backend = decision.backend.map_or("-", |backend| backend.id.as_str());
    let name = decision.outcome.name();
    let (refusal, refused) = match decision.outcome {
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
    };
    audit(request, backend, name, &refused);
    refusal
}

/// The user was known, but there is no token to be had for him.
pub(super) fn unminted(request: &Request, backend: &str, error: &dyn Error) -> Refusal {
    audit(request, backend, "fault", &reason(&error.to_string()));
    Refusal::Fault
}

/// The face refused the body; no backend was asked.
pub fn malformed(request: &Request, status: u16) {
    let detail = format!("the body was refused with status {status}");
    audit(request, "-", "malformed", &reason(&detail));
}

fn audit(request: &Request, backend: &str, outcome: &str, refused: &Refused) {
    let typed = request
        .body
        .get("username")
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let user = if refused.subject.is_empty() {
        typed
    } else {
        &refused.subject
    };
    // What a client typed is untrusted: bounded here, escaped by the log format.
    let user: String = user.chars().take(256).collect();
    tracing::warn!(
        target: "audit", request = request.inner.request_id, outcome, backend, user = %user.escape_debug(),
        reason = refused.detail, peer = request.inner.peer, "no token"
    );
}

fn reason(detail: &str) -> Refused {
    Refused {
        detail: detail.into(),
        ..Refused::default()
    }
}
