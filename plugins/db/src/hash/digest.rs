//! The digests under PBKDF2 and the salted LDAP schemes.

use pbkdf2::pbkdf2_hmac_array;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// The digests, by their names in Python's hashlib.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    pub(super) fn parse(name: &str) -> Option<Self> {
        [
            Self::Sha1,
            Self::Sha224,
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
        ]
        .into_iter()
        .find(|digest| digest.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Digest::Sha1 => "sha1",
            Digest::Sha224 => "sha224",
            Digest::Sha256 => "sha256",
            Digest::Sha384 => "sha384",
            Digest::Sha512 => "sha512",
        }
    }

    /// In bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Digest::Sha1 => 20,
            Digest::Sha224 => 28,
            Digest::Sha256 => 32,
            Digest::Sha384 => 48,
            Digest::Sha512 => 64,
        }
    }

    /// A key as long as the digest, as all writers derive it.
    pub(super) fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
        match self {
            Digest::Sha1 => pbkdf2_hmac_array::<Sha1, 20>(password, salt, iterations).to_vec(),
            Digest::Sha224 => pbkdf2_hmac_array::<Sha224, 28>(password, salt, iterations).to_vec(),
            Digest::Sha256 => pbkdf2_hmac_array::<Sha256, 32>(password, salt, iterations).to_vec(),
            Digest::Sha384 => pbkdf2_hmac_array::<Sha384, 48>(password, salt, iterations).to_vec(),
            Digest::Sha512 => pbkdf2_hmac_array::<Sha512, 64>(password, salt, iterations).to_vec(),
        }
    }

    /// The digest of the password and then the salt.
    pub(super) fn salted(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        let both = [password, salt].concat();
        match self {
            Digest::Sha1 => Sha1::digest(both).to_vec(),
            Digest::Sha224 => Sha224::digest(both).to_vec(),
            Digest::Sha256 => Sha256::digest(both).to_vec(),
            Digest::Sha384 => Sha384::digest(both).to_vec(),
            Digest::Sha512 => Sha512::digest(both).to_vec(),
        }
    }
}
