//! The private keys of a server, opened once at start, and their public view.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::list::{KeyState, KeyView};
use super::pair::Pair;
use super::ring::{Ring, make_pair};
use super::{Jwk, Jwks, KeyError, Signer, configured, published};
use crate::config::shapes::{Algorithm, Keys};

/// What signs, and what is published of it. Never serialised; `Debug` shows ids and public keys.
#[derive(Debug)]
pub struct KeySet {
    active: Signer,
    jwks: Jwks,
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
    /// signs; the first start makes it, and a standby.
    ///
    /// # Errors
    /// [`KeyError`]: a file is missing, open to others, encrypted, of the wrong kind or size, does
    /// not match its public half; a key id is taken; the state folder cannot be read or written.
    pub fn open(settings: &Keys, state: &Path, opening: &Opening<'_>) -> Result<KeySet, KeyError> {
        let mut notices = Vec::new();
        let mut ring = Ring::load(state)?;
        let known = ring.known().clone();
        let (active, file) = match configured::signing(settings, opening.exposed, &mut notices)? {
            Some((signer, file)) => (signer, Some(file)),
            None => (
                from_state(settings, &mut ring, opening, &mut notices)?,
                None,
            ),
        };
        if !known.is_empty() && !known.contains_key(active.kid()) {
            notices.push(
                "the signing key was never published before: consumers that keep our keys (Airflow for an hour) refuse its tokens until they fetch again"
                    .into(),
            );
        }

        let own = file.map(|file| (active.jwk().clone(), file));
        let extras = configured::extras(settings, opening.exposed, &mut notices)?;
        let published = published::all(own, &ring, extras)?;
        for key in &published {
            ring.remember(&key.jwk, &key.view.file)?;
        }
        if opening.mode == Mode::Serve {
            ring.save()?;
        }

        let others = published
            .iter()
            .map(|key| &key.jwk)
            .filter(|jwk| *jwk != active.jwk())
            .cloned();
        let jwks = Jwks::new(active.jwk().clone(), others, settings.lead)
            .map_err(|_| KeyError::crypto(active.algorithm()))?;
        let list = published.into_iter().map(|key| key.view).collect();
        Ok(KeySet {
            active,
            jwks,
            list,
            notices,
        })
    }

    /// The key that signs.
    pub fn active(&self) -> &Signer {
        &self.active
    }

    /// What is published.
    pub fn jwks(&self) -> &Jwks {
        &self.jwks
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

/// The active key of the state folder, made now if there is none.
fn from_state(
    settings: &Keys,
    ring: &mut Ring,
    opening: &Opening<'_>,
    notices: &mut Vec<String>,
) -> Result<Signer, KeyError> {
    match opening.mode {
        Mode::Serve => ring.complete(settings.algorithm, seconds(opening.now), opening.progress)?,
        Mode::Check => notices.extend(missing(ring, settings.algorithm)),
    }
    let entry = ring
        .find(KeyState::Active)
        .or_else(|| ring.find(KeyState::Next))
        .cloned();
    let Some(entry) = entry else {
        let (pair, public) = make_pair(settings.algorithm, opening.progress)?;
        let kid = public.thumbprint();
        return signer(pair, Jwk::new(public, kid, settings.algorithm));
    };
    if entry.jwk.alg != settings.algorithm {
        notices.push(format!(
            "keys.algorithm is {:?}, but the active key {:?} signs with {:?}, and will until a key for {0:?} takes its place: `countersign keys generate --algorithm {0:?}`, then `countersign keys rotate`",
            settings.algorithm, entry.jwk.kid, entry.jwk.alg
        ));
    }
    let (pair, notice) = ring.read(&entry)?;
    notices.extend(notice);
    signer(pair, entry.jwk)
}

/// What the next start would make in the state folder.
fn missing(ring: &Ring, algorithm: Algorithm) -> Option<String> {
    let folder = ring.folder().display();
    match (ring.find(KeyState::Active), ring.find(KeyState::Next)) {
        (Some(_), Some(_)) => None,
        (None, None) => Some(format!(
            "the first start will make an active key and a standby for {algorithm:?} in {folder}"
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
