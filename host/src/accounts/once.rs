//! What may be used once: the state of a login, an authorization code, a session that was
//! ended. The store remembers it, for every host and over a restart; where there is no store,
//! as in a check, this process's memory does, bounded: what is forgotten too early is the oldest.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::store::{Revocable, Store, StoreError};

/// This many are remembered in memory.
const MOST: usize = 100_000;

/// Remembers what was used, until it would not be good any more anyway. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Once(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Store(Arc<Store>),
    Memory(Arc<Mutex<Used>>),
}

#[derive(Debug, Default)]
struct Used {
    until: HashMap<String, u64>,
    /// By the time at which they may be forgotten.
    order: BTreeSet<(u64, String)>,
}

impl Default for Once {
    /// In memory.
    fn default() -> Self {
        Once(Kept::Memory(Arc::default()))
    }
}

impl Once {
    /// In the store.
    pub fn kept_in(store: Arc<Store>) -> Self {
        Once(Kept::Store(store))
    }

    /// Uses an id that is good until a time in seconds since 1970; false = it was used before.
    ///
    /// # Errors
    /// The store does not answer: whether it was used is not known, so it counts for nothing.
    pub async fn use_up(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        match &self.0 {
            Kept::Store(store) => store.use_up(id, until, now).await,
            Kept::Memory(used) => Ok(locked(used).use_up(id, until, now)),
        }
    }

    /// Ends the session of this id, which is good until then otherwise.
    ///
    /// # Errors
    /// The store does not answer: so far it is ended at this host alone.
    pub async fn end_session(&self, id: &str, until: u64, now: u64) -> Result<(), StoreError> {
        match &self.0 {
            Kept::Store(store) => store.revoke(Revocable::Session(id), Some(until), now).await,
            Kept::Memory(used) => {
                locked(used).use_up(&ended(id), until, now);
                Ok(())
            }
        }
    }

    /// Was the session of this id ended? Asks nobody. Where the store has been out of sight for
    /// longer than `store.outage`, nobody knows: then every one was.
    pub fn is_ended(&self, id: &str) -> bool {
        match &self.0 {
            Kept::Store(store) => {
                store.is_revoked(Revocable::Session(id)) || store.lost().is_some()
            }
            Kept::Memory(used) => locked(used).until.contains_key(&ended(id)),
        }
    }
}

impl Used {
    fn use_up(&mut self, id: &str, until: u64, now: u64) -> bool {
        self.forget(now);
        if self.until.contains_key(id) {
            return false;
        }
        self.until.insert(id.to_owned(), until);
        self.order.insert((until, id.to_owned()));
        true
    }

    /// What is no good any more, and the oldest where there are too many.
    fn forget(&mut self, now: u64) {
        while let Some((until, _)) = self.order.first() {
            if *until > now && self.order.len() < MOST {
                break;
            }
            if let Some((_, id)) = self.order.pop_first() {
                self.until.remove(&id);
            }
        }
    }
}

fn locked(used: &Mutex<Used>) -> std::sync::MutexGuard<'_, Used> {
    used.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ids of sessions among those of other things.
fn ended(id: &str) -> String {
    format!("session {id}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn id_is_used_once_until_its_time() {
        let once = Once::default();
        assert!(once.use_up("a", 10, 0).await.unwrap());
        assert!(!once.use_up("a", 10, 9).await.unwrap());
        assert!(once.use_up("a", 20, 10).await.unwrap());
    }

    #[tokio::test]
    async fn session_is_ended_by_its_id_alone() {
        let once = Once::default();
        once.end_session("a", 10, 0).await.unwrap();
        once.end_session("a", 10, 0).await.unwrap();
        assert!(once.is_ended("a") && !once.is_ended("b"));
        assert!(once.use_up("a", 10, 0).await.unwrap());
    }

    #[test]
    fn ids_are_bounded_and_the_oldest_is_forgotten_first() {
        let mut used = Used::default();
        for n in 0..=MOST as u64 {
            assert!(used.use_up(&n.to_string(), n + 1_000, 0));
        }
        assert!(!used.until.contains_key("0") && used.until.contains_key("1"));
    }
}
