//! A token as this computer holds it: read, not verified, since whom it is for verifies it.

use std::fmt;

use countersign_verify::Jws;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// A token with this many seconds left is as good as over.
const NEARLY: u64 = 60;

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Held {
    /// The compact JWS.
    pub(super) token: String,
    /// `iss`, or empty.
    pub(super) issuer: String,
    /// `iat`, or 0: seconds since 1970.
    pub(super) issued: u64,
    /// `exp`: seconds since 1970.
    pub(super) expires: u64,
    /// What fetches the next one, where there is such.
    pub(super) refresh: Option<Zeroizing<String>>,
}

impl Held {
    /// Reads what the token says of itself; none for what is no token that ends.
    pub(super) fn of(token: &str) -> Option<Held> {
        let claims = Jws::parse(token).ok()?.claims().ok()?;
        Some(Held {
            token: token.to_owned(),
            issuer: claims.get("iss").and_then(Value::as_str)?.to_owned(),
            issued: seconds(&claims, "iat").unwrap_or(0),
            expires: seconds(&claims, "exp")?,
            refresh: None,
        })
    }

    /// The same with a refresh token.
    pub(super) fn renewed_by(mut self, refresh: Option<&str>) -> Held {
        let refresh = refresh.filter(|text| !text.is_empty());
        self.refresh = refresh.map(|text| Zeroizing::new(text.to_owned()));
        self
    }

    /// Is enough left of it? A minute, or a tenth of a life that is shorter than ten.
    pub(super) fn is_fresh(&self, now: u64) -> bool {
        let life = self.expires.saturating_sub(self.issued);
        self.expires.saturating_sub(now) > NEARLY.min(life / 10)
    }
}

/// Shows nothing of the tokens.
impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

fn seconds(claims: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = claims.get(name)?;
    value.as_u64().or_else(|| {
        let seconds = value.as_f64().filter(|it| (0.0..4e15).contains(it))?;
        Some(seconds as u64)
    })
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    /// An unsigned token of this header's type and these claims.
    pub(in crate::cli::login) fn token(typ: &str, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "ES256", "typ": typ });
        format!("{}.{}.c2ln", part(&header), part(claims))
    }

    #[test]
    fn tokens_of_either_type_tell_their_end() {
        for typ in ["JWT", "at+jwt"] {
            let claims = json!({ "iss": "https://me", "iat": 100, "exp": 3_700 });
            let held = Held::of(&token(typ, &claims)).unwrap();
            assert_eq!((held.issued, held.expires), (100, 3_700));
            assert_eq!(held.issuer, "https://me");
            assert!(!format!("{held:?}").contains(&held.token));
        }
    }

    #[test]
    fn what_is_no_token_or_never_ends_is_not_held() {
        let endless = token("JWT", &json!({ "iss": "a" }));
        for text in ["", "opaque", "a.b.c", &endless] {
            assert_eq!(Held::of(text), None, "{text}");
        }
    }

    #[test]
    fn token_is_fresh_until_a_minute_or_a_tenth_is_left() {
        for (life, left, fresh) in [
            (3_600, 61, true),
            (3_600, 60, false),
            (3_600, 0, false),
            (100, 11, true),
            (100, 10, false),
            (86_400, 61, true),
        ] {
            let claims = json!({ "iss": "a", "iat": 1_000, "exp": 1_000 + life });
            let held = Held::of(&token("JWT", &claims)).unwrap();
            assert_eq!(held.is_fresh(1_000 + life - left), fresh, "{life} {left}");
        }
        let over = Held::of(&token("JWT", &json!({ "iss": "a", "exp": 10 }))).unwrap();
        assert!(!over.is_fresh(1_000));
    }
}
