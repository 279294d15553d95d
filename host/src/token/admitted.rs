//! A user who was let in: what is left is to give him a token, or a session in the browser.

use std::error::Error;

use super::attempt::Attempt;
use super::{Holder, Lifetime, Minted, Refusal, Tokens, refusal};
use crate::accounts::Principal;
use crate::backends::backend::Backend;
use crate::telemetry::pen;

/// A user who was let in, by one request. Dropped without a word, it counts as abandoned.
pub struct Admitted<'a> {
    tokens: &'a Tokens,
    attempt: Attempt<'a>,
    backend: &'a Backend,
    principal: Principal,
    client: Option<String>,
    key: Option<String>,
}

impl<'a> Admitted<'a> {
    pub(super) fn new(
        tokens: &'a Tokens,
        attempt: Attempt<'a>,
        backend: &'a Backend,
        principal: Principal,
    ) -> Self {
        Admitted {
            tokens,
            attempt,
            backend,
            principal,
            client: None,
            key: None,
        }
    }

    /// Who he is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The OAuth client that asks for him, as it calls itself: for the audit log alone, since
    /// whoever trusts a token's `client_id` (RFC 9068 section 5) trusts that we checked it.
    #[must_use]
    pub fn for_client(mut self, client: Option<&str>) -> Self {
        self.client = client.map(str::to_owned);
        self
    }

    /// The thumbprint of the key that his client has proved to have: the token is bound to it.
    #[must_use]
    pub fn bound_to(mut self, key: Option<&str>) -> Self {
        self.key = key.map(str::to_owned);
        self
    }

    /// A token for him. `audience` is a name in `tokens.audiences`, or none for the default one.
    ///
    /// # Errors
    /// No token can be made; the reason is in the audit log.
    pub async fn token(
        mut self,
        audience: Option<&str>,
        lifetime: Lifetime,
    ) -> Result<Minted, Refusal> {
        let client = self.client.as_deref();
        let key = self.key.as_deref();
        let holder = Holder { client: None, key };
        let tokens = self.tokens;
        let minted = tokens.mint_for(holder, audience, &self.principal, lifetime);
        let minted = minted.map_err(|error| {
            let (outcome, refusal) = error.refusal();
            self.attempt.unminted(self.backend, outcome, &error);
            refusal
        })?;
        self.attempt.issued(
            self.backend,
            &self.principal.user,
            &minted,
            (client, audience),
        );
        pen::written().await;
        Ok(minted)
    }

    /// He was let in in vain: his client may not have a token now.
    pub fn denied(mut self, error: &dyn Error) -> Refusal {
        self.attempt.unminted(self.backend, "denied", error);
        Refusal::Denied
    }

    /// He was let in in vain: this server cannot go on, and says why in the audit log.
    pub fn fault(mut self, error: &dyn Error) -> Refusal {
        self.attempt.unminted(self.backend, "fault", error);
        Refusal::Fault
    }

    /// He was let in in vain: what must be remembered cannot be, for now.
    pub fn unavailable(mut self, error: &dyn Error) -> Refusal {
        self.attempt.unminted(self.backend, "unavailable", error);
        Refusal::Unavailable(refusal::RETRY_AFTER)
    }

    /// He signs in to this server itself, without a token.
    pub fn signed_in(mut self) -> Principal {
        self.attempt.signed_in(self.backend, &self.principal.user);
        self.principal
    }
}
