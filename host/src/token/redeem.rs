//! Opaque tokens that come back: whose is it, is it good, and what is he given for it, which
//! ends with it. Whoever shows one that is none counts as guessing.

use std::num::NonZeroU64;

use super::again::NotAgain;
use super::attempt::{self, Attempt};
use super::lasting::{BOT, principal};
use super::{Lifetime, Minted, Refusal, Request, Tokens};
use crate::accounts::Principal;
use crate::accounts::bots::BotError;
use crate::accounts::derived::Parent;
use crate::accounts::lasting::{Lasting, Owner};
use crate::accounts::opaque::{self, Kind};
use crate::accounts::store::{Revocable, StoreError};
use crate::backends::Outcome;
use crate::backends::chain::Decision;
use crate::backends::outcome::Refused;
use crate::clock;
use crate::telemetry::pen;

/// An opaque token that is good.
#[derive(Debug)]
pub struct Redeemed {
    /// Whose it is: the bot as it is now; the user, too, if his backend can look users up.
    pub principal: Principal,
    /// What is known of it.
    pub lasting: Lasting,
}

/// Why it is not good.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotRedeemed {
    #[error("the text is no whole token of a bot or a user")]
    Damaged,
    #[error("nobody has this token")]
    Unknown,
    #[error("the token was revoked")]
    Revoked,
    #[error("the token has expired")]
    Expired,
    #[error("its bot is gone")]
    NoBot,
    #[error("its user is let in no more: {0}")]
    User(#[from] NotAgain),
    #[error("users have no tokens of their own here any more")]
    NoUsers,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl NotRedeemed {
    /// Is this no verdict, but somebody who does not answer?
    pub fn is_outage(&self) -> bool {
        matches!(
            self,
            NotRedeemed::Store(_) | NotRedeemed::User(NotAgain::Outage(_))
        )
    }
}

/// What is to be given for a credential that lasts.
#[derive(Debug)]
pub struct Due<'a> {
    /// For whom.
    pub principal: &'a Principal,
    /// The name of the audience; none = the default one.
    pub audience: Option<&'a str>,
    /// How long it shall live.
    pub lifetime: Lifetime,
    /// The client that asks, where it is known.
    pub client: Option<&'a str>,
    /// The client that asks, as it calls itself: for the audit log.
    pub named: Option<&'a str>,
    /// The credential.
    pub parent: Parent<'a>,
}

impl Tokens {
    /// Whose an opaque token is; its use is remembered. `users` = may users have any?
    ///
    /// # Errors
    /// [`NotRedeemed`].
    pub async fn redeem(
        &self,
        token: &str,
        users: bool,
        request_id: &str,
        now: u64,
    ) -> Result<Redeemed, NotRedeemed> {
        if !matches!(opaque::kind(token), Some(Kind::Bot | Kind::User)) {
            return Err(NotRedeemed::Damaged);
        }
        let store = self.accounts.store().ok_or(NotRedeemed::Unknown)?;
        let found = store.token_by_hash(&opaque::hash(token)).await?;
        let lasting = found.ok_or(NotRedeemed::Unknown)?;
        if lasting.revoked_at.is_some() || store.is_revoked(Revocable::Token(&lasting.id)) {
            return Err(NotRedeemed::Revoked);
        }
        if !lasting.is_live(now) {
            return Err(NotRedeemed::Expired);
        }
        let principal = match &lasting.owner {
            Owner::Bot(id) => match store.bot_by_id(id).await {
                Ok(bot) => principal(&bot),
                Err(BotError::Store(error)) => return Err(error.into()),
                Err(_) => return Err(NotRedeemed::NoBot),
            },
            Owner::User(_) if !users => return Err(NotRedeemed::NoUsers),
            Owner::User(_) => {
                let known = lasting.principal.as_ref();
                let known = known.ok_or(NotAgain::NoBackend)?;
                self.look_again(known, request_id).await?
            }
        };
        store.touch(&lasting.id, now);
        Ok(Redeemed { principal, lasting })
    }

    /// The same as a login: throttled, and told to the audit log.
    ///
    /// # Errors
    /// What the client is told.
    pub async fn redeem_for(
        &self,
        request: &Request,
        token: &str,
        users: bool,
    ) -> Result<Redeemed, Refusal> {
        let mut attempt = Attempt::admit(self, request)?;
        let redeemed = self
            .redeem(token, users, &request.inner.request_id, clock::unix_now())
            .await;
        let refused = |detail: String| Refused {
            detail,
            ..Refused::default()
        };
        let outcome = match redeemed {
            Ok(redeemed) => {
                attempt.passed();
                return Ok(redeemed);
            }
            Err(error) if error.is_outage() => Outcome::Unavailable(refused(error.to_string())),
            Err(error) => Outcome::Denied(refused(error.to_string())),
        };
        let backend = None;
        Err(attempt.refused(Decision { backend, outcome }))
    }

    /// What an opaque token is exchanged for: a signed one for its audience, which does not
    /// outlive it. `client` is whoever asks, as it calls itself.
    ///
    /// # Errors
    /// No token can be made; the reason is in the audit log.
    pub async fn exchange(
        &self,
        request: &Request,
        redeemed: &Redeemed,
        client: Option<&str>,
    ) -> Result<Minted, Refusal> {
        let (principal, lasting) = (&redeemed.principal, &redeemed.lasting);
        let audience = lasting.audience.as_deref();
        let lifetime = self.within(audience, request.lifetime, lasting.end());
        // Of a bot it is known that it is the client: it showed what is the bot's alone.
        let own = (principal.backend == BOT).then_some(principal.user.username.as_str());
        let due = Due {
            principal,
            audience,
            lifetime,
            client: own,
            named: client.or(own),
            parent: Parent::Token(&lasting.id),
        };
        self.give(request, &due).await
    }

    /// A token for a credential, which ends with that.
    ///
    /// # Errors
    /// No token can be made, or the credential has ended at this moment; the reason is in the
    /// audit log.
    pub async fn give(&self, request: &Request, due: &Due<'_>) -> Result<Minted, Refusal> {
        let (principal, audience) = (due.principal, due.audience);
        let minted = self.mint_for(
            request.holder(due.client),
            audience,
            principal,
            due.lifetime,
        );
        let minted = minted.map_err(|error| {
            let (outcome, refusal) = error.refusal();
            attempt::withheld(request, outcome, Some(principal), &error.to_string());
            refusal
        })?;
        let derived = match self.accounts.store() {
            Some(store) => {
                let end = minted.claims.expires.unwrap_or(u64::MAX);
                let until = end.saturating_add(self.issuer.leeway() + 1);
                let derived = store.derive(due.parent, &minted.claims.jti, until);
                let outage = |error| self.postpone(request, Some(principal), &error);
                derived.await.map_err(outage)?
            }
            None => false,
        };
        if !derived {
            let reason = "what it was asked for with was revoked at this moment";
            return Err(self.withhold(request, Some(principal), reason));
        }
        let (backend, user) = (&principal.backend, &principal.user);
        attempt::issued(request, backend, user, &minted, (due.named, audience));
        pen::written().await;
        Ok(minted)
    }

    /// The lifetime, cut to what ends at `end`.
    pub fn within(&self, audience: Option<&str>, lifetime: Lifetime, end: Option<u64>) -> Lifetime {
        // What ends at this moment has a second left, and not for ever.
        let left = end.map(|end| end.saturating_sub(clock::unix_now()).max(1));
        let usual = self.issuer.audience(audience);
        let usual = usual.and_then(|audience| audience.seconds(lifetime));
        match left.and_then(NonZeroU64::new) {
            Some(left) if usual.is_none_or(|usual| usual > left.get()) => Lifetime::Requested(left),
            _ => lifetime,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{Folder, tokens};
    use super::*;

    #[test]
    fn nothing_outlives_what_it_is_given_for() {
        let folder = Folder::new();
        let tokens = tokens(&folder, json!({}));
        let now = clock::unix_now();
        let within = |end| tokens.within(None, Lifetime::Api, end);
        for end in [0, now] {
            let Lifetime::Requested(left) = within(Some(end)) else {
                panic!("it ends, and what is given for it does not: {end}");
            };
            assert_eq!(left.get(), 1);
        }
        assert_eq!(within(Some(u64::MAX)), Lifetime::Api);
        assert_eq!(within(None), Lifetime::Api);
    }
}
