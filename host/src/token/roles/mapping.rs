//! `roles.mapping`: group → roles. Keys are compared exactly, distinguished names as such; a
//! group that misses a key narrowly is told, since that is the most common mistake in a mapping.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use super::dn::Dn;

/// The keys of one backend, read once.
#[derive(Debug, Default)]
pub(super) struct Mapping {
    keys: Vec<Key>,
    exact: HashMap<String, usize>,
    names: HashMap<Dn, Vec<usize>>,
    near: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
pub(super) struct Key {
    pub(super) text: String,
    pub(super) roles: Vec<String>,
    is_name: bool,
    /// Was it said already that a group misses it narrowly?
    told: AtomicBool,
}

/// By what a group misses a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// By its case.
    Case,
    /// By blanks, quotes or escapes; by case, too, perhaps.
    Spelling,
    /// One of the two is a distinguished name, the other only the value of its first part.
    Part,
}

impl Mapping {
    pub(super) fn new(mapping: &BTreeMap<String, Vec<String>>) -> Self {
        let mut made = Mapping::default();
        for (text, roles) in mapping {
            let at = made.keys.len();
            made.exact.insert(text.clone(), at);
            for squeezed in forms(text) {
                made.near.entry(squeezed).or_default().push(at);
            }
            let name = Dn::parse(text);
            let is_name = name.is_some();
            if let Some(name) = name {
                made.names.entry(name).or_default().push(at);
            }
            made.keys.push(Key {
                text: text.clone(),
                roles: roles.clone(),
                is_name,
                told: AtomicBool::new(false),
            });
        }
        made
    }

    /// The keys that a group is.
    pub(super) fn of(&self, group: &str) -> impl Iterator<Item = &Key> {
        let exact = self.exact.get(group).copied();
        let names = match self.names.is_empty() {
            true => None,
            false => Dn::parse(group).and_then(|name| self.names.get(&name)),
        };
        let others = names.into_iter().flatten().copied();
        let others = others.filter(move |at| Some(*at) != exact);
        exact.into_iter().chain(others).map(|at| &self.keys[at])
    }

    /// The key that a group misses most narrowly, if it is none.
    pub(super) fn missed_by(&self, group: &str) -> Option<(&Key, Miss)> {
        if self.near.is_empty() {
            return None;
        }
        let is_name = Dn::parse(group).is_some();
        let near = forms(group).filter_map(|form| self.near.get(&form));
        let near = near.flatten().map(|at| &self.keys[*at]);
        let missed = near.filter_map(|key| Some((key, miss(key, group, is_name)?)));
        missed.min_by_key(|(_, miss)| *miss as u8)
    }
}

impl Key {
    /// Says so in the log, once for each key.
    pub(super) fn tell(&self, backend: &str, group: &str, miss: Miss) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                backend,
                key = self.text,
                group,
                "a group misses this key of roles.mapping {}, and is not mapped: write the key as the group",
                miss.told()
            );
        }
    }

    #[cfg(test)]
    pub(super) fn was_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
impl Mapping {
    pub(super) fn told(&self) -> Vec<&str> {
        let told = self.keys.iter().filter(|key| key.was_told());
        told.map(|key| key.text.as_str()).collect()
    }
}

impl Miss {
    /// For people.
    pub fn told(self) -> &'static str {
        match self {
            Miss::Case => "only by its case",
            Miss::Spelling => "only by its spelling (blanks, quotes, escapes)",
            Miss::Part => "though the first part of the distinguished name is the same",
        }
    }
}

/// Two whole names that begin alike are two groups, and miss each other by nothing.
fn miss(key: &Key, group: &str, is_name: bool) -> Option<Miss> {
    match () {
        () if key.text.to_lowercase() == group.to_lowercase() => Some(Miss::Case),
        () if squeezed(&key.text) == squeezed(group) => Some(Miss::Spelling),
        () => (key.is_name != is_name).then_some(Miss::Part),
    }
}

/// What texts that miss each other narrowly have in common.
fn forms(text: &str) -> impl Iterator<Item = String> {
    let first = Dn::parse(text).and_then(|name| name.first().map(str::to_owned));
    [squeezed(text)]
        .into_iter()
        .chain(first.map(|first| squeezed(&first)))
}

fn squeezed(text: &str) -> String {
    let kept = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\\'));
    let folded = kept.collect::<String>().to_lowercase();
    // RFC 2253 still allowed it.
    folded.replace(';', ",")
}
