//! Why a token is not accepted. Each refusal is one rule; its name goes into audit
//! logs and metrics, its text is for a person. Neither ever holds a part of the
//! token, which would be a part of somebody's credential.

use std::fmt;

/// A segment of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums)] // RFC 7515 section 7.1 has three
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Payload,
    /// The third.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Header => "header",
            Part::Payload => "payload",
            Part::Signature => "signature",
        })
    }
}

/// The rule that a token broke.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum Refusal {
    #[error("the token is longer than {limit} bytes")]
    TokenSize { limit: usize },
    #[error("the token is not three segments with two dots between them (RFC 7515 section 7.1)")]
    Segments,
    #[error("the {0} is not base64url without padding (RFC 7515 section 2)")]
    Base64url(Part),
    #[error("the {0} is larger than {1} bytes")]
    PartSize(Part, usize),
    #[error("the {0} is not JSON in UTF-8")]
    Json(Part),
    #[error("the {0} is JSON, but no object")]
    NotObject(Part),
    #[error("the {0} names a member twice (RFC 8725 section 2.4)")]
    Duplicate(Part),
    #[error("the {0} is nested too deeply or has too many members")]
    JsonLimits(Part),
    #[error("the header's {0} is missing")]
    HeaderMissing(&'static str),
    #[error("the header's {0} is not a non-empty text of at most 1024 bytes")]
    HeaderType(&'static str),
    #[error("the header's alg is none that this verifier knows (\"none\" and HS* never are)")]
    AlgorithmUnknown,
    #[error("the header's alg is {0}, which is not allowed here")]
    AlgorithmNotAllowed(crate::Algorithm),
    #[error("the header has crit: no extension is understood here (RFC 7515 section 4.1.11)")]
    Critical,
    #[error("the header has b64: unencoded payloads are not understood here (RFC 7797)")]
    Unencoded,
    #[error("the header's cty says that there is a token within the token")]
    Nested,
    #[error("the header's typ says that this is another kind of token")]
    Type,
    #[error("the claim {0} is missing")]
    ClaimMissing(&'static str),
    #[error("the claim {0} is not {1}")]
    ClaimType(&'static str, &'static str),
    #[error("the claim iss names no issuer that is trusted here")]
    Issuer,
    #[error("the claim aud names nobody that is meant here")]
    Audience,
    #[error("the claim azp names another client, or is missing beside several values of aud")]
    Party,
    #[error("the token has expired (exp is {0} s ago)")]
    Expired(u64),
    #[error("the token is not valid yet (nbf is in {0} s)")]
    NotYet(u64),
    #[error("the token was issued in the future (iat is in {0} s)")]
    IssuedInFuture(u64),
    #[error("the header has no kid, and not exactly one key fits its alg")]
    KidMissing,
    #[error("the key set has no usable key of the header's kid")]
    KidUnknown,
    #[error("the key of the header's kid is not one for the header's alg")]
    KeyMismatch,
    #[error("the signature does not match")]
    Signature,
    #[error(
        "the claim cnf binds the token to a key, and nobody has proved here that he has it: it is no bearer token (RFC 9449 section 7.2)"
    )]
    Bound,
    #[error("the issuer's keys cannot be had: {0}")]
    KeysUnavailable(crate::JwksError),
}

impl Refusal {
    /// The rule's short name, from a fixed list: fit for a metric's label.
    pub fn rule(&self) -> &'static str {
        match self {
            Refusal::TokenSize { .. } | Refusal::PartSize(..) => "size",
            Refusal::Segments => "segments",
            Refusal::Base64url(_) => "base64url",
            Refusal::Json(_) | Refusal::NotObject(_) | Refusal::JsonLimits(_) => "json",
            Refusal::Duplicate(_) => "duplicate",
            Refusal::HeaderMissing(name) | Refusal::HeaderType(name) => name,
            Refusal::ClaimMissing(name) | Refusal::ClaimType(name, _) => name,
            Refusal::AlgorithmUnknown | Refusal::AlgorithmNotAllowed(_) => "alg",
            Refusal::Critical => "crit",
            Refusal::Unencoded => "b64",
            Refusal::Nested => "cty",
            Refusal::Type => "typ",
            Refusal::Issuer => "iss",
            Refusal::Audience => "aud",
            Refusal::Party => "azp",
            Refusal::Expired(_) => "exp",
            Refusal::NotYet(_) => "nbf",
            Refusal::IssuedInFuture(_) => "iat",
            Refusal::KidMissing | Refusal::KidUnknown => "kid",
            Refusal::KeyMismatch => "key",
            Refusal::Signature => "signature",
            Refusal::Bound => "cnf",
            Refusal::KeysUnavailable(_) => "keys-unavailable",
        }
    }

    /// When the issuer's server said to come again, if this is an outage.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        match self {
            Refusal::KeysUnavailable(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Is this no verdict on the token, but the issuer's keys that cannot be had? An
    /// outage is never a failed login: answer 503, count nothing.
    pub fn is_outage(&self) -> bool {
        matches!(self, Refusal::KeysUnavailable(_))
    }
}
