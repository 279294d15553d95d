//! What can be wrong with keys. No variant can hold a byte of a private key.

use std::io;
use std::path::PathBuf;

use crate::config::shapes::Algorithm;

/// Why a key cannot be used; the process ends with exit code 74.
/// `Display` names the file, what was expected and what was found; [`KeyError::help`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file or folder cannot be made or written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A folder, a pipe or a device where a file was expected.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
    /// More bytes than any key has.
    #[error("{} is larger than {limit} bytes: not a key", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most that is read, in bytes.
        limit: u64,
    },
    /// Someone other than the process and its groups may read or write a private key or its folder.
    #[error("{} is open to others (mode {mode:04o})", path.display())]
    Exposed {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A private key under a passphrase.
    #[error("the private key in {} is encrypted", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else than a key of the expected half.
    #[error("expected a {expected} key in {}, found {found}", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
        /// `private` or `public`.
        expected: &'static str,
        /// What the file holds instead.
        found: String,
    },
    /// A key, but of a kind that none of our algorithms takes.
    #[error("{} holds {found}, which no supported algorithm signs with", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What kind of key it is.
        found: &'static str,
    },
    /// An RSA key of fewer than 2048 bits (RFC 7518 section 3.3).
    #[error("the RSA key in {} has fewer than 2048 bits", path.display())]
    TooSmall {
        /// The file.
        path: PathBuf,
    },
    /// Key and algorithm do not go together.
    #[error("{algorithm:?} needs an {expected} key, but {} holds an {found} key", path.display())]
    Algorithm {
        /// The file.
        path: PathBuf,
        /// `keys.algorithm`.
        algorithm: Algorithm,
        /// The kind that the algorithm needs.
        expected: String,
        /// The kind that the file holds.
        found: String,
    },
    /// `keys.public_key` is not the public half of `keys.private_key`.
    #[error(
        "{} (thumbprint {public_thumbprint}) is not the public half of {} (thumbprint {private_thumbprint})",
        public.display(), private.display()
    )]
    Mismatch {
        /// The private key file.
        private: PathBuf,
        /// RFC 7638 thumbprint of the private key's public half.
        private_thumbprint: String,
        /// The public key file.
        public: PathBuf,
        /// RFC 7638 thumbprint of the public key.
        public_thumbprint: String,
    },
    /// `keys.public_key` without `keys.private_key`.
    #[error("keys.public_key ({}) is set, but keys.private_key is not", public.display())]
    PublicAlone {
        /// The public key file.
        public: PathBuf,
    },
    /// A key id that cannot stand in a JWT header.
    #[error(
        "the key id {kid:?} is not usable: expected 1 to 256 characters without control characters"
    )]
    Kid {
        /// The key id, cut to its first 64 characters.
        kid: String,
    },
    /// Two published keys with one id: a consumer could not tell which one to verify with.
    #[error("two keys have the id {kid:?}: {} and {}", first.display(), second.display())]
    DuplicateKid {
        /// The key id.
        kid: String,
        /// Where the first key comes from.
        first: PathBuf,
        /// Where the second key comes from.
        second: PathBuf,
    },
    /// A key id that another key was published under before.
    #[error(
        "the key id {kid:?} belongs to another key: thumbprint {known} was published under it before, {} has {found}",
        path.display()
    )]
    KidReused {
        /// The key id.
        kid: String,
        /// Thumbprint of the key that had the id first.
        known: String,
        /// Thumbprint of the key that wants it now.
        found: String,
        /// Where that key comes from.
        path: PathBuf,
    },
    /// OpenMetadata's demonstration key on a server that others can reach.
    #[error("key {kid} ({}) is the demonstration key that OpenMetadata ships: everybody can sign with it", path.display())]
    Demo {
        /// The key file.
        path: PathBuf,
        /// The key id that gave it away.
        kid: String,
    },
    /// The index of the state folder's keys cannot be understood.
    #[error("{}: {reason}", path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A ring in the store that this key-encryption key does not open.
    #[error("the keys in the store (ring {name}) do not open under store.kek")]
    Sealed {
        /// The ring's name.
        name: String,
    },
    /// `store.kek` is no key.
    #[error("store.kek is no key: expected 32 bytes in base64")]
    Kek,
    /// A key of the configuration that was revoked.
    #[error("the key {kid:?} ({}) was revoked, and never signs again", path.display())]
    Revoked {
        /// Its key id.
        kid: String,
        /// Where it comes from.
        path: PathBuf,
    },
    /// A file that would have been overwritten.
    #[error("{} exists already and is never overwritten", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The crypto library could not make, encode or use a key.
    #[error("the crypto library failed with a key for {algorithm:?}")]
    Crypto {
        /// What the key is for.
        algorithm: Algorithm,
    },
}

impl KeyError {
    pub(super) fn crypto(algorithm: Algorithm) -> KeyError {
        KeyError::Crypto { algorithm }
    }

    /// What the operator can do about it, in one sentence.
    pub fn help(&self) -> String {
        match self {
            KeyError::Read { .. } => "check the path and that the user of this process may read the file".into(),
            KeyError::Write { .. } => "check that the folder exists, has room, and belongs to the user of this process".into(),
            KeyError::NotAFile { .. } => "name the key file itself".into(),
            KeyError::TooLarge { .. } => "name a file that holds one key, PEM or DER".into(),
            KeyError::Exposed { path, .. } => {
                let mode = if path.is_dir() { "700" } else { "600" };
                format!("run `chmod {mode} {}`; only the owner and a group of this process may have access", path.display())
            }
            KeyError::Encrypted { path } => format!(
                "write it without passphrase: `openssl pkcs8 -topk8 -nocrypt -in {} -out private_key.pem`, and protect the file by its permissions",
                path.display()
            ),
            KeyError::NoKey { expected: "private", .. } => {
                "give a private key as PKCS#8, PKCS#1 or SEC1, PEM or DER, such as openssl writes; `countersign keys generate` makes one".into()
            }
            KeyError::NoKey { .. } => {
                "give the public half: `openssl pkey -in private_key.pem -pubout -out public_key.pem`".into()
            }
            KeyError::Unsupported { .. } => {
                "use RSA (2048 bits or more), EC P-256, EC P-384 or Ed25519, as PKCS#8, PKCS#1, SEC1 or SPKI; `countersign keys generate` makes one".into()
            }
            KeyError::TooSmall { .. } => "make one of 2048 bits or more: `openssl genrsa -out private_key.pem 2048`".into(),
            KeyError::Algorithm { .. } => "set keys.algorithm to one that fits the key, or give a key that fits the algorithm".into(),
            KeyError::Mismatch { .. } => {
                "make the public file from the private one: `openssl pkey -in PRIVATE -pubout -outform DER -out PUBLIC`, or leave keys.public_key empty".into()
            }
            KeyError::PublicAlone { .. } => {
                "set keys.private_key too, or publish the key for others with keys.extra_public".into()
            }
            KeyError::Kid { .. } => "choose a short name, or leave it empty for the RFC 7638 thumbprint".into(),
            KeyError::DuplicateKid { .. } => "give each key an id of its own".into(),
            KeyError::KidReused { .. } => {
                "consumers remember keys by id: give the new key a new id, or restore the key that had this one".into()
            }
            KeyError::Demo { .. } => {
                "make a key of your own (`countersign keys generate`) and set keys.kid to a new id; if the key is your own already, a new id is enough".into()
            }
            KeyError::Index { path, .. } => {
                format!("restore {} and its folder from a backup; without them new keys are made and earlier tokens are refused", path.display())
            }
            KeyError::Sealed { .. } => {
                "give all hosts that share the store the same store.kek, and the one that the keys were sealed under".into()
            }
            KeyError::Kek => "make one with `openssl rand -base64 32`, and give it as a file: store.kek: { file: … }".into(),
            KeyError::Revoked { .. } => {
                "make another key, and set keys.private_key and keys.kid to it; or leave them out: the keys that were made here go on signing".into()
            }
            KeyError::Exists { .. } => "choose another name, or move the file away first".into(),
            KeyError::Crypto { .. } => "try again; if it persists, the system gives no random numbers".into(),
        }
    }
}
