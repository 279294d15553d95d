//! From a request to a signed token. [`Tokens::create_token`] is the place that a
//! reviewer opens first: its body is the whole way.

pub mod attempt;
pub mod claims;
pub mod issuer;
pub mod refusal;
pub mod request;
pub mod roles;

use std::sync::Arc;
use std::time::Instant;

use crate::accounts::throttle::Throttle;
use crate::backends::{Outcome, Registry, chain};
use crate::clock;
use crate::keys::{KeySet, SignError};
use crate::metering;
use crate::telemetry::otel;
use attempt::Attempt;

pub use issuer::Issuer;
pub use refusal::Refusal;
pub use request::{Lifetime, Request};

/// Everything that minting needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Who is asked.
    pub registry: Registry,
    /// What a token says.
    pub issuer: Arc<Issuer>,
    /// What signs it.
    pub keys: Arc<KeySet>,
    /// Who failed too often.
    pub throttle: Throttle,
}

/// A signed token.
pub struct Minted {
    /// The compact JWS.
    pub token: String,
}

impl Tokens {
    /// Decides who is asking and countersigns the answer.
    pub async fn create_token(&self, request: &Request) -> Result<Minted, Refusal> {
        let mut attempt = Attempt::admit(self, request)?;
        let decision = chain::authenticate(
            &self.registry,
            request.only.as_deref(),
            &request.inner,
            &request.body,
        )
        .await;
        let decider = decision.backend.map(|backend| backend.id.as_str());
        otel::decided(decider, decision.outcome.name());
        let (Some(backend), Outcome::Authenticated(user)) = (decision.backend, &decision.outcome)
        else {
            return Err(attempt.refused(decision));
        };
        let roles = roles::roles_of(user, &backend.settings.roles);
        let claims = self.issuer.claims(
            &backend.id,
            user,
            &roles,
            request.lifetime,
            clock::unix_now(),
        );
        let claims = claims.map_err(|error| attempt.unminted(backend, &error))?;
        let token = self.sign(&claims.json);
        let token = token.map_err(|error| attempt.unminted(backend, &error))?;
        attempt.issued(backend, user, &claims);
        Ok(Minted { token })
    }

    fn sign(&self, claims: &[u8]) -> Result<String, SignError> {
        let (key, started) = (self.keys.active(), Instant::now());
        let token = key.sign(claims);
        metering::signed(key.algorithm().name(), started.elapsed());
        token
    }
}
