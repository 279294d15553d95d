//! Everything that is published, each key with the file that it comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::list::{KeyState, KeyView, timestamp};
use super::ring::{Entry, Ring};
use super::{Jwk, KeyError};

/// A published key, as the world and as the operator sees it.
pub(super) struct Published {
    pub(super) jwk: Jwk,
    pub(super) view: KeyView,
}

impl Published {
    fn new(jwk: Jwk, state: KeyState, created: Option<i64>, file: PathBuf) -> Published {
        let created = created.and_then(timestamp);
        let view = KeyView {
            kid: jwk.kid.clone(),
            alg: jwk.alg,
            state,
            created,
            file,
        };
        Published { jwk, view }
    }
}

/// The operator's own key, the keys of the state folder, and others' keys; no two with one id.
/// `signs` says whether the key of an id signs now.
pub(super) fn all(
    own: Option<(Jwk, PathBuf)>,
    ring: &Ring,
    extras: Vec<(Jwk, PathBuf)>,
    signs: impl Fn(&str) -> bool,
) -> Result<Vec<Published>, KeyError> {
    let own = own.map(|(jwk, file)| Published::new(jwk, KeyState::Active, None, file));
    let of_state: Vec<Published> = ring
        .entries()
        .iter()
        .filter(|entry| own.as_ref().is_none_or(|own| own.jwk != entry.jwk))
        .map(|entry| of_ring(ring, entry, &signs))
        .collect();
    let extras = extras
        .into_iter()
        .map(|(jwk, file)| Published::new(jwk, KeyState::Extra, None, file));
    let published: Vec<Published> = own.into_iter().chain(of_state).chain(extras).collect();
    unambiguous(&published)?;
    Ok(published)
}

/// Where another key signs in its place, such as the operator's, an active one does not.
fn of_ring(ring: &Ring, entry: &Entry, signs: impl Fn(&str) -> bool) -> Published {
    let state = match entry.state {
        KeyState::Active if !signs(&entry.jwk.kid) => KeyState::Retiring,
        state => state,
    };
    Published::new(
        entry.jwk.clone(),
        state,
        Some(entry.created),
        ring.file(entry),
    )
}

fn unambiguous(published: &[Published]) -> Result<(), KeyError> {
    let mut seen: BTreeMap<&str, &Path> = BTreeMap::new();
    for Published { view, .. } in published {
        if let Some(first) = seen.insert(&view.kid, &view.file) {
            let (first, second) = (first.to_owned(), view.file.clone());
            return Err(KeyError::DuplicateKid {
                kid: view.kid.clone(),
                first,
                second,
            });
        }
    }
    Ok(())
}
