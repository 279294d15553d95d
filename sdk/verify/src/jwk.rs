//! Public keys (RFC 7517, RFC 7518 section 6, RFC 8037), and which of them are fit to
//! verify with.
//!
//! Kept: RSA of 2048 to 8192 bits with an odd exponent from 65537 up; points of P-256
//! and P-384 at full width; Ed25519. Padding and leading zeros of RSA numbers are
//! forgiven, since OpenMetadata publishes them. A key that names no `alg` serves every
//! algorithm of its kind, and the caller's list decides.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RsaPublicKeyComponents,
};
use serde_json::{Map, Value};

use crate::{Algorithm, base64url, ed25519};

/// A public key, parsed once, with the algorithms that it verifies.
#[derive(Debug, Clone)]
pub struct Key {
    kid: Option<String>,
    verifiers: Vec<(Algorithm, ParsedPublicKey)>,
}

/// Why a key of a set is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum KeyRefusal {
    #[error("it is no JSON object")]
    NotObject,
    #[error("its {0} is missing or not a text")]
    Member(&'static str),
    #[error("it is symmetric: who can verify with it can sign with it")]
    Symmetric,
    #[error("its kty is none of RSA, EC, OKP")]
    Type,
    #[error("its crv is not one for its kty (EC: P-256, P-384; OKP: Ed25519)")]
    Curve,
    #[error("its use is not sig")]
    Use,
    #[error("its key_ops do not have verify")]
    Operations,
    #[error("it holds private members: whoever reads the set can sign")]
    Private,
    #[error("its alg is unknown, or not one for a key of its kind")]
    Algorithm,
    #[error("its {0} is not base64url")]
    Base64url(&'static str),
    #[error("its modulus has {0} bits, not 2048 to 8192")]
    ModulusSize(usize),
    #[error("its modulus is even")]
    ModulusEven,
    #[error("its exponent is not an odd number from 65537 to 2^32 - 1")]
    Exponent,
    #[error("its coordinates have not the width of its curve")]
    Width,
    #[error("it is no point of its curve")]
    Point,
    #[error("it is a point of small order, or one written in a second way")]
    SmallOrder,
    #[error("another key of the set has the same kid")]
    DuplicateKid,
}

impl Key {
    /// Parses one JWK.
    ///
    /// # Errors
    /// The rule of this module that the key breaks.
    pub fn parse(jwk: &Value) -> Result<Key, KeyRefusal> {
        let jwk = jwk.as_object().ok_or(KeyRefusal::NotObject)?;
        for_verification(jwk)?;
        let kid = match jwk.get("kid") {
            None => None,
            Some(kid) => Some(kid.as_str().ok_or(KeyRefusal::Member("kid"))?.to_owned()),
        };
        let fitting = match text(jwk, "kty")? {
            "RSA" => rsa(jwk)?,
            "EC" => point(jwk)?,
            "OKP" => edwards(jwk)?,
            "oct" => return Err(KeyRefusal::Symmetric),
            _ => return Err(KeyRefusal::Type),
        };
        Ok(Key {
            kid,
            verifiers: named(jwk, fitting)?,
        })
    }

    /// Its name, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The algorithms that it verifies: one, if it names one.
    pub fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        self.verifiers.iter().map(|(algorithm, _)| *algorithm)
    }

    /// Is this the signature of the message? `false`, too, where the key is not for the algorithm.
    pub fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if algorithm == Algorithm::EdDSA && !ed25519::begins_soundly(signature) {
            return false;
        }
        let mut verifiers = self.verifiers.iter();
        verifiers
            .find(|(known, _)| *known == algorithm)
            .is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok())
    }
}

/// What a key says about its purpose (RFC 7517 sections 4.2, 4.3) comes before its numbers.
fn for_verification(jwk: &Map<String, Value>) -> Result<(), KeyRefusal> {
    if jwk.get("use").is_some_and(|purpose| purpose != "sig") {
        return Err(KeyRefusal::Use);
    }
    let may_verify = |operations: &Value| {
        let mut each = operations.as_array().into_iter().flatten();
        each.any(|operation| operation == "verify")
    };
    if !jwk.get("key_ops").is_none_or(may_verify) {
        return Err(KeyRefusal::Operations);
    }
    if jwk.get("kty").is_some_and(|kind| kind == "oct") {
        return Err(KeyRefusal::Symmetric);
    }
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
    if private.iter().any(|member| jwk.contains_key(*member)) {
        return Err(KeyRefusal::Private);
    }
    Ok(())
}

type Verifiers = Vec<(Algorithm, ParsedPublicKey)>;

/// Of the algorithms that fit the key, those that its `alg` leaves.
fn named(jwk: &Map<String, Value>, fitting: Verifiers) -> Result<Verifiers, KeyRefusal> {
    let Some(alg) = jwk.get("alg") else {
        return Ok(fitting);
    };
    let alg = alg.as_str().and_then(|name| name.parse().ok());
    let alg: Algorithm = alg.ok_or(KeyRefusal::Algorithm)?;
    let mut fitting = fitting.into_iter();
    let one = fitting.find(|(algorithm, _)| *algorithm == alg);
    Ok(vec![one.ok_or(KeyRefusal::Algorithm)?])
}

fn rsa(jwk: &Map<String, Value>) -> Result<Verifiers, KeyRefusal> {
    let number = |name| base64url::number(text(jwk, name)?).ok_or(KeyRefusal::Base64url(name));
    let (n, e) = (number("n")?, number("e")?);
    let leading = n.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = n.len() * 8 - leading;
    if !(2048..=8192).contains(&bits) {
        return Err(KeyRefusal::ModulusSize(bits));
    }
    if n.last().is_none_or(|last| last % 2 == 0) {
        return Err(KeyRefusal::ModulusEven);
    }
    let exponent = e.iter().fold(0_u64, |value, byte| {
        value.saturating_mul(256) | u64::from(*byte)
    });
    if exponent < 65_537 || exponent > u64::from(u32::MAX) || exponent % 2 == 0 {
        return Err(KeyRefusal::Exponent);
    }
    let components = RsaPublicKeyComponents { n, e };
    let kinds = [
        (Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::RS384, &RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::RS512, &RSA_PKCS1_2048_8192_SHA512),
        (Algorithm::PS256, &RSA_PSS_2048_8192_SHA256),
    ];
    let parsed = kinds.map(|(algorithm, parameters)| {
        let key = components.to_parsed_public_key(parameters);
        Ok((algorithm, key.map_err(|_| KeyRefusal::ModulusSize(bits))?))
    });
    parsed.into_iter().collect()
}

fn point(jwk: &Map<String, Value>) -> Result<Verifiers, KeyRefusal> {
    let (algorithm, parameters, width) = match text(jwk, "crv")? {
        "P-256" => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED, 48),
        _ => return Err(KeyRefusal::Curve),
    };
    let (x, y) = (coordinate(jwk, "x", width)?, coordinate(jwk, "y", width)?);
    // SEC 1 section 2.3.3: an uncompressed point. Parsing checks that it is on the curve.
    let point = [&[4], x.as_slice(), &y].concat();
    let key = ParsedPublicKey::new(parameters, point).map_err(|_| KeyRefusal::Point)?;
    Ok(vec![(algorithm, key)])
}

fn edwards(jwk: &Map<String, Value>) -> Result<Verifiers, KeyRefusal> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err(KeyRefusal::Curve);
    }
    let x = coordinate(jwk, "x", 32)?;
    let bytes: [u8; 32] = x.try_into().map_err(|_| KeyRefusal::Width)?;
    if !ed25519::is_sound(&bytes) {
        return Err(KeyRefusal::SmallOrder);
    }
    let key = ParsedPublicKey::new(&ED25519, bytes).map_err(|_| KeyRefusal::Point)?;
    Ok(vec![(Algorithm::EdDSA, key)])
}

fn coordinate(
    jwk: &Map<String, Value>,
    name: &'static str,
    width: usize,
) -> Result<Vec<u8>, KeyRefusal> {
    let bytes = base64url::strict(text(jwk, name)?).ok_or(KeyRefusal::Base64url(name))?;
    if bytes.len() == width {
        Ok(bytes)
    } else {
        Err(KeyRefusal::Width)
    }
}

fn text<'a>(jwk: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, KeyRefusal> {
    let member = jwk.get(name).and_then(Value::as_str);
    member.ok_or(KeyRefusal::Member(name))
}
