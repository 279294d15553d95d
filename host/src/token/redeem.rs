//! Opaque tokens that come back: whose is it, is it good, and what is he given for it. Whoever
//! shows one that is none counts as guessing.

use std::num::NonZeroU64;

use super::attempt::{self, Attempt};
use super::lasting::{BOT, principal};
use super::{Lifetime, Minted, Refusal, Request, Tokens};
use crate::accounts::Principal;
use crate::accounts::bots::BotError;
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
    /// Whose it is: the bot as it is now, the user as he was when he made it.
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
    #[error("its user's backend takes no logins any more")]
    NoBackend,
    #[error("users have no tokens of their own here any more")]
    NoUsers,
    #[error(transparent)]
    Store(#[from] StoreError),
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
                let known = lasting.principal.clone();
                let known = known.filter(|principal| self.takes(principal));
                known.ok_or(NotRedeemed::NoBackend)?
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
        let redeemed = self.redeem(token, users, clock::unix_now()).await;
        let refused = |detail: String| Refused {
            detail,
            ..Refused::default()
        };
        let outcome = match redeemed {
            Ok(redeemed) => {
                attempt.passed();
                return Ok(redeemed);
            }
            Err(NotRedeemed::Store(error)) => Outcome::Unavailable(refused(error.to_string())),
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
        match self.mint_for(own, audience, principal, lifetime) {
            Ok(minted) => {
                let (backend, user) = (&principal.backend, &principal.user);
                let asked = (client.or(own), audience);
                attempt::issued(request, backend, user, &minted, asked);
                pen::written().await;
                Ok(minted)
            }
            Err(error) => {
                attempt::withheld(request, "fault", Some(principal), &error.to_string());
                Err(Refusal::Fault)
            }
        }
    }

    /// The lifetime, cut to what ends at `end`.
    pub fn within(&self, audience: Option<&str>, lifetime: Lifetime, end: Option<u64>) -> Lifetime {
        let left = end.map(|end| end.saturating_sub(clock::unix_now()));
        let usual = self.issuer.audience(audience);
        let usual = usual.and_then(|audience| audience.seconds(lifetime));
        match left.and_then(NonZeroU64::new) {
            Some(left) if usual.is_none_or(|usual| usual > left.get()) => Lifetime::Requested(left),
            _ => lifetime,
        }
    }
}
