//! All keys of a server: those that audiences share, and the rings of those that have one of
//! their own; and which of them serve now, while keys rotate.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::KeySet;

/// The keys at one moment.
#[derive(Debug)]
pub struct Rings {
    shared: KeySet,
    own: BTreeMap<String, KeySet>,
}

impl Rings {
    /// The shared ring, and the rings of audiences by their names in `tokens.audiences`.
    pub fn new(shared: KeySet, own: BTreeMap<String, KeySet>) -> Self {
        Rings { shared, own }
    }

    /// What signs for the default audience, and for every one without a ring of its own.
    pub fn shared(&self) -> &KeySet {
        &self.shared
    }

    /// The rings of audiences' own, by the audiences' names.
    pub fn own(&self) -> &BTreeMap<String, KeySet> {
        &self.own
    }

    /// All of them by the audiences' names, the shared one first, which has none.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &KeySet)> {
        let own = self.own.iter();
        let own = own.map(|(name, keys)| (Some(name.as_str()), keys));
        std::iter::once((None, &self.shared)).chain(own)
    }

    /// What the operator should know, one sentence each.
    pub fn notices(&self) -> Vec<String> {
        let all = self.all().map(|(audience, keys)| {
            let of = audience.map_or_else(String::new, |name| format!("audience {name}: "));
            keys.notices()
                .iter()
                .map(move |notice| format!("{of}{notice}"))
        });
        all.flatten().collect()
    }

    /// What signs for an audience; none = the default one.
    pub fn of(&self, audience: Option<&str>) -> &KeySet {
        let own = audience.and_then(|name| self.own.get(name));
        own.unwrap_or(&self.shared)
    }
}

/// The keys that serve now: a rotation replaces them while requests go on.
#[derive(Debug)]
pub struct Current(ArcSwap<Rings>);

impl Current {
    /// With the keys of the start.
    pub fn new(rings: Rings) -> Self {
        Current(ArcSwap::from_pointee(rings))
    }

    /// The keys of this moment: hold them as long as one token is made, and no longer.
    pub fn load(&self) -> Guard<Arc<Rings>> {
        self.0.load()
    }

    /// These serve from now on.
    pub fn replace(&self, rings: Rings) {
        self.0.store(Arc::new(rings));
    }
}
