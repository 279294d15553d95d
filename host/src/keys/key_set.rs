//! The private keys of a server, opened once at start, and their public view.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::list::{KeyState, KeyView};
use super::pair::Pair;
use super::ring::{Ring, Slot, make_pair};
use super::{Jwk, Jwks, KeyError, Signer, configured, published};
use crate::config::shapes::{Algorithm, Keys};

/// What signs, and what is published of it. Never serialised; `Debug` shows ids and public keys.
#[derive(Debug)]
pub struct KeySet {
    active: Signer,
    /// One for each algorithm that an audience asks for by name, unless `active` does.
    named: Vec<Signer>,
    jwks: Jwks,
    /// Our own keys as a verifier has them: what others publish here verifies nothing of ours.
    verifying: countersign_verify::KeySet,
    list: Vec<KeyView>,
    notices: Vec<String>,
}

/// What opening keys may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Makes and remembers what is missing. The caller holds the lock on the state folder.
    Serve,
    /// Changes nothing on disk. Before the first start the active key is made in memory and
    /// thrown away; a notice says what the first start would make.
    Check,
}

/// The circumstances under which keys are opened.
pub struct Opening<'a> {
    /// What it may do.
    pub mode: Mode,
    /// Whether the public listener can be reached from another machine: then OpenMetadata's
    /// demonstration key is refused.
    pub exposed: bool,
    /// The time, for keys that are made now.
    pub now: SystemTime,
    /// Told what takes a while, before it does.
    pub progress: &'a dyn Fn(&str),
}

impl std::fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening")
            .field("mode", &self.mode)
            .field("exposed", &self.exposed)
            .finish_non_exhaustive()
    }
}

impl KeySet {
    /// Opens the keys of a server.
    ///
    /// With `keys.private_key` that file signs, and keys of the state folder stay published, so
    /// that tokens which they signed go on verifying. Otherwise the state folder's active key
    /// signs; the first start makes it, and a standby. The algorithms that audiences ask for by
    /// name (`named`) have a key and a standby each, in the state folder; the server's own key
    /// signs for an audience that names its algorithm.
    ///
    /// # Errors
    /// [`KeyError`]: a file is missing, open to others, encrypted, of the wrong kind or size, does
    /// not match its public half; a key id is taken; the state folder cannot be read or written.
    pub fn open(
        settings: &Keys,
        named: &[Algorithm],
        state: &Path,
        opening: &Opening<'_>,
    ) -> Result<KeySet, KeyError> {
        let mut notices = Vec::new();
        let mut ring = Ring::load(state)?;
        let known = ring.known().clone();
        let (active, file) = match configured::signing(settings, opening.exposed, &mut notices)? {
            Some((signer, file)) => (signer, Some(file)),
            None => {
                let slot = Slot {
                    algorithm: settings.algorithm,
                    named,
                };
                (from_state(&slot, &mut ring, opening, &mut notices)?, None)
            }
        };
        let others = named
            .iter()
            .filter(|algorithm| **algorithm != active.algorithm());
        let others = others.map(|&algorithm| {
            let slot = Slot { algorithm, named };
            from_state(&slot, &mut ring, opening, &mut notices)
        });
        let named = others.collect::<Result<Vec<Signer>, KeyError>>()?;
        let signing = || std::iter::once(&active).chain(&named);
        for new in signing().filter(|signer| !known.contains_key(signer.kid())) {
            if !known.is_empty() {
                notices.push(format!(
                    "the signing key for {} was never published before: consumers that keep our keys (Airflow for an hour) refuse its tokens until they fetch again",
                    new.algorithm()
                ));
            }
        }

        let own = file.map(|file| (active.jwk().clone(), file));
        let extras = configured::extras(settings, opening.exposed, &mut notices)?;
        let published = published::all(own, &ring, extras, |kid| {
            signing().any(|signer| signer.kid() == kid)
        })?;
        for key in &published {
            ring.remember(&key.jwk, &key.view.file)?;
        }
        if opening.mode == Mode::Serve {
            ring.save()?;
        }

        let mut others: Vec<Jwk> = named.iter().map(|signer| signer.jwk().clone()).collect();
        for key in &published {
            if key.jwk != *active.jwk() && !others.contains(&key.jwk) {
                others.push(key.jwk.clone());
            }
        }
        let jwks = Jwks::new(active.jwk().clone(), others, settings.lead)
            .map_err(|_| KeyError::crypto(active.algorithm()))?;
        let own = published.iter();
        let own = own.filter(|key| key.view.state != KeyState::Extra);
        let own: Vec<&Jwk> = std::iter::once(active.jwk())
            .chain(own.map(|key| &key.jwk).filter(|jwk| **jwk != *active.jwk()))
            .collect();
        let verifying = verifying(&own).map_err(|_| KeyError::crypto(active.algorithm()))?;
        let list = published.into_iter().map(|key| key.view).collect();
        Ok(KeySet {
            active,
            named,
            jwks,
            verifying,
            list,
            notices,
        })
    }

    /// The key that signs for the default audience.
    pub fn active(&self) -> &Signer {
        &self.active
    }

    /// The key that signs with this algorithm, and with no other.
    pub fn signer(&self, algorithm: Algorithm) -> Option<&Signer> {
        let mut signers = std::iter::once(&self.active).chain(&self.named);
        signers.find(|signer| signer.algorithm() == algorithm)
    }

    /// What it signs with, the default audience's algorithm first.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let signers = std::iter::once(&self.active).chain(&self.named);
        signers.map(Signer::algorithm).collect()
    }

    /// What is published.
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
    }

    /// What verifies tokens of ours that come back.
    pub fn verifying(&self) -> &countersign_verify::KeySet {
        &self.verifying
    }

    /// All published keys; in [`Mode::Check`] only those that exist already.
    pub fn list(&self) -> &[KeyView] {
        &self.list
    }

    /// What the operator should know, one sentence each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

fn verifying(own: &[&Jwk]) -> Result<countersign_verify::KeySet, countersign_verify::KeySetError> {
    let document = serde_json::json!({ "keys": own }).to_string();
    countersign_verify::KeySet::parse(document.as_bytes())
}

/// The active key of a slot in the state folder, made now if there is none.
fn from_state(
    slot: &Slot<'_>,
    ring: &mut Ring,
    opening: &Opening<'_>,
    notices: &mut Vec<String>,
) -> Result<Signer, KeyError> {
    let algorithm = slot.algorithm;
    match opening.mode {
        Mode::Serve => ring.complete(slot, seconds(opening.now), opening.progress)?,
        Mode::Check => notices.extend(missing(ring, slot)),
    }
    let entry = ring
        .find(slot, KeyState::Active)
        .or_else(|| ring.find(slot, KeyState::Next))
        .cloned();
    let Some(entry) = entry else {
        let (pair, public) = make_pair(algorithm, opening.progress)?;
        let kid = public.thumbprint();
        return signer(pair, Jwk::new(public, kid, algorithm));
    };
    if entry.jwk.alg != algorithm {
        notices.push(format!(
            "keys.algorithm is {:?}, but the active key {:?} of the state folder signs with {:?}, and goes on doing so; to sign with {0:?}, make a key file with `countersign keys generate --algorithm {0:?} --format pem --private-key FILE --public-key FILE` and set keys.private_key",
            algorithm, entry.jwk.kid, entry.jwk.alg
        ));
    }
    let (pair, notice) = ring.read(&entry)?;
    notices.extend(notice);
    signer(pair, entry.jwk)
}

/// What the next start would make in the state folder.
fn missing(ring: &Ring, slot: &Slot<'_>) -> Option<String> {
    let (folder, algorithm) = (ring.folder().display(), slot.algorithm);
    match (
        ring.find(slot, KeyState::Active),
        ring.find(slot, KeyState::Next),
    ) {
        (Some(_), Some(_)) => None,
        (None, None) if ring.entries().is_empty() => Some(format!(
            "the first start will make an active key and a standby for {algorithm:?} in {folder}"
        )),
        (None, None) => Some(format!(
            "the next start will make an active key and a standby for {algorithm:?} in {folder}"
        )),
        _ => Some(format!(
            "the next start will make a standby key for {algorithm:?} in {folder}"
        )),
    }
}

pub(super) fn seconds(now: SystemTime) -> i64 {
    now.duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| since.as_secs().try_into().ok())
        .unwrap_or_default()
}

fn signer(pair: Pair, jwk: Jwk) -> Result<Signer, KeyError> {
    let algorithm = jwk.alg;
    Signer::new(pair, jwk).map_err(|_| KeyError::crypto(algorithm))
}
