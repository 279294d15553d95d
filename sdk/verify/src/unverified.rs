//! A token of which is known only what it says of itself: enough to find out who must
//! judge it, and never to believe it.

use serde_json::{Map, Value};

use crate::{Jws, Refusal, claims};

/// A token that was read whole, once, and **not verified**.
pub struct Unverified<'a> {
    pub(crate) jws: Jws<'a>,
    pub(crate) claims: Map<String, Value>,
}

impl<'a> Unverified<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// It breaks a rule of form: see [`Jws::parse`] and [`Jws::claims`].
    pub fn read(token: &'a str) -> Result<Unverified<'a>, Refusal> {
        let jws = Jws::parse(token)?;
        let claims = jws.claims()?;
        Ok(Unverified { jws, claims })
    }

    /// Every claim, none of them verified.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Does it say that it is bound to a key (`cnf`, RFC 7800 section 3)?
    pub fn is_bound(&self) -> bool {
        claims::is_bound(&self.claims)
    }

    /// Whose token it says it is.
    ///
    /// # Errors
    /// `iss` is missing, or no text.
    pub fn issuer(&self) -> Result<&str, Refusal> {
        claims::issuer(&self.claims)
    }
}

/// A token is a credential.
impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.jws.fmt(f)
    }
}
