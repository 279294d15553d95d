//! The keys in the state folder: `keys/index.json`, and `keys/<thumbprint>.pem` for each private
//! key. The index holds every public half, so that a start parses one private key and no more.
//!
//! Key files are written before the index that names them; a file that no index names is
//! ignored. Whoever changes the ring holds the lock on the state folder.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::jwk::{Jwk, PublicKey};
use super::kind::Kind;
use super::list::KeyState;
use super::pair::Pair;
use super::{KeyError, atomic, files, pem};
use crate::config::shapes::Algorithm;

/// The largest index that is read.
const LIMIT: u64 = 1 << 20;
const VERSION: u32 = 1;

/// The state folder's keys, and what is remembered of all keys ever published.
pub(super) struct Ring {
    folder: PathBuf,
    index: Index,
    changed: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    version: u32,
    keys: Vec<Entry>,
    /// Key id → thumbprint, of every key ever published here: operators' files and others' keys included.
    known: BTreeMap<String, String>,
}

/// One key of the state folder.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) state: KeyState,
    /// Seconds since 1970.
    pub(super) created: i64,
    pub(super) jwk: Jwk,
}

/// Who signs for whom: each algorithm that an audience asks for by name has an active key and a
/// standby of its own; the default audience has one pair, of `keys.algorithm` or, until a
/// rotation, of the algorithm that was configured before.
pub(super) struct Slot<'a> {
    pub(super) algorithm: Algorithm,
    /// The algorithms that audiences ask for by name.
    pub(super) named: &'a [Algorithm],
}

impl Slot<'_> {
    /// May a key for this algorithm stand here?
    fn holds(&self, algorithm: Algorithm) -> bool {
        algorithm == self.algorithm
            || !(self.named.contains(&self.algorithm) || self.named.contains(&algorithm))
    }
}

impl Ring {
    /// Reads the index; without one the ring is empty. Changes nothing.
    pub(super) fn load(state: &Path) -> Result<Ring, KeyError> {
        let folder = state.join("keys");
        let path = folder.join("index.json");
        let bytes = match files::read(&path, LIMIT) {
            Ok((bytes, _)) => bytes,
            Err(KeyError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Ring {
                    folder,
                    index: Index {
                        version: VERSION,
                        ..Index::default()
                    },
                    changed: false,
                });
            }
            Err(error) => return Err(error),
        };
        let metadata = fs::metadata(&folder).map_err(|source| KeyError::Read {
            path: folder.clone(),
            source,
        })?;
        files::check_access(&folder, &metadata)?;
        let index = parse(&bytes).map_err(|reason| KeyError::Index { path, reason })?;
        Ok(Ring {
            folder,
            index,
            changed: false,
        })
    }

    /// The keys of the folder, in the order in which they were made.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.index.keys
    }

    /// The key of a slot in `state`: one for its algorithm before any other.
    pub(super) fn find(&self, slot: &Slot<'_>, state: KeyState) -> Option<&Entry> {
        let mut fitting = self.index.keys.iter().filter(|entry| entry.state == state);
        let exact = fitting
            .clone()
            .find(|entry| entry.jwk.alg == slot.algorithm);
        exact.or_else(|| fitting.find(|entry| slot.holds(entry.jwk.alg)))
    }

    /// The private key file of an entry.
    pub(super) fn file(&self, entry: &Entry) -> PathBuf {
        self.folder
            .join(format!("{}.pem", entry.jwk.key.thumbprint()))
    }

    /// Where keys and index are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Key id → thumbprint, of every key ever published.
    pub(super) fn known(&self) -> &BTreeMap<String, String> {
        &self.index.known
    }

    /// Parses the private key of an entry, and makes sure that it is the one in the index.
    pub(super) fn read(&self, entry: &Entry) -> Result<(Pair, Option<String>), KeyError> {
        let file = self.file(entry);
        let (pair, notice) = files::read_private(&file)?;
        if pair.public().as_ref() != Some(&entry.jwk.key) {
            let reason = format!(
                "key {:?} is not the one in {}",
                entry.jwk.kid,
                file.display()
            );
            return Err(KeyError::Index {
                path: self.folder.join("index.json"),
                reason,
            });
        }
        Ok((pair, notice))
    }

    /// Remembers that a key is published under its id; refuses an id that another key had.
    pub(super) fn remember(&mut self, jwk: &Jwk, source: &Path) -> Result<(), KeyError> {
        let found = jwk.key.thumbprint();
        match self.index.known.get(&jwk.kid) {
            Some(known) if *known == found => Ok(()),
            Some(known) => Err(KeyError::KidReused {
                kid: jwk.kid.clone(),
                known: known.clone(),
                found,
                path: source.to_owned(),
            }),
            None => {
                self.index.known.insert(jwk.kid.clone(), found);
                self.changed = true;
                Ok(())
            }
        }
    }

    /// Makes sure that a slot has an active key and a standby. Without an active key the standby
    /// takes its place: nothing else signs, so nobody has to be waited for.
    pub(super) fn complete(
        &mut self,
        slot: &Slot<'_>,
        now: i64,
        progress: &dyn Fn(&str),
    ) -> Result<(), KeyError> {
        if self.find(slot, KeyState::Active).is_none() {
            let standby = self.find(slot, KeyState::Next);
            match standby.map(|entry| entry.jwk.kid.clone()) {
                Some(kid) => {
                    let mut keys = self.index.keys.iter_mut();
                    if let Some(entry) = keys.find(|entry| entry.jwk.kid == kid) {
                        entry.state = KeyState::Active;
                    }
                }
                None => self
                    .make(slot.algorithm, None, KeyState::Active, now, progress)
                    .map(drop)?,
            }
            self.changed = true;
        }
        if self.find(slot, KeyState::Next).is_none() {
            self.make(slot.algorithm, None, KeyState::Next, now, progress)?;
        }
        Ok(())
    }

    /// Makes a key, writes its file, and enters it; [`Ring::save`] makes it count.
    pub(super) fn make(
        &mut self,
        algorithm: Algorithm,
        kid: Option<&str>,
        state: KeyState,
        now: i64,
        progress: &dyn Fn(&str),
    ) -> Result<Jwk, KeyError> {
        let (pair, public) = make_pair(algorithm, progress)?;
        let kid = kid.map_or_else(|| public.thumbprint(), str::to_owned);
        let entry = Entry {
            state,
            created: now,
            jwk: Jwk::new(public, kid, algorithm),
        };
        let file = self.file(&entry);
        self.remember(&entry.jwk, &file)?;
        atomic::create_folder(&self.folder)?;
        let metadata = fs::metadata(&self.folder).map_err(|source| KeyError::Read {
            path: self.folder.clone(),
            source,
        })?;
        files::check_access(&self.folder, &metadata)?;
        let der = pair.to_pkcs8().map_err(|_| KeyError::crypto(algorithm))?;
        atomic::replace(&file, pem::encode("PRIVATE KEY", &der).as_bytes())?;
        let jwk = entry.jwk.clone();
        self.index.keys.push(entry);
        self.changed = true;
        Ok(jwk)
    }

    /// Takes the standby keys of a slot out: they never signed, so nobody misses them. Gives
    /// their files, to be removed after [`Ring::save`].
    pub(super) fn drop_standby(&mut self, slot: &Slot<'_>) -> Vec<PathBuf> {
        let (standby, kept): (Vec<Entry>, Vec<Entry>) = std::mem::take(&mut self.index.keys)
            .into_iter()
            .partition(|entry| entry.state == KeyState::Next && slot.holds(entry.jwk.alg));
        self.index.keys = kept;
        self.changed |= !standby.is_empty();
        standby.iter().map(|entry| self.file(entry)).collect()
    }

    /// Writes the index if anything in it has changed.
    pub(super) fn save(&mut self) -> Result<(), KeyError> {
        if !self.changed {
            return Ok(());
        }
        let path = self.folder.join("index.json");
        atomic::create_folder(&self.folder)?;
        let text = serde_json::to_vec_pretty(&self.index).map_err(|error| KeyError::Index {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        atomic::replace(&path, &text)?;
        self.changed = false;
        Ok(())
    }
}

/// Makes a key pair for an algorithm, telling `progress` first: RSA takes its time.
pub(super) fn make_pair(
    algorithm: Algorithm,
    progress: &dyn Fn(&str),
) -> Result<(Pair, PublicKey), KeyError> {
    let kind = Kind::of(algorithm);
    progress(&format!("making a key for {algorithm:?} ({kind})"));
    let failed = || KeyError::crypto(algorithm);
    let pair = Pair::generate(kind).map_err(|_| failed())?;
    let public = pair.public().ok_or_else(failed)?;
    Ok((pair, public))
}

fn parse(bytes: &[u8]) -> Result<Index, String> {
    let index: Index =
        serde_json::from_slice(bytes).map_err(|error| format!("not an index of keys: {error}"))?;
    if index.version != VERSION {
        return Err(format!(
            "version {} of the index, expected {VERSION}",
            index.version
        ));
    }
    let mut active = index
        .keys
        .iter()
        .filter(|entry| entry.state == KeyState::Active);
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
