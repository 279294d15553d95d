//! One request for a token, from the throttle's word to the last: whatever becomes of
//! it is counted, measured and told to the audit log, here and nowhere else.

use std::error::Error;
use std::time::Instant;

use countersign_abi::User;

use super::refusal::{self, Refusal};
use super::{Minted, Request, Tokens};
use crate::accounts::{Principal, throttle};
use crate::audit::{self, Line};
use crate::backends::Outcome;
use crate::backends::backend::Backend;
use crate::backends::chain::Decision;
use crate::metering;

/// A request that was let in. One that is dropped undecided was abandoned by its client.
pub(super) struct Attempt<'a> {
    tokens: &'a Tokens,
    request: &'a Request,
    /// Who has refused it so far, and which subject: backends that were passed over, too.
    refusals: Vec<(String, String)>,
    decided: bool,
}

impl<'a> Attempt<'a> {
    /// Asks the throttle, before any backend is asked.
    pub(super) fn admit(tokens: &'a Tokens, request: &'a Request) -> Result<Self, Refusal> {
        let admitted = tokens.throttle.admit(&who(request), Instant::now());
        if let Err(throttled) = admitted {
            metering::throttled(throttled.scope);
            metering::decided("", "throttled");
            audit::refused(&Line {
                outcome: "throttled",
                reason: match throttled.scope {
                    "user" => "too many failures of this user from this address",
                    _ => "too many failures from this address",
                },
                ..line(request)
            });
            return Err(Refusal::Throttled(throttled.pause));
        }
        Ok(Attempt {
            tokens,
            request,
            refusals: Vec::new(),
            decided: false,
        })
    }

    /// A backend did not have the last word. That it refused counts, unless another one
    /// knows the user: else whoever makes the next one fail, or hangs up before it has
    /// answered, could go on guessing at this one.
    pub(super) fn passed_over(&mut self, backend: &Backend, outcome: &Outcome) {
        let Some(refused) = outcome.refused() else {
            return;
        };
        if matches!(outcome, Outcome::Denied(_)) {
            self.count(&backend.id, &refused.subject);
        }
        let line = line(self.request);
        audit::passed_over(&Line {
            outcome: outcome.name(),
            backend: &backend.id,
            user: named(&refused.subject, line.user),
            reason: &refused.detail,
            ..line
        });
    }

    /// A backend knows who it is: that others before it did not is no failure.
    pub(super) fn known(&mut self) {
        self.refusals.clear();
    }

    /// There is no user. Only a refusal counts against the client; an outage never does.
    pub(super) fn refused(&mut self, decision: Decision<'_>) -> Refusal {
        let backend = decision.backend.map_or("", |backend| backend.id.as_str());
        let outcome = decision.outcome.name();
        let (refusal, refused) = refusal::of(self.request, decision.outcome);
        if refusal == Refusal::Denied {
            self.count(backend, &refused.subject);
        }
        self.tell(backend, outcome, &refused.subject, &refused.detail);
        refusal
    }

    /// The user is known, but there is nothing to be had for him: `outcome` is `denied`,
    /// `unavailable` or `fault`.
    pub(super) fn unminted(&mut self, backend: &Backend, outcome: &'static str, error: &dyn Error) {
        self.tell(&backend.id, outcome, "", &error.to_string());
    }

    /// It was no guess: what becomes of it is told elsewhere.
    pub(super) fn passed(mut self) {
        self.decided = true;
    }

    /// The request.
    pub(super) fn request(&self) -> &'a Request {
        self.request
    }

    /// There is a session in the browser.
    pub(super) fn signed_in(&mut self, backend: &Backend, user: &User) {
        self.decided = true;
        let throttle = &self.tokens.throttle;
        throttle.succeeded(&who(self.request), &backend.id, &user.username);
        metering::decided(&backend.id, "authenticated");
        audit::signed_in(&Line {
            outcome: "authenticated",
            backend: &backend.id,
            user: &user.username,
            sub: &user.id,
            ..line(self.request)
        });
    }

    /// There is a token.
    pub(super) fn issued(
        &mut self,
        backend: &Backend,
        user: &User,
        minted: &Minted,
        (client, audience): (Option<&str>, Option<&str>),
    ) {
        self.decided = true;
        let throttle = &self.tokens.throttle;
        throttle.succeeded(&who(self.request), &backend.id, &user.username);
        let asked = (client, audience);
        issued(self.request, &backend.id, user, minted, asked);
    }

    /// Once for each backend.
    fn count(&mut self, backend: &str, subject: &str) {
        if self.refusals.iter().all(|(known, _)| known != backend) {
            self.refusals.push((backend.to_owned(), subject.to_owned()));
        }
    }

    fn tell(&mut self, backend: &str, outcome: &'static str, subject: &str, reason: &str) {
        self.decided = true;
        let throttle = &self.tokens.throttle;
        throttle.failed(&who(self.request), &self.refusals, Instant::now());
        metering::decided(backend, outcome);
        let line = line(self.request);
        audit::refused(&Line {
            outcome,
            backend,
            reason,
            user: named(subject, line.user),
            ..line
        });
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.decided {
            return;
        }
        let (outcome, reason) = match std::thread::panicking() {
            true => ("fault", "the host panicked"),
            false => (
                "abandoned",
                "the client went away before there was an answer",
            ),
        };
        self.tell("", outcome, "", reason);
    }
}

/// There is a token, for a user whom this backend knows.
pub(super) fn issued(
    request: &Request,
    backend: &str,
    user: &User,
    minted: &Minted,
    (client, audience): (Option<&str>, Option<&str>),
) {
    let claims = &minted.claims;
    metering::decided(backend, "authenticated");
    metering::issued(&claims.aud, minted.algorithm, backend);
    audit::issued(&Line {
        outcome: "authenticated",
        backend,
        user: &user.username,
        sub: &claims.sub,
        jti: &claims.jti,
        client: client.unwrap_or_default(),
        audience: audience.unwrap_or_default(),
        reserved: &claims.reserved,
        ..line(request)
    });
}

/// A user who signed in before gets no token by this request: `outcome` is `denied`, `unavailable`
/// or `fault`.
pub(super) fn withheld(
    request: &Request,
    outcome: &'static str,
    principal: Option<&Principal>,
    reason: &str,
) {
    let backend = principal.map_or("", |principal| &principal.backend);
    metering::decided(backend, outcome);
    audit::refused(&Line {
        outcome,
        backend,
        user: principal.map_or("", |principal| &principal.user.username),
        reason,
        ..line(request)
    });
}

/// Something was guessed at and was wrong, or may not be tried: `outcome` is `denied` or
/// `throttled`.
pub(super) fn misguessed(
    request: &Request,
    outcome: &'static str,
    backend: &'static str,
    user: &str,
    reason: &str,
) {
    metering::decided(backend, outcome);
    audit::refused(&Line {
        outcome,
        backend,
        user,
        reason,
        ..line(request)
    });
}

/// The face refused the body with this status; no backend is asked.
pub fn malformed(request: &Request, status: u16) {
    turned_away(
        request,
        &format!("the body was refused with status {status}"),
    );
}

/// The face refused the request, for this reason; no backend is asked.
pub fn turned_away(request: &Request, reason: &str) {
    metering::decided("", "malformed");
    audit::refused(&Line {
        outcome: "malformed",
        reason,
        ..line(request)
    });
}

/// A login in the browser does not begin: `outcome` is `unavailable` or `fault`.
pub fn unbegun(request: &Request, backend: &str, outcome: &'static str, reason: &str) {
    metering::decided(backend, outcome);
    audit::refused(&Line {
        outcome,
        backend,
        reason,
        ..line(request)
    });
}

fn who(request: &Request) -> throttle::Attempt<'_> {
    throttle::Attempt {
        address: request.address,
        door: request.only.as_deref().unwrap_or_default(),
        typed: request.username(),
    }
}

/// The subject that a backend named, else the name as it was typed.
fn named<'a>(subject: &'a str, typed: &'a str) -> &'a str {
    match subject {
        "" => typed,
        subject => subject,
    }
}

/// What a line says of every request.
fn line(request: &Request) -> Line<'_> {
    Line {
        request: &request.inner.request_id,
        path: request.path,
        user: request.username(),
        address: &request.inner.peer,
        agent: request.agent(),
        ..Line::default()
    }
}
