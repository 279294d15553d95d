//! Bots and tokens as JSON, for the command line and programs that read it: never a secret, and
//! times in seconds since 1970.

use serde_json::{Value, json};

use super::Described;
use crate::accounts::lasting::{Lasting, Owner};
use crate::config::shapes::TokenForm;

impl Lasting {
    /// In a word: `live`, `ending` (another took its place), `expired`, `revoked`.
    pub fn state(&self, now: u64) -> &'static str {
        match (self.revoked_at, self.is_live(now), self.ends_at) {
            (Some(_), ..) => "revoked",
            (None, true, None) => "live",
            (None, true, Some(_)) => "ending",
            (None, false, Some(ends)) if ends <= now => "revoked",
            (None, false, _) => "expired",
        }
    }
}

impl Described {
    /// The tokens that are good.
    pub fn live(&self, now: u64) -> impl Iterator<Item = &Lasting> {
        self.tokens.iter().filter(move |token| token.is_live(now))
    }

    /// Is one of its tokens over by `until`, and has none taken its place?
    pub fn has_token_that_ends(&self, now: u64, until: u64) -> bool {
        let ends =
            |it: &Lasting| it.ends_at.is_none() && it.expires_at.is_some_and(|at| at <= until);
        self.live(now).any(ends)
    }

    /// When one of its tokens was used last.
    pub fn last_used(&self) -> Option<u64> {
        self.tokens.iter().filter_map(|it| it.last_used_at).max()
    }
}

/// A bot and its tokens.
pub fn described(described: &Described, now: u64) -> Value {
    let bot = &described.bot;
    let tokens = described.tokens.iter().map(|it| token(it, now));
    json!({
        "id": bot.id,
        "name": bot.name,
        "display_name": bot.display_name,
        "description": bot.description,
        "email": bot.email,
        "roles": bot.roles,
        "has_keys": !bot.jwks.is_empty(),
        "created_at": bot.created_at,
        "created_by": bot.created_by,
        "updated_at": bot.updated_at,
        "updated_by": bot.updated_by,
        "last_used_at": described.last_used(),
        "tokens": tokens.collect::<Vec<_>>(),
    })
}

/// What is known of a token.
pub fn token(token: &Lasting, now: u64) -> Value {
    let owner = match &token.owner {
        Owner::Bot(_) => "bot",
        Owner::User(_) => "user",
    };
    json!({
        "id": token.id,
        "owner": owner,
        "name": token.name,
        "form": match token.form { TokenForm::Jwt => "jwt", TokenForm::Opaque => "opaque" },
        "audience": token.audience,
        "kid": Some(&token.kid).filter(|kid| !kid.is_empty()),
        "expiry": token.expiry.name(),
        "state": token.state(now),
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "ends_at": token.ends_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    })
}
