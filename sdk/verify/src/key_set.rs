//! A JWK set (RFC 7517 section 5): the keys of one issuer that are fit to verify with,
//! and which others it has and why they are left out.

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use crate::json::{self, Fault, Limits};
use crate::{Algorithm, Key, KeyRefusal, Refusal};

/// A set may be this long.
pub(crate) const SET_LIMIT: usize = 1 << 20;
/// A set may have this many keys.
const KEYS: usize = 128;

const LIMITS: Limits = Limits {
    depth: 8,
    values: 8192,
};

/// Keys to verify with. Never empty.
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    refused: Vec<RefusedKey>,
}

/// A key that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedKey {
    /// Its place in the set, from 0.
    pub index: usize,
    /// Its name, cut to 64 characters; it may hold anything: escape it where it is printed.
    pub kid: Option<String>,
    /// Why.
    pub reason: KeyRefusal,
}

/// Why a set cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum KeySetError {
    #[error("the key set is larger than 1 MiB")]
    Size,
    #[error("the key set is not JSON in UTF-8")]
    Json,
    #[error("the key set names a member twice")]
    Duplicate,
    #[error("the key set is nested too deeply or has too many members")]
    Limits,
    #[error("the key set is no object with a list of keys (RFC 7517 section 5)")]
    Shape,
    #[error("the key set has {0} keys, more than 128")]
    TooMany(usize),
    #[error("the key set has no key that can be used{}", Listed(.0))]
    NoUsableKey(Vec<RefusedKey>),
}

impl KeySet {
    /// Parses a document. Keys that are not fit are left out and told by [`KeySet::refused`].
    /// Where two keys for signatures have one `kid`, neither is used: nobody can tell which
    /// is meant.
    ///
    /// # Errors
    /// Not a key set; too large; no key left.
    pub fn parse(document: &[u8]) -> Result<KeySet, KeySetError> {
        if document.len() > SET_LIMIT {
            return Err(KeySetError::Size);
        }
        let set = json::object(document, LIMITS).map_err(|fault| match fault {
            Fault::Syntax => KeySetError::Json,
            Fault::NotObject => KeySetError::Shape,
            Fault::Duplicate => KeySetError::Duplicate,
            Fault::Depth | Fault::Values => KeySetError::Limits,
        })?;
        let jwks = set.get("keys").and_then(Value::as_array);
        let jwks = jwks.ok_or(KeySetError::Shape)?;
        if jwks.len() > KEYS {
            return Err(KeySetError::TooMany(jwks.len()));
        }
        let mut names: HashMap<&str, usize> = HashMap::new();
        let parsed: Vec<_> = jwks.iter().map(|jwk| (jwk, Key::parse(jwk))).collect();
        for (jwk, key) in &parsed {
            // Keys for other purposes may share a name with one for signatures.
            if !matches!(key, Err(KeyRefusal::Use | KeyRefusal::Operations)) {
                *names.entry(name(jwk).unwrap_or_default()).or_default() += 1;
            }
        }
        let mut keys = Vec::new();
        let mut refused = Vec::new();
        for (index, (jwk, key)) in parsed.into_iter().enumerate() {
            let twice = name(jwk).is_some_and(|kid| names.get(kid).is_some_and(|count| *count > 1));
            let reason = match key {
                Ok(_) if twice => KeyRefusal::DuplicateKid,
                Ok(key) => {
                    keys.push(key);
                    continue;
                }
                Err(reason) => reason,
            };
            let kid = name(jwk).map(|kid| kid.chars().take(64).collect());
            refused.push(RefusedKey { index, kid, reason });
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey(refused));
        }
        Ok(KeySet { keys, refused })
    }

    /// The keys that are used.
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The keys that are left out.
    pub fn refused(&self) -> &[RefusedKey] {
        &self.refused
    }

    /// Is there a usable key of this name?
    pub fn has(&self, kid: &str) -> bool {
        self.keys.iter().any(|key| key.kid() == Some(kid))
    }

    /// The key of a name, for an algorithm. Without a name: the only key for the algorithm.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Refusal> {
        let fits = |key: &&Key| key.algorithms().any(|known| known == algorithm);
        if let Some(kid) = kid {
            let key = self.keys.iter().find(|key| key.kid() == Some(kid));
            let key = key.ok_or(Refusal::KidUnknown)?;
            return Some(key).filter(fits).ok_or(Refusal::KeyMismatch);
        }
        let mut fitting = self.keys.iter().filter(fits);
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(Refusal::KidMissing),
        }
    }
}

fn name(jwk: &Value) -> Option<&str> {
    jwk.get("kid").and_then(Value::as_str)
}

impl fmt::Display for RefusedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "key {} (kid {kid:?}): {}", self.index, self.reason),
            None => write!(f, "key {}: {}", self.index, self.reason),
        }
    }
}

/// The first few of a list, in one line.
struct Listed<'a>(&'a [RefusedKey]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().take(3).enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            write!(f, "{key}")?;
        }
        Ok(())
    }
}
