//! What is remembered of a ring's keys: plain data, the same in a folder as in the store.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Jwk;
use super::list::KeyState;

const VERSION: u32 = 1;

/// The keys of one ring, and what is remembered of all keys ever published in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Index {
    version: u32,
    pub(super) keys: Vec<Entry>,
    /// Key id → thumbprint, of every key ever published here: operators' files and others' keys included.
    pub(super) known: BTreeMap<String, String>,
    /// The id of the key of `keys.private_key` that was taken up last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) configured: Option<String>,
    /// The ids of keys that were revoked: they never come back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) revoked: BTreeSet<String>,
}

/// One key. All times are seconds since 1970.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) state: KeyState,
    /// When it was made, or taken up.
    pub(super) created: i64,
    /// Since when it is published; none = not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published: Option<i64>,
    /// Since when it signs, or did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) activated: Option<i64>,
    /// Since when it signs no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retired: Option<i64>,
    /// The longest lifetime that was configured while it signed, in seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) longest: u64,
    /// The operator's own file that its private half is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) file: Option<PathBuf>,
    /// In the store: the private half, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<String>,
    pub(super) jwk: Jwk,
}

impl Default for Index {
    fn default() -> Self {
        Index {
            version: VERSION,
            keys: Vec::new(),
            known: BTreeMap::new(),
            configured: None,
            revoked: BTreeSet::new(),
        }
    }
}

impl Entry {
    /// A key that nothing has happened to yet.
    pub(super) fn new(state: KeyState, now: i64, jwk: Jwk) -> Entry {
        Entry {
            state,
            created: now,
            published: None,
            activated: None,
            retired: None,
            longest: 0,
            file: None,
            sealed: None,
            jwk,
        }
    }
}

impl Index {
    /// Reads an index; the error says what is wrong with it.
    pub(super) fn parse(bytes: &[u8]) -> Result<Index, String> {
        let index: Index = serde_json::from_slice(bytes)
            .map_err(|error| format!("not an index of keys: {error}"))?;
        if index.version != VERSION {
            return Err(format!(
                "version {} of the index, expected {VERSION}",
                index.version
            ));
        }
        let keys = index.keys.iter();
        let mut active = keys.filter(|entry| entry.state == KeyState::Active);
        let mut seen = HashSet::new();
        if !active.all(|entry| seen.insert(entry.jwk.alg)) {
            return Err("more than one active key for an algorithm".into());
        }
        for Entry { jwk, .. } in &index.keys {
            if index.known.get(&jwk.kid) != Some(&jwk.key.thumbprint()) {
                return Err(format!(
                    "key {:?} is not the one that was published under this id",
                    jwk.kid
                ));
            }
        }
        Ok(index)
    }

    /// The key of this id.
    pub(super) fn find(&self, kid: &str) -> Option<&Entry> {
        self.keys.iter().find(|entry| entry.jwk.kid == kid)
    }

    /// Was this key revoked, under whichever id?
    pub(super) fn is_revoked(&self, jwk: &Jwk) -> bool {
        let thumbprint = jwk.key.thumbprint();
        let mut revoked = self.revoked.iter();
        revoked.any(|kid| *kid == jwk.kid || self.known.get(kid) == Some(&thumbprint))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &u64) -> bool {
    *value == 0
}
