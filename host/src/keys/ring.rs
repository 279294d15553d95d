//! The keys of one ring: those that audiences share, or those of one audience. Plain data, read
//! from its [`Home`], changed in memory, and written back there whole.
//!
//! The index holds every public half, so that a start parses one private key and no more. Key
//! files are written before the index that names them, and removed after it; a file that no index
//! names is ignored. Whoever changes a ring in a folder holds the lock on the state folder; in the
//! store, who writes says which version he read.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::home::{Home, check_folder};
use super::index::{Entry, Index};
use super::jwk::{Jwk, PublicKey};
use super::kind::Kind;
use super::list::KeyState;
use super::pair::Pair;
use super::{KeyError, atomic, files};
use crate::config::shapes::Algorithm;

/// The largest index that is read.
const LIMIT: u64 = 1 << 20;

/// A ring.
#[derive(Debug)]
pub struct Ring {
    home: Home,
    pub(super) index: Index,
    /// Of the row in the store; 0 = there is none yet.
    version: u64,
    pub(super) changed: bool,
    /// Files of keys that are gone, to be removed once the index says so.
    leftover: Vec<PathBuf>,
}

/// A ring as a row of the store: `content` is sealed, and good for this version alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Grows by one with each change; 0 = not there yet.
    pub version: u64,
    /// Text.
    pub content: String,
}

/// Who signs for whom: each algorithm that an audience asks for by name has an active key and a
/// standby of its own; the ring's first slot has one pair, of the configured algorithm or, until a
/// rotation, of the algorithm that was configured before.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) algorithm: Algorithm,
    /// The algorithms that audiences ask for by name.
    pub(super) named: &'a [Algorithm],
}

impl Slot<'_> {
    /// May a key for this algorithm stand here?
    pub(super) fn holds(&self, algorithm: Algorithm) -> bool {
        algorithm == self.algorithm
            || !(self.named.contains(&self.algorithm) || self.named.contains(&algorithm))
    }
}

impl Ring {
    /// Reads the index in a folder; without one the ring is empty. Changes nothing.
    pub fn in_folder(folder: PathBuf) -> Result<Ring, KeyError> {
        let path = folder.join("index.json");
        let index = match files::read(&path, LIMIT) {
            Ok((bytes, _)) => {
                check_folder(&folder)?;
                Index::parse(&bytes).map_err(|reason| KeyError::Index { path, reason })?
            }
            Err(KeyError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Index::default()
            }
            Err(error) => return Err(error),
        };
        Ok(Ring::new(Home::Folder(folder), index, 0))
    }

    /// Unseals a row of the store; without one the ring is empty.
    ///
    /// # Errors
    /// [`KeyError::Sealed`]: another key-encryption key, or not what was written.
    pub fn in_store(home: Home, row: Option<&Row>) -> Result<Ring, KeyError> {
        let (Home::Stored { name, kek }, Some(row)) = (&home, row) else {
            return Ok(Ring::new(home, Index::default(), 0));
        };
        let damaged = || KeyError::Sealed { name: name.clone() };
        let (seal, text) = row.content.split_once('\n').ok_or_else(damaged)?;
        let sealed = kek.open(&seal_of(name, row.version, text), seal);
        sealed.ok_or_else(damaged)?;
        let path = home.place(None);
        let index = Index::parse(text.as_bytes());
        let index = index.map_err(|reason| KeyError::Index { path, reason })?;
        Ok(Ring::new(home, index, row.version))
    }

    fn new(home: Home, index: Index, version: u64) -> Ring {
        Ring {
            home,
            index,
            version,
            changed: false,
            leftover: Vec::new(),
        }
    }

    /// Takes over the keys of a folder that are not known here yet: all of them where there are
    /// none, else what has signed, so that its tokens go on verifying.
    pub fn take_over(&mut self, folder: &Ring, now: i64) -> Result<(), KeyError> {
        let new = self.is_new();
        for entry in folder.entries() {
            if self.index.known.contains_key(&entry.jwk.kid) {
                continue;
            }
            let mut entry = entry.clone();
            match entry.state {
                KeyState::Next if !new => continue,
                KeyState::Active if !new => entry.retire(now),
                _ => {}
            }
            if entry.file.is_none() {
                let (pair, _) = folder.home.read(&entry)?;
                self.home.keep(&mut entry, &pair)?;
            }
            self.index.keys.push(entry);
            self.changed = true;
        }
        for (kid, thumbprint) in &folder.index.known {
            if !self.index.known.contains_key(kid) {
                let known = (kid.clone(), thumbprint.clone());
                self.index.known.extend([known]);
                self.changed = true;
            }
        }
        for kid in &folder.index.revoked {
            self.changed |= self.index.revoked.insert(kid.clone());
        }
        // Revoked there after it was taken over.
        self.take_out(|entry| folder.index.revoked.contains(&entry.jwk.kid));
        if new {
            self.index.configured.clone_from(&folder.index.configured);
        }
        Ok(())
    }

    /// Was there nothing to read?
    pub fn is_new(&self) -> bool {
        self.index.keys.is_empty() && self.index.known.is_empty()
    }

    /// The version that was read: 0 = there was no row.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the store must be told, if anything has changed: the row to write in place of the one
    /// that was read.
    pub fn row(&self) -> Result<Option<Row>, KeyError> {
        let (true, Home::Stored { name, kek }) = (self.changed, &self.home) else {
            return Ok(None);
        };
        let text = serde_json::to_string(&self.index).map_err(|error| KeyError::Index {
            path: self.home.place(None),
            reason: error.to_string(),
        })?;
        let version = self.version + 1;
        let seal = kek.seal(&seal_of(name, version, &text), &[]);
        let seal = seal.ok_or_else(|| KeyError::Sealed { name: name.clone() })?;
        let content = format!("{seal}\n{text}");
        Ok(Some(Row { version, content }))
    }

    /// In a folder: writes the index if anything in it has changed, then removes the files of keys
    /// that are gone.
    pub fn save(&mut self) -> Result<(), KeyError> {
        let (true, Home::Folder(folder)) = (self.changed, &self.home) else {
            return Ok(());
        };
        let path = self.home.place(None);
        atomic::create_folder(folder)?;
        let text = serde_json::to_vec_pretty(&self.index).map_err(|error| KeyError::Index {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        atomic::replace(&path, &text)?;
        self.changed = false;
        for path in self.leftover.drain(..) {
            atomic::remove(&path).map_err(|source| KeyError::Write { path, source })?;
        }
        Ok(())
    }

    /// The ids of the keys that have signed.
    pub fn have_signed(&self) -> Vec<String> {
        let keys = self.index.keys.iter();
        let signed = keys.filter(|entry| entry.state != KeyState::Next);
        signed.map(|entry| entry.jwk.kid.clone()).collect()
    }

    /// The ids of the keys that were revoked here.
    pub fn revoked(&self) -> impl Iterator<Item = &str> {
        self.index.revoked.iter().map(String::as_str)
    }

    /// Its keys, in the order in which they were made.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.index.keys
    }

    /// Where it lives.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    /// The key of a slot in `state`: one for its algorithm before any other.
    pub(super) fn find(&self, slot: &Slot<'_>, state: KeyState) -> Option<&Entry> {
        let mut fitting = self.index.keys.iter().filter(|entry| entry.state == state);
        let exact = fitting
            .clone()
            .find(|entry| entry.jwk.alg == slot.algorithm);
        exact.or_else(|| fitting.find(|entry| slot.holds(entry.jwk.alg)))
    }

    /// The slots that have keys of their own: the first one, and one for each further algorithm.
    pub(super) fn slots<'a>(&self, algorithm: Algorithm, named: &'a [Algorithm]) -> Vec<Slot<'a>> {
        let first = Slot { algorithm, named };
        let active = self.find(&first, KeyState::Active);
        let signs = active.map_or(algorithm, |entry| entry.jwk.alg);
        let others = named.iter().filter(|named| **named != signs);
        let others = others.map(|&algorithm| Slot { algorithm, named });
        std::iter::once(first).chain(others).collect()
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

    /// Makes a key and enters it; [`Ring::save`] or the store's writing of [`Ring::row`] makes it
    /// count.
    pub(super) fn make(
        &mut self,
        algorithm: Algorithm,
        kid: Option<&str>,
        now: i64,
        progress: &dyn Fn(&str),
    ) -> Result<Jwk, KeyError> {
        let (pair, public) = make_pair(algorithm, progress)?;
        let kid = kid.map_or_else(|| public.thumbprint(), str::to_owned);
        self.enter(&pair, Jwk::new(public, kid, algorithm), now)
    }

    /// Enters a key as a standby, with its private half.
    pub(super) fn enter(&mut self, pair: &Pair, jwk: Jwk, now: i64) -> Result<Jwk, KeyError> {
        let mut entry = Entry::new(KeyState::Next, now, jwk.clone());
        self.remember(&jwk, &self.home.place(Some(&entry)))?;
        self.home.keep(&mut entry, pair)?;
        self.index.keys.push(entry);
        self.changed = true;
        Ok(jwk)
    }

    /// Takes keys out; their files go once that is written.
    pub(super) fn take_out(&mut self, which: impl Fn(&Entry) -> bool) -> Vec<Jwk> {
        let keys = std::mem::take(&mut self.index.keys);
        let (out, kept): (Vec<Entry>, Vec<Entry>) = keys.into_iter().partition(which);
        self.index.keys = kept;
        self.changed |= !out.is_empty();
        let leftover = out.iter().filter_map(|entry| self.home.leftover(entry));
        self.leftover.extend(leftover);
        out.into_iter().map(|entry| entry.jwk).collect()
    }

    /// Takes the standby keys of a slot out: they never signed, so nobody misses them.
    pub(super) fn drop_standby(&mut self, slot: &Slot<'_>) {
        self.take_out(|entry| entry.state == KeyState::Next && slot.holds(entry.jwk.alg));
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

/// What vouches for a whole row: who may write into the database cannot add a key, nor bring back
/// one that is gone under another version.
fn seal_of(name: &str, version: u64, text: &str) -> String {
    format!("ring {name} {version} {text}")
}
