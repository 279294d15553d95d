//! What may be used once: the state of a login, an authorization code, a session that was
//! ended. In this process's memory, bounded; what is forgotten too early is the oldest.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// This many are remembered.
const MOST: usize = 100_000;

/// Remembers what was used, until it would not be good any more anyway.
#[derive(Debug, Default)]
pub struct Once(Mutex<Used>);

#[derive(Debug, Default)]
struct Used {
    until: HashMap<String, u64>,
    /// By the time at which they may be forgotten.
    order: BTreeSet<(u64, String)>,
}

impl Once {
    /// Uses an id that is good until a time in seconds since 1970; false = it was used before.
    pub fn use_up(&self, id: &str, until: u64, now: u64) -> bool {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.until.contains_key(id) {
            return false;
        }
        used.until.insert(id.to_owned(), until);
        used.order.insert((until, id.to_owned()));
        true
    }

    /// Was it used?
    pub fn is_used(&self, id: &str) -> bool {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        used.until.contains_key(id)
    }
}

impl Used {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_used_once_until_its_time() {
        let once = Once::default();
        assert!(once.use_up("a", 10, 0));
        assert!(!once.use_up("a", 10, 9));
        assert!(once.is_used("a") && !once.is_used("b"));
        assert!(once.use_up("b", 20, 10));
        assert!(!once.is_used("a"));
    }

    #[test]
    fn ids_are_bounded_and_the_oldest_is_forgotten_first() {
        let once = Once::default();
        for n in 0..=MOST as u64 {
            assert!(once.use_up(&n.to_string(), n + 1_000, 0));
        }
        assert!(!once.is_used("0") && once.is_used("1"));
    }
}
