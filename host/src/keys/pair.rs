//! A private key, parsed: the one place where private bytes turn into something that signs.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RsaKeyPair,
};
use zeroize::Zeroizing;

use super::jwk::{Curve, PublicKey};
use super::kind::Kind;

/// A key pair with everything that the crypto library computes ahead. `Debug` tells its kind alone.
pub(super) enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Why bytes are no usable private key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// RSA below 2048 bits.
    TooSmall,
    /// Nothing that we know.
    Unknown,
}

impl Pair {
    /// From DER of any usual form: PKCS#8, PKCS#1, SEC1; Ed25519 as PKCS#8 v1 or v2. The first
    /// that parses names the kind: openssl writes the older forms where one expects PKCS#8.
    pub(super) fn from_der(der: &[u8]) -> Result<Pair, Rejected> {
        match RsaKeyPair::from_pkcs8(der)
            .or_else(|first| RsaKeyPair::from_der(der).map_err(|second| reason([first, second])))
        {
            Ok(pair) => return Ok(Pair::Rsa(pair)),
            Err(Rejected::TooSmall) => return Err(Rejected::TooSmall),
            Err(Rejected::Unknown) => {}
        }
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, der)
        {
            return Ok(Pair::P256(pair));
        }
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, der)
        {
            return Ok(Pair::P384(pair));
        }
        Ed25519KeyPair::from_pkcs8(der)
            .map(Pair::Ed25519)
            .map_err(|_| Rejected::Unknown)
    }

    /// A new key; RSA has 2048 bits and may take a second.
    pub(super) fn generate(kind: Kind) -> Result<Pair, Unspecified> {
        Ok(match kind {
            Kind::Rsa => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
            Kind::P256 => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            Kind::P384 => Pair::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?),
            Kind::Ed25519 => Pair::Ed25519(Ed25519KeyPair::generate()?),
        })
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Pair::Rsa(_) => Kind::Rsa,
            Pair::P256(_) => Kind::P256,
            Pair::P384(_) => Kind::P384,
            Pair::Ed25519(_) => Kind::Ed25519,
        }
    }

    /// The public half, from the parsed key and never from file bytes.
    pub(super) fn public(&self) -> Option<PublicKey> {
        match self {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                Some(PublicKey::rsa(
                    public.modulus().big_endian_without_leading_zero(),
                    public.exponent().big_endian_without_leading_zero(),
                ))
            }
            Pair::P256(pair) => PublicKey::ec(Curve::P256, pair.public_key().as_ref()),
            Pair::P384(pair) => PublicKey::ec(Curve::P384, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => pair
                .public_key()
                .as_ref()
                .try_into()
                .ok()
                .map(PublicKey::ed25519),
        }
    }

    /// PKCS#8 version 1, DER: what OpenMetadata, Java and openssl read.
    pub(super) fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let bytes = match self {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der>::as_der(pair)?.as_ref().to_vec(),
            Pair::P256(pair) | Pair::P384(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Pair::Ed25519(pair) => AsDer::<Pkcs8V1Der>::as_der(pair)?.as_ref().to_vec(),
        };
        Ok(Zeroizing::new(bytes))
    }

    /// The public half as X.509 SubjectPublicKeyInfo, DER.
    pub(super) fn to_spki(&self) -> Result<Vec<u8>, Unspecified> {
        let der: PublicKeyX509Der<'static> = match self {
            Pair::Rsa(pair) => pair.public_key().as_der()?,
            Pair::P256(pair) | Pair::P384(pair) => pair.public_key().as_der()?,
            Pair::Ed25519(pair) => pair.public_key().as_der()?,
        };
        Ok(der.as_ref().to_vec())
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} key pair", self.kind())
    }
}

/// The reason in the library's refusals, which is public only as text.
fn reason(refusals: [KeyRejected; 2]) -> Rejected {
    if refusals
        .iter()
        .any(|refusal| refusal.to_string() == "TooSmall")
    {
        Rejected::TooSmall
    } else {
        Rejected::Unknown
    }
}
