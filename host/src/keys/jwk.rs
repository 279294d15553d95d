//! Public keys as the world sees them: JWK (RFC 7517, 7518, 8037) and thumbprint (RFC 7638).
//!
//! A type of our own rather than jsonwebtoken's: that one can also hold a symmetric key and any
//! further member, this one has no place for anything secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::kind::Kind;
use crate::config::shapes::Algorithm;

/// A public key by its members, all base64url without padding; RSA numbers without leading zero,
/// EC coordinates at full width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
pub enum PublicKey {
    /// RSA: modulus and exponent.
    #[serde(rename = "RSA")]
    Rsa {
        /// Modulus.
        n: String,
        /// Exponent.
        e: String,
    },
    /// A point on P-256 or P-384.
    #[serde(rename = "EC")]
    Ec {
        /// `P-256` or `P-384`.
        crv: Curve,
        /// First coordinate.
        x: String,
        /// Second coordinate.
        y: String,
    },
    /// An Ed25519 key.
    #[serde(rename = "OKP")]
    Okp {
        /// `Ed25519`.
        crv: Edwards,
        /// The key.
        x: String,
    },
}

/// The curves of ES256 and ES384.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Curve {
    /// NIST P-256.
    #[serde(rename = "P-256")]
    P256,
    /// NIST P-384.
    #[serde(rename = "P-384")]
    P384,
}

/// The curve of EdDSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Edwards {
    /// Ed25519 (RFC 8037).
    Ed25519,
}

/// What a published key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyUse {
    /// Signatures.
    Sig,
}

/// A public key with its name and its one algorithm, ready for a JWKS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The key itself.
    #[serde(flatten)]
    pub key: PublicKey,
    /// Key id, as in the header of every token that it verifies.
    pub kid: String,
    /// The one algorithm that it is used with.
    pub alg: Algorithm,
    /// Always `sig`.
    #[serde(rename = "use")]
    pub key_use: KeyUse,
}

impl Jwk {
    /// Names a key.
    pub fn new(key: PublicKey, kid: impl Into<String>, alg: Algorithm) -> Jwk {
        Jwk {
            key,
            kid: kid.into(),
            alg,
            key_use: KeyUse::Sig,
        }
    }
}

impl PublicKey {
    /// From big-endian modulus and exponent, with or without leading zeros.
    pub fn rsa(n: &[u8], e: &[u8]) -> PublicKey {
        PublicKey::Rsa {
            n: number(n),
            e: number(e),
        }
    }

    /// From an uncompressed point (SEC 1: `04`, x, y); `None` if it has another length or form.
    pub fn ec(crv: Curve, point: &[u8]) -> Option<PublicKey> {
        let width = match crv {
            Curve::P256 => 32,
            Curve::P384 => 48,
        };
        let (4, coordinates) = point.split_first()? else {
            return None;
        };
        if coordinates.len() != 2 * width {
            return None;
        }
        let (x, y) = coordinates.split_at(width);
        Some(PublicKey::Ec {
            crv,
            x: base64url(x),
            y: base64url(y),
        })
    }

    /// From the 32 bytes of RFC 8032.
    pub fn ed25519(x: &[u8; 32]) -> PublicKey {
        PublicKey::Okp {
            crv: Edwards::Ed25519,
            x: base64url(x),
        }
    }

    /// The SHA-256 thumbprint of RFC 7638, base64url: a name that follows from the key alone, the
    /// same after every restart and in every replica.
    pub fn thumbprint(&self) -> String {
        // The required members in lexical order, without white space: RFC 7638 section 3.
        let members = match self {
            PublicKey::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            PublicKey::Ec {
                crv: Curve::P256,
                x,
                y,
            } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            PublicKey::Ec {
                crv: Curve::P384,
                x,
                y,
            } => format!(r#"{{"crv":"P-384","kty":"EC","x":"{x}","y":"{y}"}}"#),
            PublicKey::Okp {
                crv: Edwards::Ed25519,
                x,
            } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        base64url(&Sha256::digest(members))
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            PublicKey::Rsa { .. } => Kind::Rsa,
            PublicKey::Ec {
                crv: Curve::P256, ..
            } => Kind::P256,
            PublicKey::Ec {
                crv: Curve::P384, ..
            } => Kind::P384,
            PublicKey::Okp { .. } => Kind::Ed25519,
        }
    }
}

fn number(big_endian: &[u8]) -> String {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    base64url(&big_endian[zeros..])
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn thumbprint_of_rfc_7638_section_3_1_is_as_printed_there() {
        let key = PublicKey::Rsa {
            n: concat!(
                "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs",
                "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI",
                "SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
            )
            .into(),
            e: "AQAB".into(),
        };
        assert_eq!(
            key.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
    }

    #[test]
    fn thumbprint_of_rfc_8037_a_3_is_as_printed_there() {
        let key = PublicKey::Okp {
            crv: Edwards::Ed25519,
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".into(),
        };
        assert_eq!(
            key.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn k01_rsa_numbers_with_leading_zeros_are_canonical() {
        let PublicKey::Rsa { n, e } = PublicKey::rsa(&[0, 0, 0xAB, 0xCD], &[0, 1, 0, 1]) else {
            panic!()
        };
        assert_eq!((n.as_str(), e.as_str()), ("q80", "AQAB"));
    }

    #[test]
    fn k02_ec_coordinates_that_begin_with_zero_keep_their_width() {
        let mut point = vec![4];
        point.extend([0; 32]);
        point.extend([7; 32]);
        let Some(PublicKey::Ec { x, y, .. }) = PublicKey::ec(Curve::P256, &point) else {
            panic!()
        };
        assert_eq!(URL_SAFE_NO_PAD.decode(x).unwrap(), [0; 32]);
        assert_eq!(URL_SAFE_NO_PAD.decode(y).unwrap(), [7; 32]);
        assert!(PublicKey::ec(Curve::P384, &point).is_none());
        assert!(PublicKey::ec(Curve::P256, &point[..33]).is_none());
        assert!(PublicKey::ec(Curve::P256, &[]).is_none());
    }

    #[test]
    fn jwk_as_json_has_exactly_the_public_members() {
        let jwk = Jwk::new(PublicKey::rsa(&[0xAB], &[1, 0, 1]), "k1", Algorithm::RS256);
        let text = serde_json::to_string(&jwk).unwrap();
        assert_eq!(
            text,
            r#"{"kty":"RSA","n":"qw","e":"AQAB","kid":"k1","alg":"RS256","use":"sig"}"#
        );
        assert_eq!(serde_json::from_str::<Jwk>(&text).unwrap(), jwk);
    }
}
