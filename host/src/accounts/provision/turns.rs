//! One after the other: first logins of one user in this process.

use std::hash::{BuildHasher, RandomState};

use tokio::sync::{Mutex, MutexGuard};

use crate::accounts::store::LinkKey;

/// Few enough to cost nothing, many enough that different users seldom share one.
const LANES: usize = 64;

/// Each user has his lane; it may be shared with others, so no lane is held longer than
/// the calls of one login take.
#[derive(Debug)]
pub(super) struct Turns {
    lanes: [Mutex<()>; LANES],
    hasher: RandomState,
}

impl Turns {
    /// Waits for the turn of this user; it ends when the guard is dropped.
    pub(super) async fn take(&self, key: &LinkKey) -> MutexGuard<'_, ()> {
        let lane = self.hasher.hash_one(key) % LANES as u64;
        self.lanes[lane as usize].lock().await
    }
}

impl Default for Turns {
    fn default() -> Self {
        Turns {
            lanes: std::array::from_fn(|_| Mutex::new(())),
            hasher: RandomState::new(),
        }
    }
}
