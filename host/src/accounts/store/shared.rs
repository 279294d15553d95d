//! What a host knows of the others: how far it has followed their changes, and what it has just
//! been told. Also values that all hosts share, made by the first that needs them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use tokio::sync::{broadcast, watch};

use super::{Pool, Store, StoreError, bounded, changes, on, random_uuid};

/// Messages that wait for whoever listens.
const WAITING: usize = 256;

/// Bytes of a shared secret.
const SECRET: usize = 32;

const KEEP: &str =
    "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

const FIND: &str = "SELECT value FROM secrets WHERE name = $1";

/// One host among others.
#[derive(Debug)]
pub(super) struct Shared {
    /// This host's own name, for the time of its process.
    host: String,
    /// The newest change that was seen.
    last: AtomicI64,
    /// How often a key ring has changed.
    rings: watch::Sender<u64>,
    told: broadcast::Sender<Arc<str>>,
}

impl Default for Shared {
    fn default() -> Self {
        Shared {
            host: random_uuid().unwrap_or_else(|| std::process::id().to_string()),
            last: AtomicI64::new(0),
            rings: watch::Sender::new(0),
            told: broadcast::Sender::new(WAITING),
        }
    }
}

impl Store {
    /// Does it have other hosts on it, perhaps?
    pub fn is_shared(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }

    /// Changes its value whenever a host, this one too, has changed a key ring.
    pub fn rings_changed(&self) -> watch::Receiver<u64> {
        self.shared.rings.subscribe()
    }

    /// What other hosts [`tell`](Self::tell). Whoever is too slow misses some.
    pub(in crate::accounts) fn told(&self) -> broadcast::Receiver<Arc<str>> {
        self.shared.told.subscribe()
    }

    /// Tells all other hosts what nobody needs to know later, each text at most 7,000 bytes.
    ///
    /// # Errors
    /// The store does not answer: nobody was told.
    pub(in crate::accounts) async fn tell(
        &self,
        texts: impl Iterator<Item = String>,
    ) -> Result<(), StoreError> {
        let Pool::Postgres(pool) = &self.pool else {
            return Ok(());
        };
        let host = &self.shared.host;
        let payloads: Vec<_> = texts.map(|text| format!("{host} {text}")).collect();
        bounded(changes::tell(pool, &payloads)).await
    }

    /// Random bytes that all hosts share under this name.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn secret(&self, name: &str) -> Result<[u8; SECRET], StoreError> {
        let mut fresh = [0; SECRET];
        rand::fill(&mut fresh).map_err(|_| StoreError::Random)?;
        on!(self, pool => bounded(
            sqlx::query(KEEP).bind(name).bind(STANDARD_NO_PAD.encode(fresh)).execute(pool)
        ).await.map(drop))?;
        let kept: String = on!(self, pool => bounded(
            sqlx::query_scalar(FIND).bind(name).fetch_one(pool)
        ).await)?;
        let kept = STANDARD_NO_PAD.decode(kept).ok();
        let kept = kept.and_then(|kept| kept.try_into().ok());
        kept.ok_or(StoreError::Damaged("a shared secret"))
    }
}

impl Shared {
    /// This host's own name.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// The newest change that was seen.
    pub(super) fn last(&self) -> i64 {
        self.last.load(Ordering::Acquire)
    }

    /// This change was seen, and all before it.
    pub(super) fn saw(&self, seq: i64) {
        self.last.fetch_max(seq, Ordering::AcqRel);
    }

    /// The newest change there is; fewer than were seen, in a database that has lost some.
    pub(super) fn begin_again(&self, newest: i64) {
        self.last.fetch_min(newest, Ordering::AcqRel);
    }

    pub(super) fn ring_changed(&self) {
        self.rings
            .send_modify(|times| *times = times.wrapping_add(1));
    }

    /// A notification: an empty one only wakes, and of a host's own words it needs none.
    pub(super) fn hear(&self, payload: &str) {
        if let Some((host, text)) = payload.split_once(' ')
            && host != self.host
        {
            // Nobody may be listening.
            let _ = self.told.send(text.into());
        }
    }
}
