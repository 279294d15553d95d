//! Proofs of a client's key (DPoP, RFC 9449), as requests carry them: one `DPoP` header, about
//! this request at the address by which clients reach us, never by the `Host` that they name.
//! Each is good once, at whichever host.
//!
//! A nonce (`tokens.dpop.nonce`) is sealed as sessions are, with the time until which it is good:
//! nobody remembers those that were given.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use countersign_verify::Algorithm;

use super::Serving;
use crate::accounts::store::StoreError;
use crate::token::dpop::{Expected, NotProved, Proof, check};

/// The request's header.
const HEADER: HeaderName = HeaderName::from_static("dpop");

/// The answer's header with a nonce.
pub const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What a nonce is sealed for.
const PURPOSE: &str = "dpop nonce";

/// Seconds for which a nonce is good.
const LIFE: u64 = 300;

/// The request that a proof must be about.
pub struct Asked<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path, without that of `server.public_url`.
    pub path: &'a str,
    /// The access token that it shows; none = none.
    pub token: Option<&'a str>,
    /// Seconds since 1970.
    pub now: u64,
}

/// The proof of a request; none = it has none.
///
/// # Errors
/// [`NotProved`].
pub fn proof(
    serving: &Serving,
    headers: &HeaderMap,
    asked: &Asked<'_>,
) -> Result<Option<Proof>, NotProved> {
    let mut lines = headers.get_all(HEADER).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(NotProved::Several);
    }
    let url = format!("{}{}", serving.browser.public_url, asked.path);
    let is_ours = |nonce: &str| {
        let sealed = serving.browser.sealer.unseal(PURPOSE, nonce, asked.now);
        sealed.is_some_and(|()| true)
    };
    let expected = Expected {
        method: asked.method,
        url: &url,
        token: asked.token,
        nonce: serving.tokens.issuer.dpop().nonce.then_some(&is_ours),
        now: asked.now,
    };
    // What is no ASCII is no JWT either.
    check(line.to_str().unwrap_or_default(), &expected).map(Some)
}

/// Uses a proof up; false = it was used before.
///
/// # Errors
/// The store does not answer: whether it was used is not known, so it counts for nothing.
pub async fn use_up(serving: &Serving, proof: &Proof, now: u64) -> Result<bool, StoreError> {
    let id = format!("dpop {}", proof.id);
    serving.browser.once.use_up(&id, proof.until, now).await
}

/// A nonce for the next proof, where one is wanted.
pub fn nonce(serving: &Serving, now: u64) -> Option<HeaderValue> {
    if !serving.tokens.issuer.dpop().nonce {
        return None;
    }
    let until = now.saturating_add(LIFE);
    let sealed = serving.browser.sealer.seal(PURPOSE, until, &())?;
    HeaderValue::try_from(sealed).ok()
}

/// The challenge of who takes tokens with a proof (RFC 9449 section 7.1); `error` = what is wrong
/// with what was shown.
pub fn challenge(error: Option<&'static str>) -> HeaderValue {
    let error = error
        .map(|error| format!(" error=\"{error}\","))
        .unwrap_or_default();
    let algorithms = Algorithm::ALL.map(Algorithm::name).join(" ");
    let text = format!("DPoP{error} algs=\"{algorithms}\"");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("DPoP"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::admin::tests::serving;

    #[test]
    fn challenge_names_the_algorithms_and_what_is_wrong() {
        let algs = "algs=\"RS256 RS384 RS512 PS256 ES256 ES384 EdDSA\"";
        assert_eq!(challenge(None), format!("DPoP {algs}"));
        let wrong = challenge(Some("invalid_token"));
        assert_eq!(wrong, format!("DPoP error=\"invalid_token\", {algs}"));
    }

    #[test]
    fn request_without_the_header_has_no_proof_and_two_are_none() {
        let serving = serving();
        let asked = Asked {
            method: "POST",
            path: "/oauth2/token",
            token: None,
            now: 0,
        };
        let mut headers = HeaderMap::new();
        assert_eq!(proof(&serving, &headers, &asked), Ok(None));
        headers.append(HEADER, HeaderValue::from_static("a.b.c"));
        headers.append(HEADER, HeaderValue::from_static("a.b.c"));
        let refused = proof(&serving, &headers, &asked);
        assert_eq!(refused, Err(NotProved::Several));
        assert_eq!(nonce(&serving, 0), None, "nobody asked for one");
    }
}
