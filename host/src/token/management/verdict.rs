//! Would a bot's token be taken, were it shown? Known without the token: its end, its key, its
//! audience.

use super::Described;
use crate::accounts::lasting::Lasting;
use crate::accounts::store::Revocable;
use crate::config::shapes::TokenForm;
use crate::token::Tokens;

impl Tokens {
    /// Is one of a bot's tokens good?
    ///
    /// # Errors
    /// Why none is, in words for people: of the newest, which is the likeliest to be in use.
    pub fn would_pass(&self, described: &Described, now: u64) -> Result<(), &'static str> {
        let newest = described.tokens.first().ok_or("no token was made")?;
        let mut all = described.tokens.iter();
        match all.any(|token| self.would_take(token, now).is_ok()) {
            true => Ok(()),
            false => self.would_take(newest, now),
        }
    }

    /// Is this token good?
    ///
    /// # Errors
    /// Why not, in words for people.
    pub fn would_take(&self, token: &Lasting, now: u64) -> Result<(), &'static str> {
        let revoked = |what| {
            let store = self.accounts.store();
            store.is_some_and(|store| store.is_revoked(what))
        };
        if token.revoked_at.is_some() || revoked(Revocable::Token(&token.id)) {
            return Err("the token was revoked");
        }
        if !token.is_live(now) {
            return Err("the token has expired");
        }
        let audience = token.audience.as_deref();
        if self.issuer.audience(audience).is_none() {
            return Err("its audience is no longer configured");
        }
        if token.form == TokenForm::Opaque {
            return Ok(());
        }
        if revoked(Revocable::Key(&token.kid)) {
            return Err("the key that signed it was revoked");
        }
        match self.keys.load().of(audience).verifying().has(&token.kid) {
            true => Ok(()),
            false => Err("the key that signed it is no longer published"),
        }
    }
}
