//! Revocations that the store could not take when they were made. This host refuses them at once
//! all the same, and writes them down as soon as the store answers. Whoever revoked was told that
//! it is not done: only the store outlives this process, and only from there the others learn it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::{Store, StoreError};
use crate::clock;

/// This many wait; beyond that a revocation that fails has no effect at all.
const MOST: usize = 10_000;

/// Between two attempts.
const AGAIN: Duration = Duration::from_secs(1);

/// So often it looks whether the store is still held by anybody.
const LOOK: Duration = Duration::from_secs(60);

/// By name, as the store has them: until when it would be good otherwise.
#[derive(Debug, Default)]
pub(super) struct Owed {
    waiting: Mutex<HashMap<Box<str>, Option<u64>>>,
    soon: Arc<Notify>,
}

impl Store {
    /// Revocations that this host alone knows yet.
    pub fn count_owed(&self) -> usize {
        self.owed.waiting().len()
    }

    /// Writes down the revocations that this host alone knows yet.
    ///
    /// # Errors
    /// The store does not answer: they go on waiting.
    pub async fn pay(&self) -> Result<(), StoreError> {
        let waiting: Vec<_> = self.owed.waiting().clone().into_iter().collect();
        for (name, until) in waiting {
            self.write_revoked(&name, until, clock::unix_now()).await?;
            self.owed.paid(&name, until);
        }
        Ok(())
    }
}

impl Owed {
    /// It waits from now on; false = too many do.
    pub(super) fn owe(&self, name: &str, until: Option<u64>) -> bool {
        let mut waiting = self.waiting();
        if waiting.len() >= MOST && !waiting.contains_key(name) {
            return false;
        }
        waiting.insert(name.into(), until);
        self.soon.notify_one();
        true
    }

    /// The store is back.
    pub(super) fn pay_soon(&self) {
        self.soon.notify_one();
    }

    /// Unless it was revoked anew meanwhile.
    fn paid(&self, name: &str, until: Option<u64>) {
        let mut waiting = self.waiting();
        if waiting.get(name) == Some(&until) {
            waiting.remove(name);
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Box<str>, Option<u64>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Pays as long as somebody holds the store.
pub(super) async fn pay(store: Weak<Store>) {
    let Some(soon) = store.upgrade().map(|store| Arc::clone(&store.owed.soon)) else {
        return;
    };
    loop {
        // Either way it looks.
        let _ = timeout(LOOK, soon.notified()).await;
        loop {
            let Some(store) = store.upgrade().filter(|store| !store.is_closed()) else {
                return;
            };
            if store.count_owed() == 0 {
                break;
            }
            // Out of sight, nobody is asked; that it is back is seen within a moment.
            if store.outage().is_none() {
                match store.pay().await {
                    Ok(()) => {
                        tracing::info!("revocations that the store could not take are written now");
                        break;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "revocations wait for the store");
                    }
                }
            }
            drop(store);
            sleep(AGAIN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_goes_when_it_is_paid() {
        let owed = Owed::default();
        for n in 0..MOST {
            assert!(owed.owe(&n.to_string(), Some(1)));
        }
        assert!(!owed.owe("more", None));
        assert!(owed.owe("0", None), "waits already, and longer from now on");
        owed.paid("0", Some(1));
        assert_eq!(owed.waiting().len(), MOST, "the longer one is not paid yet");
        owed.paid("0", None);
        assert!(owed.owe("more", None));
    }
}
