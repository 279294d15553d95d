//! Tokens of our own that come back: is it ours, for this audience, good, and not revoked?
//! No request leaves the host and nothing is asked of the store.

use std::time::Duration;

use countersign_verify::{Refusal, Unverified, Verified};
use serde_json::Value;

use super::Tokens;
use super::audience::Audience;
use crate::accounts::store::Revocable;
use crate::config::shapes::Expiry;

/// A token of our own that was accepted.
#[derive(Debug)]
pub struct Own {
    /// What it says.
    pub verified: Verified,
    /// The name of its audience; none = the default one.
    pub audience: Option<String>,
}

/// What stands beside a token: of one that is bound to a key, it decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside<'a> {
    /// Nothing: whoever has the token shows it. One that is bound to a key is refused.
    Nothing,
    /// A proof of the key with this thumbprint. A token that is not bound to it is refused.
    Key(&'a str),
    /// Nobody shows it to be let in: it is asked about, bound or not.
    Question,
}

/// Why a token is not accepted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotOwn {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("there is no audience \"{0}\"")]
    NoSuchAudience(String),
    #[error("the token was revoked")]
    Revoked,
    #[error("the key that signed the token was revoked")]
    KeyRevoked,
    #[error("the token is not bound to the key of the proof beside it (cnf.jkt)")]
    OtherKey,
    #[error("the store has been out of sight for {since}, longer than store.outage: whether the token was revoked is not known", since = humantime::format_duration(Duration::from_secs(.0.as_secs())))]
    StoreLost(Duration),
}

impl NotOwn {
    /// The rule's short name, from a fixed list.
    pub fn rule(&self) -> &'static str {
        match self {
            NotOwn::Refused(refusal) => refusal.rule(),
            NotOwn::NoSuchAudience(_) => "aud",
            NotOwn::Revoked => "revoked",
            NotOwn::KeyRevoked => "key-revoked",
            NotOwn::OtherKey => "cnf",
            NotOwn::StoreLost(_) => "store",
        }
    }
}

impl Beside<'_> {
    fn suits(self, verified: &Verified) -> Result<(), NotOwn> {
        match self {
            Beside::Nothing if verified.is_bound() => Err(Refusal::Bound.into()),
            Beside::Key(key) if verified.key() != Some(key) => Err(NotOwn::OtherKey),
            Beside::Nothing | Beside::Key(_) | Beside::Question => Ok(()),
        }
    }
}

impl Tokens {
    /// Verifies a token that says that it is ours. `audience` is a name in `tokens.audiences`,
    /// or none for the default one; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`NotOwn`].
    pub fn verify_own(
        &self,
        token: &str,
        audience: Option<&str>,
        beside: Beside<'_>,
        now: u64,
    ) -> Result<Own, NotOwn> {
        let found = self.issuer.audience(audience);
        let found =
            found.ok_or_else(|| NotOwn::NoSuchAudience(audience.unwrap_or_default().to_owned()))?;
        self.verify_own_read(Unverified::read(token)?, found, beside, now)
    }

    /// The same for whichever audience of ours: that of its `aud`.
    ///
    /// # Errors
    /// [`NotOwn`].
    pub fn verify_any(&self, token: &str, beside: Beside<'_>, now: u64) -> Result<Own, NotOwn> {
        let unverified = Unverified::read(token)?;
        let aud = unverified.claims().get("aud").and_then(Value::as_str);
        let found = aud.and_then(|aud| self.issuer.find_aud(aud));
        self.verify_own_read(unverified, found.ok_or(Refusal::Audience)?, beside, now)
    }

    /// The same for a token that was read before, and an audience that was found.
    ///
    /// # Errors
    /// [`NotOwn`].
    pub fn verify_own_read(
        &self,
        token: Unverified<'_>,
        audience: &Audience,
        beside: Beside<'_>,
        now: u64,
    ) -> Result<Own, NotOwn> {
        let rules = audience.rules.as_ref().ok_or(Refusal::Audience)?;
        let verified = {
            let keys = self.keys.load();
            let keys = keys.of(audience.name.as_deref());
            rules.verify_read(token, keys.verifying(), now)?
        };
        self.not_revoked(&verified)?;
        beside.suits(&verified)?;
        Ok(Own {
            verified,
            audience: audience.name.clone(),
        })
    }

    /// Somebody has shown a token of ours that is good: it was used. Only of those that may be
    /// remembered one by one, which live as long as one of [`Expiry`]; asks nobody.
    pub fn used(&self, verified: &Verified, now: u64) {
        let (Some(store), Some(id)) = (self.accounts.store(), &verified.id) else {
            return;
        };
        let made = verified.claims.get("iat").and_then(Value::as_u64);
        let lives = verified.expires.zip(made);
        let lives = lives.map(|(expires, made)| expires.saturating_sub(made));
        if Expiry::ALL.iter().any(|expiry| expiry.seconds() == lives) {
            store.touch(id, now);
        }
    }

    fn not_revoked(&self, verified: &Verified) -> Result<(), NotOwn> {
        let Some(store) = self.accounts.store() else {
            return Ok(());
        };
        if let Some(since) = store.lost() {
            return Err(NotOwn::StoreLost(since));
        }
        let id = verified.id.as_deref().unwrap_or_default();
        if store.is_revoked(Revocable::Token(id)) {
            return Err(NotOwn::Revoked);
        }
        let kid = verified.header.kid.as_deref().unwrap_or_default();
        match store.is_revoked(Revocable::Key(kid)) {
            true => Err(NotOwn::KeyRevoked),
            false => Ok(()),
        }
    }
}
