//! From a request to a signed token. [`Tokens::create_token`] is the place that a
//! reviewer opens first: its body is the whole way.

pub mod claims;
pub mod issuer;
pub mod refusal;
pub mod request;
pub mod roles;

use std::sync::Arc;

use crate::backends::{Outcome, Registry, chain};
use crate::clock;
use crate::keys::KeySet;

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
}

/// A signed token.
pub struct Minted {
    /// The compact JWS.
    pub token: String,
}

impl Tokens {
    /// Decides who is asking and countersigns the answer.
    pub async fn create_token(&self, request: &Request) -> Result<Minted, Refusal> {
        let decision = chain::authenticate(
            &self.registry,
            request.only.as_deref(),
            &request.inner,
            &request.body,
        )
        .await;
        let (Some(backend), Outcome::Authenticated(user)) = (decision.backend, &decision.outcome)
        else {
            return Err(refusal::refused(request, decision));
        };
        let roles = roles::roles_of(user, &backend.settings.roles);
        let claims = self.issuer.claims(
            &backend.id,
            user,
            &roles,
            request.lifetime,
            clock::unix_now(),
        );
        let claims = claims.map_err(|error| refusal::unminted(request, &backend.id, &error))?;
        let token = self
            .keys
            .active()
            .sign(&claims.json)
            .map_err(|error| refusal::unminted(request, &backend.id, &error))?;
        tracing::info!(
            target: "audit", request = request.inner.request_id, outcome = "authenticated", backend = backend.id,
            user = user.username, sub = claims.sub, jti = claims.jti, peer = request.inner.peer, "token issued"
        );
        Ok(Minted { token })
    }
}
