//! The chain: backends in the order of the file, until one decides.
//!
//! | outcome | then |
//! | --- | --- |
//! | Authenticated | done |
//! | NotApplicable | the next backend |
//! | Denied | stop, unless `on_denied: next` |
//! | Unavailable | stop, unless `on_unavailable: next` |
//! | Invalid, Fault | stop, always |
//!
//! When all have passed, the gravest thing on the way decides: an outage that was
//! passed over is an outage, a refusal that was passed over is a refusal.

use countersign_abi::Request;
use serde_json::Value;

use super::backend::Backend;
use super::{Outcome, Registry};
use crate::config::shapes::Follow;
use crate::telemetry::otel;

/// What the chain found, and which backend said so.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The backend that decided; none if all passed.
    pub backend: Option<&'a Backend>,
    /// Its answer.
    pub outcome: Outcome,
}

/// Asks the backends in order; `only` names one that is asked alone. `passed_over` is told
/// at once of each refusal and outage after which the next one is asked.
pub async fn authenticate<'a>(
    registry: &'a Registry,
    only: Option<&str>,
    request: &Request,
    body: &Value,
    mut passed_over: impl FnMut(&Backend, &Outcome),
) -> Decision<'a> {
    let mut passed = Decision {
        backend: None,
        outcome: Outcome::NotApplicable,
    };
    for backend in registry
        .iter()
        .filter(|backend| only.map_or(backend.settings.login, |id| backend.id == id))
    {
        if !backend.matches(request, body) {
            continue;
        }
        let asked = backend.authenticate(request, body);
        let outcome = otel::call(&backend.id, asked, Outcome::name).await;
        let follow = match &outcome {
            Outcome::NotApplicable => continue,
            Outcome::Denied(_) => backend.settings.on_denied,
            Outcome::Unavailable(_) => backend.settings.on_unavailable,
            Outcome::Authenticated(_) | Outcome::Invalid(_) | Outcome::Fault(_) => Follow::Stop,
        };
        if follow == Follow::Next {
            passed_over(backend, &outcome);
        }
        let decision = Decision {
            backend: Some(backend),
            outcome,
        };
        match follow {
            Follow::Stop => return decision,
            Follow::Next => passed = graver(passed, decision),
        }
    }
    passed
}

fn graver<'a>(a: Decision<'a>, b: Decision<'a>) -> Decision<'a> {
    let gravity = |decision: &Decision<'_>| match decision.outcome {
        Outcome::Unavailable(_) => 2,
        Outcome::Denied(_) => 1,
        _ => 0,
    };
    if gravity(&b) > gravity(&a) { b } else { a }
}
