//! From a request to a signed token. [`Tokens::create_token`] is the place that a
//! reviewer opens first: its body is the whole way.

pub mod accepted;
mod admitted;
pub mod again;
pub mod attempt;
pub mod audience;
pub mod claims;
pub mod dpop;
pub mod guess;
pub mod ingestion;
pub mod issuer;
pub mod lasting;
pub mod management;
pub mod own;
pub mod redeem;
pub mod refusal;
pub mod request;
pub mod roles;
#[cfg(test)]
mod tests;
pub mod trust;

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::accounts::throttle::Throttle;
use crate::accounts::{Accounts, Principal};
use crate::backends::backend::Backend;
use crate::backends::chain::{self, Decision};
use crate::backends::{Outcome, Registry};
use crate::clock;
use crate::config::shapes::Algorithm;
use crate::keys::{Current, SignError};
use crate::metering;
use crate::telemetry::{otel, pen};
use attempt::Attempt;
use audience::OURS;
use lasting::BOT;

pub use admitted::Admitted;
pub use issuer::{Claims, Holder, Issuer};
pub use refusal::Refusal;
pub use request::{Lifetime, Request};
pub use roles::Roles;
pub use trust::Trusted;

/// Everything that minting needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Who is asked.
    pub registry: Registry,
    /// Whose rows the users of one backend are in another.
    pub accounts: Accounts,
    /// From groups to roles.
    pub roles: Arc<Roles>,
    /// What a token says.
    pub issuer: Arc<Issuer>,
    /// What signs it.
    pub keys: Arc<Current>,
    /// Other issuers whose tokens are accepted.
    pub trusted: Arc<Trusted>,
    /// Who failed too often.
    pub throttle: Throttle,
}

/// A signed token, and what it says.
pub struct Minted {
    /// The compact JWS.
    pub token: String,
    /// The algorithm of its signature.
    pub algorithm: &'static str,
    /// The key that signed it.
    pub kid: String,
    /// Its claims.
    pub claims: Claims,
}

/// Why there is no token for a user who is known.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum MintError {
    #[error("there is no audience \"{0}\"")]
    NoSuchAudience(String),
    #[error("bots do not manage this server, so none has a token for its API")]
    NotForBots,
    #[error("no active key signs with {0}, the audience's algorithm")]
    NoKey(Algorithm),
    #[error("the store has been out of sight for {since}, longer than store.outage", since = humantime::format_duration(Duration::from_secs(.0.as_secs())))]
    StoreLost(Duration),
    #[error(transparent)]
    Claims(#[from] issuer::ClaimsError),
    #[error(transparent)]
    Sign(#[from] SignError),
}

impl MintError {
    /// What the client is told, and the name of that for the audit log.
    fn refusal(&self) -> (&'static str, Refusal) {
        match self {
            MintError::StoreLost(_) => ("unavailable", Refusal::Unavailable(refusal::RETRY_AFTER)),
            _ => ("fault", Refusal::Fault),
        }
    }
}

impl Tokens {
    /// Decides who is asking and countersigns the answer, for the default audience.
    pub async fn create_token(&self, request: &Request) -> Result<Minted, Refusal> {
        let admitted = self.authenticate(request).await?;
        admitted.token(None, request.lifetime).await
    }

    /// Decides who is asking: the chain's user, with his roles and his row.
    ///
    /// # Errors
    /// What the client is told; the audit log has been told the reason.
    pub async fn authenticate<'a>(&'a self, request: &'a Request) -> Result<Admitted<'a>, Refusal> {
        let mut attempt = Attempt::admit(self, request)?;
        let decision = chain::authenticate(
            &self.registry,
            request.only.as_deref(),
            &request.inner,
            &request.body,
            |backend, outcome| attempt.passed_over(backend, outcome),
        )
        .await;
        self.admit(attempt, decision).await
    }

    /// Who came back from the provider of a backend: `callback` is what
    /// [`Backend::finish_login`] is asked with. Beside him stands what his
    /// logout will need.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate).
    pub async fn finish_login<'a>(
        &'a self,
        request: &'a Request,
        backend: &'a Backend,
        callback: Value,
    ) -> Result<(Admitted<'a>, Value), Refusal> {
        let attempt = Attempt::admit(self, request)?;
        let (outcome, private) = backend
            .finish_login(&request.inner.request_id, callback)
            .await;
        let backend = Some(backend);
        let admitted = self.admit(attempt, Decision { backend, outcome }).await?;
        Ok((admitted, private))
    }

    /// The user of a decision gets his roles, and the row that he has elsewhere.
    async fn admit<'a>(
        &'a self,
        mut attempt: Attempt<'a>,
        decision: Decision<'a>,
    ) -> Result<Admitted<'a>, Refusal> {
        let decider = decision.backend.map(|backend| backend.id.as_str());
        otel::decided(decider, decision.outcome.name());
        let (backend, mut user) = match decision {
            Decision {
                backend: Some(backend),
                outcome: Outcome::Authenticated(user),
            } => (backend, user),
            decision => return Err(attempt.refused(decision)),
        };
        attempt.known();
        user.roles = self.roles.of(&backend.id, &user);
        let asked = &attempt.request().inner;
        let admitted = self.accounts.admit(&self.registry, backend, user, asked);
        match admitted.await {
            Ok(principal) => Ok(Admitted::new(self, attempt, backend, principal)),
            Err(outcome) => {
                let backend = Some(backend);
                Err(attempt.refused(Decision { backend, outcome }))
            }
        }
    }

    /// A token for a user who signed in before, by way of a client: `request` shows only that
    /// it may have it, and neither its success nor its failure counts as a guess at anything.
    ///
    /// # Errors
    /// His backend is no longer asked for logins, or no token can be made; the reason is in
    /// the audit log.
    pub async fn token_for(
        &self,
        request: &Request,
        client: &str,
        principal: &Principal,
        audience: Option<&str>,
    ) -> Result<Minted, Refusal> {
        if !self.takes(principal) {
            let reason = "his backend takes no logins any more";
            return Err(self.withhold(request, Some(principal), reason));
        }
        self.token_of(request, Some(client), principal, audience)
            .await
    }

    /// The same for whoever is known by no backend: a bot, or another issuer's user. `client` is
    /// one that has shown who it is.
    ///
    /// # Errors
    /// No token can be made; the reason is in the audit log.
    pub async fn token_of(
        &self,
        request: &Request,
        client: Option<&str>,
        principal: &Principal,
        audience: Option<&str>,
    ) -> Result<Minted, Refusal> {
        let lifetime = request.lifetime;
        let holder = request.holder(client);
        match self.mint_for(holder, audience, principal, lifetime) {
            Ok(minted) => {
                let (backend, user) = (&principal.backend, &principal.user);
                attempt::issued(request, backend, user, &minted, (client, audience));
                pen::written().await;
                Ok(minted)
            }
            Err(error) => {
                let (outcome, refusal) = error.refusal();
                attempt::withheld(request, outcome, Some(principal), &error.to_string());
                Err(refusal)
            }
        }
    }

    /// Denies a token, and tells the audit log why.
    pub fn withhold(
        &self,
        request: &Request,
        principal: Option<&Principal>,
        reason: &str,
    ) -> Refusal {
        attempt::withheld(request, "denied", principal, reason);
        Refusal::Denied
    }

    /// No token for now, since somebody who must know does not answer; tells the audit log.
    pub fn postpone(
        &self,
        request: &Request,
        principal: Option<&Principal>,
        error: &dyn std::error::Error,
    ) -> Refusal {
        attempt::withheld(request, "unavailable", principal, &error.to_string());
        Refusal::Unavailable(refusal::RETRY_AFTER)
    }

    /// Would the backend of a user who signed in before still be asked?
    pub fn takes(&self, principal: &Principal) -> bool {
        let backend = self.registry.get(&principal.backend);
        backend.is_some_and(|backend| backend.settings.login)
    }

    /// Signs a token for a user who is known already. `audience` is a name in
    /// `tokens.audiences`, or none for the default one.
    ///
    /// # Errors
    /// [`MintError`]. A key for another algorithm than the audience's never signs.
    pub fn mint(
        &self,
        audience: Option<&str>,
        principal: &Principal,
        lifetime: Lifetime,
    ) -> Result<Minted, MintError> {
        self.mint_for(Holder::default(), audience, principal, lifetime)
    }

    /// The same for who is known to hold it: the OAuth client that asks, which an access token
    /// names (RFC 9068), and the key that it has.
    ///
    /// # Errors
    /// As [`mint`](Self::mint).
    pub fn mint_for(
        &self,
        holder: Holder<'_>,
        audience: Option<&str>,
        principal: &Principal,
        lifetime: Lifetime,
    ) -> Result<Minted, MintError> {
        if let Some(since) = self.accounts.store().and_then(|store| store.lost()) {
            return Err(MintError::StoreLost(since));
        }
        let found = self.issuer.audience(audience);
        let audience = found
            .ok_or_else(|| MintError::NoSuchAudience(audience.unwrap_or_default().to_owned()))?;
        if audience.name.as_deref() == Some(OURS) && principal.backend == BOT {
            return Err(MintError::NotForBots);
        }
        let keys = self.keys.load();
        let keys = keys.of(audience.name.as_deref());
        let signer = match audience.algorithm {
            None => keys.active(),
            Some(algorithm) => keys.signer(algorithm).ok_or(MintError::NoKey(algorithm))?,
        };
        let claims =
            self.issuer
                .claims(audience, principal, lifetime, clock::unix_now(), holder)?;
        let started = Instant::now();
        let token = signer.sign_as(audience.typ, &claims.json);
        let algorithm = signer.algorithm().name();
        metering::signed(algorithm, started.elapsed());
        Ok(Minted {
            token: token?,
            algorithm,
            kid: signer.kid().to_owned(),
            claims,
        })
    }
}
