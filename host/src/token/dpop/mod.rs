//! Proofs that a client has a key (DPoP, RFC 9449 section 4.3): a JWT about one request, signed
//! with the key that stands in its own header. [`check`] is a pure function of the text and of
//! what it must be about; that a proof is good once is its caller's to see to, by [`Proof::id`].

mod refusal;
mod target;
#[cfg(test)]
mod tests;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_verify::{Algorithm, Jws, Key, thumbprint};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::keys::PublicKey;

pub use refusal::NotProved;

/// `typ` of a proof.
const TYPE: &str = "dpop+jwt";

/// A longer proof is none: one by the longest key that is taken has half of this.
const LONGEST: usize = 8 * 1024;

/// A longer `jti` is refused.
const LONGEST_ID: usize = 256;

/// Seconds for which a proof is good: it is made for one request, and sent at once.
pub const LIFE: u64 = 60;

/// Seconds that its client's clock may be ahead of ours.
pub const AHEAD: u64 = 10;

/// What a proof must be about.
pub struct Expected<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// Its address, as clients reach it.
    pub url: &'a str,
    /// The access token that is shown beside it; none = none is.
    pub token: Option<&'a str>,
    /// Is this nonce one that was given to clients, and good still? None = no proof needs one.
    pub nonce: Option<&'a dyn Fn(&str) -> bool>,
    /// Seconds since 1970.
    pub now: u64,
}

/// A proof that holds, if it was not shown before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of the key (RFC 7638): what a token says in `cnf.jkt`.
    pub key: String,
    /// The name of this one proof, among all of all keys.
    pub id: String,
    /// When nobody would take it any more, in seconds since 1970.
    pub until: u64,
}

/// Checks a proof.
///
/// # Errors
/// [`NotProved`]: the rule of RFC 9449 section 4.3 that it breaks.
pub fn check(proof: &str, expected: &Expected<'_>) -> Result<Proof, NotProved> {
    if proof.len() > LONGEST {
        return Err(NotProved::Size);
    }
    let jws = Jws::parse(proof).map_err(NotProved::Jws)?;
    if jws.header().typ.as_deref() != Some(TYPE) {
        return Err(NotProved::Type);
    }
    let jwk = jws.header().members.get("jwk").ok_or(NotProved::NoKey)?;
    let key = Key::parse(jwk).map_err(NotProved::Key)?;
    jws.verify_with(&key, &Algorithm::ALL)
        .map_err(NotProved::Jws)?;
    if !is_canonical(jwk) {
        return Err(NotProved::Spelling);
    }
    let claims = jws.claims().map_err(NotProved::Jws)?;
    let id = text(&claims, "jti")?;
    if id.len() > LONGEST_ID {
        return Err(NotProved::Claim("jti"));
    }
    if text(&claims, "htm")? != expected.method {
        return Err(NotProved::Method);
    }
    if !target::is_same(text(&claims, "htu")?, expected.url) {
        return Err(NotProved::Target);
    }
    let issued = check_time(&claims, expected.now)?;
    if let Some(token) = expected.token {
        check_token(text(&claims, "ath")?, token)?;
    }
    if let Some(is_ours) = expected.nonce {
        let nonce = claims.get("nonce").and_then(Value::as_str);
        if !is_ours(nonce.ok_or(NotProved::NoNonce)?) {
            return Err(NotProved::Nonce);
        }
    }
    let key = thumbprint(jwk).map_err(NotProved::Key)?;
    Ok(Proof {
        id: hex(&Sha256::digest(format!("{key}\n{id}"))),
        until: issued.saturating_add(LIFE + 1),
        key,
    })
}

/// Is it the thumbprint of any key, as `dpop_jkt` names one (RFC 9449 section 10)?
pub fn is_thumbprint(text: &str) -> bool {
    let digest = URL_SAFE_NO_PAD.decode(text);
    digest.is_ok_and(|digest| digest.len() == 32)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, NotProved> {
    let text = claims.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or(NotProved::Claim(name))
}

/// When it was made, which must have been just now.
fn check_time(claims: &Map<String, Value>, now: u64) -> Result<u64, NotProved> {
    let issued = claims.get("iat").and_then(Value::as_f64);
    let issued = issued.filter(|at| (0.0..=9e15).contains(at));
    // A whole number in the range that a float holds exactly.
    let issued = issued.ok_or(NotProved::Claim("iat"))?.floor() as u64;
    match issued {
        at if at.saturating_add(LIFE) < now => Err(NotProved::Old(now - at)),
        at if at > now.saturating_add(AHEAD) => Err(NotProved::Future(at - now)),
        at => Ok(at),
    }
}

/// `ath`: the digest of the token (RFC 9449 section 4.2).
fn check_token(said: &str, token: &str) -> Result<(), NotProved> {
    let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(token));
    let same = verify_slices_are_equal(said.as_bytes(), digest.as_bytes());
    same.map_err(|_| NotProved::Token)
}

/// Is the key written in the one way that RFC 7518 section 6.3.1 has? A second spelling would be
/// a second thumbprint.
fn is_canonical(jwk: &Value) -> bool {
    let number = |name: &str| {
        let text = jwk.get(name).and_then(Value::as_str);
        text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
    };
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => match (number("n"), number("e")) {
            (Some(n), Some(e)) => {
                let canonical = PublicKey::rsa(&n, &e).thumbprint();
                thumbprint(jwk).is_ok_and(|said| said == canonical)
            }
            _ => false,
        },
        // Of the others the parser takes no other width.
        _ => true,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
