//! Everything that is published, each key with the file that it comes from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::index::Entry;
use super::life::{Holding, Leaving};
use super::list::{KeyState, KeyView, timestamp};
use super::{Jwk, KeyError, Ring, Terms};

/// A published key, as the world and as the operator sees it.
pub(super) struct Published {
    pub(super) jwk: Jwk,
    pub(super) view: KeyView,
}

/// The keys of a ring by their states, and others' keys; no two with one id. `signs` says whether
/// the key of an id signs now.
pub(super) fn all(
    ring: &Ring,
    terms: &Terms,
    holding: &Holding,
    now: i64,
    extras: Vec<(Jwk, PathBuf)>,
    signs: impl Fn(&str) -> bool,
) -> Result<Vec<Published>, KeyError> {
    let of_ring = ring.entries().iter().map(|entry| Published {
        jwk: entry.jwk.clone(),
        view: view(ring, entry, terms, holding, now, &signs),
    });
    let extras = extras.into_iter().map(|(jwk, file)| Published {
        view: KeyView::new(&jwk.kid, jwk.alg, KeyState::Extra, file),
        jwk,
    });
    let mut published: Vec<Published> = of_ring.chain(extras).collect();
    published.sort_by_key(|key| key.view.state);
    unambiguous(&published)?;
    Ok(published)
}

/// A key and its dates. Where another key signs in its place, an active one does not.
fn view(
    ring: &Ring,
    entry: &Entry,
    terms: &Terms,
    holding: &Holding,
    now: i64,
    signs: impl Fn(&str) -> bool,
) -> KeyView {
    let state = match entry.state {
        KeyState::Active if !signs(&entry.jwk.kid) => KeyState::Retiring,
        state => state,
    };
    let at = |time: Option<i64>| time.and_then(timestamp);
    let mut view = KeyView {
        created: timestamp(entry.created),
        published: at(entry.published),
        activated: at(entry.activated),
        retired: at(entry.retired),
        ..KeyView::new(
            &entry.jwk.kid,
            entry.jwk.alg,
            state,
            ring.home().place(Some(entry)),
        )
    };
    match state {
        KeyState::Next => view.ready = timestamp(entry.ready(terms.lead, now)),
        KeyState::Active => view.rotates = at(entry.rotates(terms)),
        KeyState::Retiring => match entry.leaves(terms, holding) {
            Leaving::At(time) => view.leaves = timestamp(time),
            Leaving::HeldBy(tokens) => view.held_by = tokens,
        },
        KeyState::Extra => {}
    }
    view
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
