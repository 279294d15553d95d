//! The life of the keys in a ring: taken up, completed, rotated, gone. Times are seconds since
//! 1970, given by whoever calls.

use std::collections::BTreeMap;
use std::path::Path;

use super::index::Entry;
use super::list::KeyState;
use super::ring::{Ring, Slot};
use super::{Jwk, KeyError, Terms};

/// Tokens that are remembered one by one, and that a key has signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// The newest `exp` among them.
    pub until: Option<u64>,
    /// Those that never expire, each as a person would find it.
    pub forever: Vec<String>,
}

/// By key id, what holds a key.
pub type Holding = BTreeMap<String, Held>;

/// When a retiring key goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaving {
    At(i64),
    /// When these tokens are revoked.
    HeldBy(Vec<String>),
}

impl Entry {
    /// From when on it may sign.
    pub(super) fn ready(&self, lead: i64, now: i64) -> i64 {
        let published = self.published.unwrap_or(now);
        // Both times are cut to whole seconds: one more, so that the lead is never shorter.
        published + if lead > 0 { lead + 1 } else { 0 }
    }

    /// When the schedule puts another in its place.
    pub(super) fn rotates(&self, terms: &Terms) -> Option<i64> {
        Some(self.activated? + terms.rotate_every?)
    }

    /// When the last token that it signed has expired.
    pub(super) fn leaves(&self, terms: &Terms, holding: &Holding) -> Leaving {
        let longest = i64::try_from(self.longest).unwrap_or(i64::MAX / 4);
        let mut last = self.retired.unwrap_or(self.created) + longest;
        if let Some(held) = holding.get(&self.jwk.kid) {
            if !held.forever.is_empty() {
                return Leaving::HeldBy(held.forever.clone());
            }
            let until = held.until.and_then(|until| i64::try_from(until).ok());
            last = last.max(until.unwrap_or_default());
        }
        Leaving::At(last + terms.grace + 1)
    }

    pub(super) fn retire(&mut self, now: i64) {
        (self.state, self.retired) = (KeyState::Retiring, Some(now));
    }

    fn activate(&mut self, now: i64) {
        (self.state, self.activated, self.retired) = (KeyState::Active, Some(now), None);
    }
}

impl Ring {
    /// Takes up the key of `keys.private_key`: another one than before signs at once, the one
    /// before it retires. The same one stays what it is, were it gone.
    pub(super) fn take_up(
        &mut self,
        given: Option<(&Jwk, &Path)>,
        slot: &Slot<'_>,
        now: i64,
        notices: &mut Vec<String>,
    ) -> Result<(), KeyError> {
        let kid = given.map(|(jwk, _)| &jwk.kid);
        let before = self.index.configured.clone();
        let Some((jwk, file)) = given else {
            if let Some(before) = before {
                self.index.configured = None;
                self.changed = true;
                let mut keys = self.index.keys.iter_mut();
                let was =
                    |entry: &&mut Entry| entry.jwk.kid == before && entry.state == KeyState::Active;
                if let Some(entry) = keys.find(was) {
                    entry.retire(now);
                    notices.push(format!(
                        "keys.private_key is gone: its key {before:?} retires, and another one signs at once"
                    ));
                }
            }
            return Ok(());
        };
        if kid == before.as_ref() {
            self.remember(jwk, file)?;
            let mut keys = self.index.keys.iter_mut();
            if let Some(entry) = keys.find(|entry| entry.jwk == *jwk)
                && entry.file.as_deref().is_some_and(|known| known != file)
            {
                entry.file = Some(file.to_owned());
                self.changed = true;
            }
            return Ok(());
        }
        if self.index.is_revoked(jwk) {
            let (kid, path) = (jwk.kid.clone(), file.to_owned());
            return Err(KeyError::Revoked { kid, path });
        }
        self.remember(jwk, file)?;
        self.index.configured = Some(jwk.kid.clone());
        self.changed = true;
        for entry in &mut self.index.keys {
            if entry.state == KeyState::Active && slot.holds(entry.jwk.alg) {
                entry.retire(now);
            }
        }
        let mut keys = self.index.keys.iter_mut();
        match keys.find(|entry| entry.jwk.kid == jwk.kid) {
            Some(entry) => entry.activate(now),
            None => {
                let mut entry = Entry::new(KeyState::Active, now, jwk.clone());
                entry.file = Some(file.to_owned());
                self.index.keys.push(entry);
            }
        }
        Ok(())
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
            let kid = match standby.map(|entry| entry.jwk.kid.clone()) {
                Some(kid) => kid,
                None => self.make(slot.algorithm, None, now, progress)?.kid,
            };
            self.activate(&kid, now);
        }
        if self.find(slot, KeyState::Next).is_none() {
            self.make(slot.algorithm, None, now, progress)?;
        }
        Ok(())
    }

    /// Notes what is published from now on, and how long the tokens live that are signed. A key
    /// that signs for nobody any more retires.
    pub(super) fn publish(&mut self, terms: &Terms, now: i64) {
        let slots = self.slots(terms.algorithm, &terms.named);
        let active = slots.iter().map(|slot| self.find(slot, KeyState::Active));
        let signing: Vec<String> = active
            .flatten()
            .map(|entry| entry.jwk.kid.clone())
            .collect();
        for entry in &mut self.index.keys {
            if entry.published.is_none() {
                entry.published = Some(now);
                self.changed = true;
            }
            if entry.state != KeyState::Active {
                continue;
            }
            if entry.activated.is_none() {
                entry.activated = Some(now);
                self.changed = true;
            }
            if entry.longest < terms.longest {
                entry.longest = terms.longest;
                self.changed = true;
            }
            if terms.anew && !signing.contains(&entry.jwk.kid) {
                entry.retire(now);
                self.changed = true;
            }
        }
    }

    /// Puts the standby of a slot in the place of the active key, and makes a new one.
    pub(super) fn advance(
        &mut self,
        slot: &Slot<'_>,
        now: i64,
        progress: &dyn Fn(&str),
    ) -> Result<(), KeyError> {
        for entry in &mut self.index.keys {
            if entry.state == KeyState::Active && slot.holds(entry.jwk.alg) {
                entry.retire(now);
                self.changed = true;
            }
        }
        self.complete(slot, now, progress)
    }

    /// What the time brings: a rotation that is due and may be, and the end of retiring keys.
    /// Without `holding` nothing ends: what holds keys is not known.
    ///
    /// # Errors
    /// [`KeyError`]: a key cannot be made.
    pub fn pass(
        &mut self,
        terms: &Terms,
        now: i64,
        holding: Option<&Holding>,
        progress: &dyn Fn(&str),
    ) -> Result<Passed, KeyError> {
        let mut passed = Passed::default();
        for slot in self.slots(terms.algorithm, &terms.named) {
            let active = self.find(&slot, KeyState::Active);
            let standby = self.find(&slot, KeyState::Next);
            let (Some(active), Some(standby)) = (active, standby) else {
                continue;
            };
            let due = active.rotates(terms).is_some_and(|at| at <= now);
            if due && standby.ready(terms.lead, now) <= now {
                passed.active.push(standby.jwk.kid.clone());
                self.advance(&slot, now, progress)?;
            }
        }
        self.publish(terms, now);
        if let Some(holding) = holding {
            let over = |entry: &Entry| {
                entry.state == KeyState::Retiring
                    && matches!(entry.leaves(terms, holding), Leaving::At(at) if at <= now)
            };
            let gone = self.take_out(over);
            passed.gone = gone.into_iter().map(|jwk| jwk.kid).collect();
        }
        // Now that the last other key of their algorithm may be gone.
        self.drop_strays(terms);
        Ok(passed)
    }

    /// Standbys of an algorithm that nobody asks for any more stay as long as its other keys, for
    /// an audience that comes back.
    fn drop_strays(&mut self, terms: &Terms) {
        let slots = self.slots(terms.algorithm, &terms.named);
        let standbys = slots.iter().map(|slot| self.find(slot, KeyState::Next));
        let needed: Vec<String> = standbys
            .flatten()
            .map(|entry| entry.jwk.kid.clone())
            .collect();
        let others = self.index.keys.iter();
        let others = others.filter(|entry| entry.state != KeyState::Next);
        let in_use: Vec<_> = others.map(|entry| entry.jwk.alg).collect();
        self.take_out(|entry| {
            entry.state == KeyState::Next
                && !needed.contains(&entry.jwk.kid)
                && !in_use.contains(&entry.jwk.alg)
        });
    }

    /// When the time brings something next.
    pub fn next(&self, terms: &Terms, now: i64, holding: &Holding) -> Option<i64> {
        let slots = self.slots(terms.algorithm, &terms.named);
        let rotations = slots.iter().filter_map(|slot| {
            let active = self.find(slot, KeyState::Active)?;
            let standby = self.find(slot, KeyState::Next)?;
            Some(active.rotates(terms)?.max(standby.ready(terms.lead, now)))
        });
        let retiring = self.index.keys.iter();
        let retiring = retiring.filter(|entry| entry.state == KeyState::Retiring);
        let ends = retiring.filter_map(|entry| match entry.leaves(terms, holding) {
            Leaving::At(at) => Some(at),
            Leaving::HeldBy(_) => None,
        });
        rotations.chain(ends).min()
    }

    /// The key of this id signs from now on.
    fn activate(&mut self, kid: &str, now: i64) {
        let mut keys = self.index.keys.iter_mut();
        if let Some(entry) = keys.find(|entry| entry.jwk.kid == kid) {
            entry.activate(now);
            self.changed = true;
        }
    }
}

/// What the time has brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passed {
    /// Ids of keys that sign from now on.
    pub active: Vec<String>,
    /// Ids of keys that are gone.
    pub gone: Vec<String>,
}
