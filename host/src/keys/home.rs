//! Where a ring lives, and the private halves of its keys with it: a folder with files, or a row
//! of the store that hosts share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::index::Entry;
use super::pair::Pair;
use super::{Kek, KeyError, atomic, files, pem};

/// Where a ring lives.
#[derive(Debug, Clone)]
pub enum Home {
    /// `index.json`, and `<thumbprint>.pem` for each private key, for the owner alone.
    Folder(PathBuf),
    /// A row of the store: whoever reads and writes it is above; here it is sealed and unsealed.
    Stored {
        /// The ring's name in the store.
        name: String,
        /// What seals it.
        kek: Arc<Kek>,
    },
}

impl Home {
    /// What stands in lists and errors for the place of a key or, without one, of the index.
    pub(super) fn place(&self, entry: Option<&Entry>) -> PathBuf {
        match (self, entry) {
            (
                _,
                Some(Entry {
                    file: Some(file), ..
                }),
            ) => file.clone(),
            (Home::Folder(folder), Some(entry)) => file(folder, entry),
            (Home::Folder(folder), None) => folder.join("index.json"),
            (Home::Stored { name, .. }, _) => PathBuf::from(format!("(store: ring {name})")),
        }
    }

    /// Where keys are made: what a person would look for.
    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Home::Folder(folder) => folder.clone(),
            Home::Stored { .. } => self.place(None),
        }
    }

    /// Keeps the private half of a key.
    pub(super) fn keep(&self, entry: &mut Entry, pair: &Pair) -> Result<(), KeyError> {
        let failed = || KeyError::crypto(entry.jwk.alg);
        let der = pair.to_pkcs8().map_err(|_| failed())?;
        match self {
            Home::Folder(folder) => {
                atomic::create_folder(folder)?;
                check_folder(folder)?;
                let text = pem::encode("PRIVATE KEY", &der);
                atomic::replace(&file(folder, entry), text.as_bytes())
            }
            Home::Stored { name, kek } => {
                let sealed = kek.seal(&purpose(name, entry), &der).ok_or_else(failed)?;
                entry.sealed = Some(sealed);
                Ok(())
            }
        }
    }

    /// Parses the private half of a key, and makes sure that it is the one in the index.
    pub(super) fn read(&self, entry: &Entry) -> Result<(Pair, Option<String>), KeyError> {
        let (pair, notice) = match (self, &entry.sealed) {
            (Home::Stored { name, kek }, Some(sealed)) => {
                let der = kek.open(&purpose(name, entry), sealed);
                let pair = der.and_then(|der| Pair::from_der(&der).ok());
                let damaged = || KeyError::Sealed { name: name.clone() };
                (pair.ok_or_else(damaged)?, None)
            }
            _ => files::read_private(&self.place(Some(entry)))?,
        };
        if pair.public().as_ref() != Some(&entry.jwk.key) {
            let reason = format!(
                "key {:?} is not the one in {}",
                entry.jwk.kid,
                self.place(Some(entry)).display()
            );
            let path = self.place(None);
            return Err(KeyError::Index { path, reason });
        }
        Ok((pair, notice))
    }

    /// The file to remove once no index names the key; the operator's own stays.
    pub(super) fn leftover(&self, entry: &Entry) -> Option<PathBuf> {
        match self {
            Home::Folder(folder) if entry.file.is_none() => Some(file(folder, entry)),
            _ => None,
        }
    }
}

/// Others may not enter a folder with private keys.
pub(super) fn check_folder(folder: &Path) -> Result<(), KeyError> {
    let metadata = fs::metadata(folder).map_err(|source| KeyError::Read {
        path: folder.to_owned(),
        source,
    })?;
    files::check_access(folder, &metadata).map(drop)
}

fn file(folder: &Path, entry: &Entry) -> PathBuf {
    folder.join(format!("{}.pem", entry.jwk.key.thumbprint()))
}

/// A sealed key opens in its own ring and for its own public half alone.
fn purpose(ring: &str, entry: &Entry) -> String {
    format!("key {ring} {}", entry.jwk.key.thumbprint())
}
