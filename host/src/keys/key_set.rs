//! The private keys of a server, opened once at start, and their public view.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::life::Holding;
use super::list::{KeyState, KeyView};
use super::pair::Pair;
use super::ring::{Ring, Slot, make_pair};
use super::{Jwk, Jwks, KeyError, Signer, Terms, configured, published};
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
    /// Opens the shared keys of a server in its state folder; see [`KeySet::of`].
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
        let terms = Terms::of(settings, settings.algorithm, named.to_vec());
        let mut ring = Ring::in_folder(terms.folder(state))?;
        let set = KeySet::of(&mut ring, &terms, settings, opening, &Holding::new())?;
        if opening.mode == Mode::Serve {
            ring.save()?;
        }
        Ok(set)
    }

    /// The keys of a ring.
    ///
    /// The first key of the shared ring is that of `keys.private_key`, if there is one; all others
    /// are made here. Each slot has an active key and a standby: the first one that of the
    /// configured algorithm, and each algorithm that audiences ask for by name one of its own; the
    /// ring's own key signs for an audience that names its algorithm. To serve, what is missing is
    /// made and remembered in `ring`, which the caller writes back.
    ///
    /// # Errors
    /// As of [`KeySet::open`].
    pub fn of(
        ring: &mut Ring,
        terms: &Terms,
        settings: &Keys,
        opening: &Opening<'_>,
        holding: &Holding,
    ) -> Result<KeySet, KeyError> {
        let mut notices = Vec::new();
        let known = ring.index.known.clone();
        let now = seconds(opening.now);
        let shared = terms.audience.is_none();
        let configured = match shared {
            true => configured::signing(settings, opening.exposed, &mut notices)?,
            false => None,
        };
        if shared && terms.anew {
            let slot = Slot {
                algorithm: terms.algorithm,
                named: &terms.named,
            };
            let given = configured.as_ref();
            let given = given.map(|(signer, file)| (signer.jwk(), file.as_path()));
            ring.take_up(given, &slot, now, &mut notices)?;
        }
        let mut configured = configured.map(|(signer, _)| signer);
        let mut signers = Vec::new();
        for slot in ring.slots(terms.algorithm, &terms.named) {
            match opening.mode {
                Mode::Serve => ring.complete(&slot, now, opening.progress)?,
                Mode::Check => notices.extend(missing(ring, &slot)),
            }
            signers.push(signer_of(
                &slot,
                ring,
                &mut configured,
                opening,
                &mut notices,
            )?);
        }
        if opening.mode == Mode::Serve {
            ring.publish(terms, now);
        }
        for new in signers.iter().filter(|new| !known.contains_key(new.kid())) {
            if !known.is_empty() {
                notices.push(format!(
                    "the signing key for {} was never published before: consumers that keep our keys (Airflow for an hour) refuse its tokens until they fetch again",
                    new.algorithm()
                ));
            }
        }
        let extras = match shared {
            true => configured::extras(settings, opening.exposed, &mut notices)?,
            false => Vec::new(),
        };
        let signs = |kid: &str| signers.iter().any(|signer| signer.kid() == kid);
        let published = published::all(ring, terms, holding, now, extras, signs)?;
        for key in &published {
            ring.remember(&key.jwk, &key.view.file)?;
        }
        let mut signers = signers.into_iter();
        let active = signers
            .next()
            .ok_or_else(|| KeyError::crypto(terms.algorithm))?;
        let named: Vec<Signer> = signers.collect();
        let mut keys = vec![active.jwk().clone()];
        keys.extend(named.iter().map(|signer| signer.jwk().clone()));
        let mut own = keys.clone();
        for key in &published {
            if !keys.contains(&key.jwk) {
                keys.push(key.jwk.clone());
                if key.view.state != KeyState::Extra {
                    own.push(key.jwk.clone());
                }
            }
        }
        let failed = || KeyError::crypto(active.algorithm());
        let jwks = Jwks::new(keys, terms.max_age).ok_or_else(failed)?;
        let verifying = verifying(&own).map_err(|_| failed())?;
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

fn verifying(own: &[Jwk]) -> Result<countersign_verify::KeySet, countersign_verify::KeySetError> {
    let document = serde_json::json!({ "keys": own }).to_string();
    countersign_verify::KeySet::parse(document.as_bytes())
}

/// The active key of a slot; in a check, which makes nothing, what would be it.
fn signer_of(
    slot: &Slot<'_>,
    ring: &Ring,
    configured: &mut Option<Signer>,
    opening: &Opening<'_>,
    notices: &mut Vec<String>,
) -> Result<Signer, KeyError> {
    let algorithm = slot.algorithm;
    let entry = ring
        .find(slot, KeyState::Active)
        .or_else(|| ring.find(slot, KeyState::Next));
    let Some(entry) = entry else {
        let (pair, public) = make_pair(algorithm, opening.progress)?;
        let kid = public.thumbprint();
        return signer(pair, Jwk::new(public, kid, algorithm));
    };
    if let Some(signer) = configured.take_if(|signer| *signer.jwk() == entry.jwk) {
        return Ok(signer);
    }
    if entry.jwk.alg != algorithm {
        notices.push(format!(
            "keys.algorithm is {algorithm:?}, but the active key {:?} signs with {:?}, and goes on doing so; to sign with {algorithm:?}, make a standby for it with `countersign keys generate --algorithm {algorithm:?}`, and once its lead has passed `countersign keys rotate`",
            entry.jwk.kid, entry.jwk.alg
        ));
    }
    let (pair, notice) = ring.home().read(entry)?;
    notices.extend(notice);
    signer(pair, entry.jwk.clone())
}

/// What the next start would make.
fn missing(ring: &Ring, slot: &Slot<'_>) -> Option<String> {
    let (place, algorithm) = (ring.home().folder(), slot.algorithm);
    let place = place.display();
    match (
        ring.find(slot, KeyState::Active),
        ring.find(slot, KeyState::Next),
    ) {
        (Some(_), Some(_)) => None,
        (None, None) if ring.entries().is_empty() => Some(format!(
            "the first start will make an active key and a standby for {algorithm:?} in {place}"
        )),
        (None, None) => Some(format!(
            "the next start will make an active key and a standby for {algorithm:?} in {place}"
        )),
        _ => Some(format!(
            "the next start will make a standby key for {algorithm:?} in {place}"
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
