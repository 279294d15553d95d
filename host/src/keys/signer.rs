//! Signing: claims in, compact JWS out, over a key that was parsed once.
//!
//! `jsonwebtoken::encode` parses the RSA key anew for each token, more than twice the cost of the
//! signature itself; so encoding is here, and jsonwebtoken gives the header's shape.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Jwk;
use super::kind::for_header;
use super::pair::Pair;
use crate::config::shapes::Algorithm::{self, *};
use crate::config::shapes::TokenType;

/// One private key with its public half, and with its headers encoded ahead.
/// `Debug` shows algorithm and id alone.
pub struct Signer {
    pair: Pair,
    jwk: Jwk,
    /// base64url of the header of each type, and the dot after it.
    jwt: String,
    access_token: String,
    /// Bytes of a signature.
    signature: usize,
}

/// The crypto library refused to sign; it gives no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the crypto library refused to sign")]
pub struct SignError;

/// A signature of any of our algorithms fits: RSA has at most 8192 bits.
const LARGEST: usize = 1024;

impl Signer {
    /// `jwk` names the public half of `pair`. A pair that its algorithm cannot use is refused.
    pub(super) fn new(pair: Pair, jwk: Jwk) -> Result<Signer, SignError> {
        let signature = match (&pair, jwk.alg) {
            (Pair::Rsa(rsa), RS256 | RS384 | RS512 | PS256) => rsa.public_modulus_len(),
            (Pair::P256(_), ES256) | (Pair::Ed25519(_), EdDSA) => 64,
            (Pair::P384(_), ES384) => 96,
            _ => return Err(SignError),
        };
        Ok(Signer {
            jwt: header(&jwk, TokenType::Jwt)?,
            access_token: header(&jwk, TokenType::AccessToken)?,
            pair,
            jwk,
            signature,
        })
    }

    /// Signs `claims`, a JSON object, as a compact JWS (RFC 7515 section 7.1):
    /// header, claims and signature in base64url, joined by dots. The header says `typ: JWT`.
    pub fn sign(&self, claims: &[u8]) -> Result<String, SignError> {
        self.sign_as(TokenType::Jwt, claims)
    }

    /// The same with another `typ` in the header.
    pub fn sign_as(&self, typ: TokenType, claims: &[u8]) -> Result<String, SignError> {
        let header = match typ {
            TokenType::Jwt => &self.jwt,
            TokenType::AccessToken => &self.access_token,
        };
        let length = header.len() + encoded(claims.len()) + 1 + encoded(self.signature);
        let mut token = String::with_capacity(length);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);

        let mut buffer = [0; LARGEST];
        let signature = buffer.get_mut(..self.signature).ok_or(SignError)?;
        self.sign_bytes(token.as_bytes(), signature)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// The algorithm in the header.
    pub fn algorithm(&self) -> Algorithm {
        self.jwk.alg
    }

    /// The key id in the header.
    pub fn kid(&self) -> &str {
        &self.jwk.kid
    }

    /// The public half, as published.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The signature of `message`, in the form that JWS wants (ECDSA: r and s side by side).
    fn sign_bytes(&self, message: &[u8], into: &mut [u8]) -> Result<(), SignError> {
        match &self.pair {
            Pair::Rsa(pair) => sign_rsa(pair, self.jwk.alg, message, into),
            Pair::P256(pair) | Pair::P384(pair) => {
                let signature = pair
                    .sign(&SystemRandom::new(), message)
                    .map_err(|_| SignError)?;
                copy(signature.as_ref(), into)
            }
            Pair::Ed25519(pair) => copy(
                pair.try_sign(message).map_err(|_| SignError)?.as_ref(),
                into,
            ),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("algorithm", &self.jwk.alg)
            .field("kid", &self.jwk.kid)
            .finish_non_exhaustive()
    }
}

fn header(jwk: &Jwk, typ: TokenType) -> Result<String, SignError> {
    let mut header = jsonwebtoken::Header::new(for_header(jwk.alg));
    header.typ = Some(typ.name().to_owned());
    header.kid = Some(jwk.kid.clone());
    let json = serde_json::to_vec(&header).map_err(|_| SignError)?;
    Ok(URL_SAFE_NO_PAD.encode(json) + ".")
}

fn sign_rsa(
    pair: &RsaKeyPair,
    algorithm: Algorithm,
    message: &[u8],
    into: &mut [u8],
) -> Result<(), SignError> {
    let padding: &'static dyn RsaEncoding = match algorithm {
        RS256 => &RSA_PKCS1_SHA256,
        RS384 => &RSA_PKCS1_SHA384,
        RS512 => &RSA_PKCS1_SHA512,
        PS256 => &RSA_PSS_SHA256,
        ES256 | ES384 | EdDSA => return Err(SignError),
    };
    pair.sign(padding, &SystemRandom::new(), message, into)
        .map_err(|_| SignError)
}

fn copy(signature: &[u8], into: &mut [u8]) -> Result<(), SignError> {
    if signature.len() != into.len() {
        return Err(SignError);
    }
    into.copy_from_slice(signature);
    Ok(())
}

/// Characters that `bytes` bytes take in base64url without padding.
fn encoded(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}
