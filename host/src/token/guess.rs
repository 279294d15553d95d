//! What is guessed at and is no user's password: the same brake as on logins, and the same log.

use std::time::Instant;

use super::lasting::BOT;
use super::{Refusal, Request, Tokens, attempt};
use crate::accounts::throttle::Attempt;
use crate::metering;

/// What somebody may guess at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guess<'a> {
    /// The credential of the OAuth client of this name.
    Client(&'a str),
    /// The code of a device, by the user of this name.
    UserCode(&'a str),
}

impl Tokens {
    /// May it be tried, from where the request is?
    ///
    /// # Errors
    /// Too much has failed already; the audit log has been told.
    pub fn may_guess(&self, request: &Request, guess: Guess<'_>) -> Result<(), Refusal> {
        let admitted = self.throttle.admit(&guess.of(request), Instant::now());
        admitted.map_err(|throttled| {
            metering::throttled(throttled.scope);
            let reason = match throttled.scope {
                "user" => "too many failures of this name from this address",
                _ => "too many failures from this address",
            };
            attempt::misguessed(request, "throttled", guess.backend(), guess.name(), reason);
            Refusal::Throttled(throttled.pause)
        })
    }

    /// It was right: what failed before is forgotten.
    pub fn guessed(&self, request: &Request, guess: Guess<'_>) {
        let throttle = &self.throttle;
        throttle.succeeded(&guess.of(request), guess.door(), guess.name());
    }

    /// It was wrong: that counts, and the audit log is told.
    pub fn misguessed(&self, request: &Request, guess: Guess<'_>, reason: &str) -> Refusal {
        let refusals = [(guess.door().to_owned(), guess.name().to_owned())];
        let throttle = &self.throttle;
        throttle.failed(&guess.of(request), &refusals, Instant::now());
        attempt::misguessed(request, "denied", guess.backend(), guess.name(), reason);
        Refusal::Denied
    }
}

impl<'a> Guess<'a> {
    fn name(self) -> &'a str {
        match self {
            Guess::Client(name) | Guess::UserCode(name) => name,
        }
    }

    /// Counts apart from a user's of the same name: no backend has such an id.
    fn door(self) -> &'static str {
        match self {
            Guess::Client(_) => "oauth2:client",
            Guess::UserCode(_) => "oauth2:device",
        }
    }

    fn backend(self) -> &'static str {
        match self {
            Guess::Client(_) => BOT,
            Guess::UserCode(_) => "",
        }
    }

    fn of(self, request: &Request) -> Attempt<'a> {
        Attempt {
            address: request.address,
            door: self.door(),
            typed: self.name(),
        }
    }
}
