//! What a token of one issuer must say (RFC 7519 section 4.1, RFC 8725 section 3).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Algorithm, Header, Jws, KeySet, Refusal, Unverified};

/// Whole seconds beyond this are no time: a float cannot count them.
const LATEST: f64 = 9_007_199_254_740_992.0; // 2^53

/// What a token must look like to be accepted: the issuer's name, who it may be meant
/// for, and which algorithms may have signed it. None of the three has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    issuer: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    leeway: u64,
    types: Vec<String>,
    may_last: bool,
    party: Option<String>,
    issued_to: Option<String>,
    bound_too: bool,
}

/// The rules would accept too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum RulesError {
    #[error("an issuer is required, and may not be empty")]
    Issuer,
    #[error("an audience is required, and none may be empty")]
    Audience,
    #[error("at least one algorithm is required")]
    Algorithm,
}

/// A token that was accepted.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// Its header.
    pub header: Header,
    /// `iss`.
    pub issuer: String,
    /// `sub`; unique within its issuer only: see [`Verified::principal`].
    pub subject: String,
    /// `jti`, for who keeps a list of those revoked or used.
    pub id: Option<String>,
    /// `exp`, seconds since 1970; `None` only where [`Rules::without_expiry`] allows it.
    pub expires: Option<u64>,
    /// Every claim.
    pub claims: Map<String, Value>,
}

impl Verified {
    /// Who it is: the same `sub` of two issuers is two people (ASVS 6.8.1).
    pub fn principal(&self) -> (&str, &str) {
        (&self.issuer, &self.subject)
    }

    /// Is it bound to a key, by whatever kind of proof (`cnf`, RFC 7800 section 3)?
    pub fn is_bound(&self) -> bool {
        is_bound(&self.claims)
    }

    /// The thumbprint of the key that it is bound to by DPoP (`cnf.jkt`, RFC 9449 section 6.1);
    /// none, too, where it is bound to something else or to more.
    pub fn key(&self) -> Option<&str> {
        let confirmation = self.claims.get("cnf")?.as_object()?;
        let key = confirmation.get("jkt")?.as_str()?;
        (confirmation.len() == 1).then_some(key)
    }

    pub(crate) fn subject_of(claims: &Map<String, Value>) -> Result<&str, Refusal> {
        text(claims, "sub")?.ok_or(Refusal::ClaimMissing("sub"))
    }
}

impl Rules {
    /// Rules with a leeway of 10 s, for tokens that expire and whose `typ` is absent or `JWT`.
    ///
    /// # Errors
    /// One of the three is empty.
    pub fn new<A: Into<String>>(
        issuer: impl Into<String>,
        audiences: impl IntoIterator<Item = A>,
        algorithms: impl IntoIterator<Item = Algorithm>,
    ) -> Result<Rules, RulesError> {
        let rules = Rules {
            issuer: issuer.into(),
            audiences: audiences.into_iter().map(Into::into).collect(),
            algorithms: algorithms.into_iter().collect(),
            leeway: 10,
            types: vec!["JWT".into()],
            may_last: false,
            party: None,
            issued_to: None,
            bound_too: false,
        };
        if rules.issuer.is_empty() {
            return Err(RulesError::Issuer);
        }
        if rules.audiences.is_empty() || rules.audiences.iter().any(String::is_empty) {
            return Err(RulesError::Audience);
        }
        if rules.algorithms.is_empty() {
            return Err(RulesError::Algorithm);
        }
        Ok(rules)
    }

    /// How far the two clocks may differ.
    #[must_use]
    pub fn leeway(self, leeway: Duration) -> Rules {
        Rules {
            leeway: leeway.as_secs(),
            ..self
        }
    }

    /// The values of `typ` that are accepted, such as `["at+jwt"]` for access tokens of RFC 9068.
    /// Compared without regard to case, and with or without `application/` before it (RFC 7515
    /// section 4.1.9); a token without `typ` counts as `JWT`.
    #[must_use]
    pub fn types<T: Into<String>>(self, types: impl IntoIterator<Item = T>) -> Rules {
        Rules {
            types: types.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Also accepts tokens without `exp` (an `exp` that is there still counts).
    #[must_use]
    pub fn without_expiry(self) -> Rules {
        Rules {
            may_last: true,
            ..self
        }
    }

    /// For ID tokens: `azp`, where it is there, must be this client, and must be there where `aud`
    /// names several (OpenID Connect Core section 3.1.3.7).
    #[must_use]
    pub fn authorized_party(self, client: impl Into<String>) -> Rules {
        Rules {
            party: Some(client.into()),
            ..self
        }
    }

    /// For an access token that this client has just been given by the token endpoint, whomever it
    /// is for: `azp`, or `client_id` (RFC 9068 section 2.2), must be this client; `aud` may be anything.
    #[must_use]
    pub fn issued_to(self, client: impl Into<String>) -> Rules {
        Rules {
            issued_to: Some(client.into()),
            ..self
        }
    }

    /// Also accepts tokens that are bound to a key of whoever they were given to (`cnf`, RFC 7800).
    /// The caller checks that whoever shows one has that key, [`Verified::key`]: as a bearer token
    /// it would be anybody's.
    #[must_use]
    pub fn bound_too(self) -> Rules {
        Rules {
            bound_too: true,
            ..self
        }
    }

    /// The issuer that the rules are for.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Verifies a token at a time, in seconds since 1970, with the keys of this issuer.
    ///
    /// # Errors
    /// The rule that the token breaks: first those of form and header, then the signature, then
    /// the claims.
    pub fn verify(&self, token: &str, keys: &KeySet, now: u64) -> Result<Verified, Refusal> {
        let jws = Jws::parse(token)?;
        self.check_header(&jws)?;
        self.check_signature(&jws, keys)?;
        let claims = jws.claims()?;
        self.check_claims(Unverified { jws, claims }, now)
    }

    /// The same for a token that was read before, to learn whose it is.
    ///
    /// # Errors
    /// Likewise.
    pub fn verify_read(
        &self,
        token: Unverified<'_>,
        keys: &KeySet,
        now: u64,
    ) -> Result<Verified, Refusal> {
        self.check_header(&token.jws)?;
        self.check_signature(&token.jws, keys)?;
        self.check_claims(token, now)
    }

    /// What can be said before there are keys.
    pub(crate) fn check_header(&self, jws: &Jws<'_>) -> Result<(), Refusal> {
        jws.algorithm(&self.algorithms)?;
        let header = jws.header();
        if let Some(content) = &header.cty
            && media_type(content).eq_ignore_ascii_case("JWT")
        {
            return Err(Refusal::Nested);
        }
        let typ = media_type(header.typ.as_deref().unwrap_or("JWT"));
        let mut types = self.types.iter();
        if types.any(|known| media_type(known).eq_ignore_ascii_case(typ)) {
            Ok(())
        } else {
            Err(Refusal::Type)
        }
    }

    pub(crate) fn check_signature(&self, jws: &Jws<'_>, keys: &KeySet) -> Result<(), Refusal> {
        jws.verify(keys, &self.algorithms)
    }

    /// What comes last: header and signature have been checked.
    pub(crate) fn check_claims(
        &self,
        token: Unverified<'_>,
        now: u64,
    ) -> Result<Verified, Refusal> {
        let Unverified { jws, claims } = token;
        if issuer(&claims)? != self.issuer {
            return Err(Refusal::Issuer);
        }
        self.check_audience(&claims)?;
        let expires = self.check_times(&claims, now)?;
        let subject = Verified::subject_of(&claims)?;
        self.check_bound(&claims)?;
        Ok(Verified {
            header: jws.into_header(),
            issuer: self.issuer.clone(),
            subject: subject.to_owned(),
            id: text(&claims, "jti")?.map(str::to_owned),
            expires,
            claims,
        })
    }

    pub(crate) fn check_bound(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        match self.bound_too || !is_bound(claims) {
            true => Ok(()),
            false => Err(Refusal::Bound),
        }
    }

    pub(crate) fn check_audience(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        if let Some(client) = &self.issued_to {
            let party = match text(claims, "azp")? {
                None => text(claims, "client_id")?,
                party => party,
            };
            return match party == Some(client) {
                true => Ok(()),
                false => Err(Refusal::Party),
            };
        }
        let malformed = Refusal::ClaimType("aud", "a text or a list of texts");
        let audience = claims.get("aud").ok_or(Refusal::ClaimMissing("aud"))?;
        let named: Option<Vec<&str>> = match audience {
            Value::String(one) => Some(vec![one]),
            Value::Array(several) => several.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let named = named.ok_or(malformed)?;
        let ours = |audience: &&str| self.audiences.iter().any(|known| known == audience);
        if !named.iter().any(ours) {
            return Err(Refusal::Audience);
        }
        let Some(client) = &self.party else {
            return Ok(());
        };
        match text(claims, "azp")? {
            Some(party) if party == client => Ok(()),
            None if named.len() == 1 => Ok(()),
            _ => Err(Refusal::Party),
        }
    }

    /// `exp > now - leeway`; `nbf` and `iat` at most `now + leeway`. Fractions of seconds are
    /// taken against the token.
    fn check_times(&self, claims: &Map<String, Value>, now: u64) -> Result<Option<u64>, Refusal> {
        let expires = self.check_expiry(claims, now)?;
        self.check_begun(claims, "nbf", now)?;
        self.check_begun(claims, "iat", now)?;
        Ok(expires)
    }

    pub(crate) fn check_expiry(
        &self,
        claims: &Map<String, Value>,
        now: u64,
    ) -> Result<Option<u64>, Refusal> {
        let expires = time(claims, "exp", f64::floor)?;
        match expires {
            None if !self.may_last => Err(Refusal::ClaimMissing("exp")),
            Some(exp) if exp.saturating_add(self.leeway) <= now => Err(Refusal::Expired(now - exp)),
            _ => Ok(expires),
        }
    }

    /// `name` is `nbf` or `iat`.
    pub(crate) fn check_begun(
        &self,
        claims: &Map<String, Value>,
        name: &'static str,
        now: u64,
    ) -> Result<(), Refusal> {
        let at = time(claims, name, f64::ceil)?.unwrap_or_default();
        match at.saturating_sub(now) {
            ahead if ahead <= self.leeway => Ok(()),
            ahead if name == "nbf" => Err(Refusal::NotYet(ahead)),
            ahead => Err(Refusal::IssuedInFuture(ahead)),
        }
    }
}

/// `iss`: whose token it says it is.
pub(crate) fn issuer(claims: &Map<String, Value>) -> Result<&str, Refusal> {
    text(claims, "iss")?.ok_or(Refusal::ClaimMissing("iss"))
}

/// What says nothing binds to nothing.
pub(crate) fn is_bound(claims: &Map<String, Value>) -> bool {
    match claims.get("cnf") {
        None | Some(Value::Null) => false,
        Some(Value::Object(members)) => !members.is_empty(),
        Some(_) => true,
    }
}

fn media_type(text: &str) -> &str {
    const PREFIX: &str = "application/";
    match text.get(..PREFIX.len()) {
        Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => &text[PREFIX.len()..],
        _ => text,
    }
}

fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(Refusal::ClaimType(name, "a non-empty text")),
    }
}

/// A NumericDate, which may have a fraction (RFC 7519 section 2).
fn time(
    claims: &Map<String, Value>,
    name: &'static str,
    whole: fn(f64) -> f64,
) -> Result<Option<u64>, Refusal> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = value.as_f64().map(whole);
    match seconds.filter(|seconds| (0.0..=LATEST).contains(seconds)) {
        // In the range of whole numbers that a float holds exactly.
        Some(seconds) => Ok(Some(seconds as u64)),
        None => Err(Refusal::ClaimType(name, "a number of seconds since 1970")),
    }
}
