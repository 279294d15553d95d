//! One task of each host on PostgreSQL: it learns what the others have changed, and whether
//! the store is in sight.
//!
//! It listens on a connection of its own, and asks there for changes twice a second, too: that
//! finds a connection that was lost without a word, and does where a pooler between us and the
//! database does not pass notifications on. After a lost connection the same question catches up;
//! and all is read anew, since the database that is back may be another one, which has missed the
//! last changes of the one that was lost.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::changes::{self, CHANNEL, Topic};
use super::{Location, Pool, Store, StoreError, postgres};
use crate::clock;

/// Between two questions.
const PULSE: Duration = Duration::from_millis(500);

/// Between two attempts to reach a store that is out of sight.
const AGAIN: Duration = Duration::from_millis(100);

/// An answer takes no longer than this, where connecting was quick before.
const SHORT: Duration = Duration::from_millis(600);

/// No answer takes longer.
const LONG: Duration = Duration::from_secs(5);

/// One attempt in so many has the long time.
const LONG_EVERY: u32 = 4;

/// Watches as long as somebody holds the store.
pub(super) async fn watch(store: Weak<Store>) {
    let Some(options) = store.upgrade().and_then(|store| options(&store)) else {
        return;
    };
    let (mut attempt, mut was_lost) = (0_u32, false);
    let mut quick = LONG;
    loop {
        attempt = attempt.wrapping_add(1);
        let limit = match attempt.is_multiple_of(LONG_EVERY) {
            true => LONG,
            false => quick,
        };
        let begun = Instant::now();
        let reached = bounded(limit, listen(&options)).await;
        let lost = match reached {
            Ok(listener) => {
                attempt = 0;
                quick = SHORT.max(3 * begun.elapsed()).min(LONG);
                match follow(&store, listener, quick, was_lost).await {
                    Some(lost) => lost,
                    None => return,
                }
            }
            Err(lost) => lost,
        };
        match store.upgrade() {
            Some(store) if !store.is_closed() => store.sight.lose(&lost),
            _ => return,
        }
        was_lost = true;
        sleep(AGAIN).await;
    }
}

/// Follows the changes until the connection is lost, and says how; none = the store is no more.
async fn follow(
    store: &Weak<Store>,
    mut listener: PgListener,
    limit: Duration,
    was_lost: bool,
) -> Option<StoreError> {
    if was_lost {
        let store = store.upgrade().filter(|store| !store.is_closed())?;
        store.drop_idle();
        if let Err(lost) = store.come_back(&mut listener, limit).await {
            return Some(lost);
        }
    }
    loop {
        {
            let store = store.upgrade().filter(|store| !store.is_closed())?;
            if let Err(lost) = store.catch_up(&mut listener, limit).await {
                return Some(lost);
            }
            store.sight.see();
        }
        let heard = match timeout(PULSE, listener.try_recv()).await {
            Err(_) => continue,
            Ok(Ok(Some(heard))) => heard,
            Ok(Ok(None)) => return Some(StoreError::Lost),
            Ok(Err(error)) => return Some(StoreError::Query(error)),
        };
        let store = store.upgrade()?;
        store.hear(&heard);
        while let Some(heard) = listener.next_buffered() {
            store.hear(&heard);
        }
    }
}

impl Store {
    /// Reads what has changed since, in the order in which it did.
    async fn catch_up(&self, listener: &mut PgListener, limit: Duration) -> Result<(), StoreError> {
        loop {
            let last = self.shared.last();
            let rows = bounded(limit, changes::after(&mut *listener, last)).await?;
            let count = rows.len();
            for (seq, topic, subject, until) in rows {
                if topic == Topic::Revoked.name() {
                    let until = until.map(|until| u64::try_from(until).unwrap_or_default());
                    self.revoked.put(&subject, until);
                } else if topic == Topic::Ring.name() {
                    self.shared.ring_changed();
                }
                self.shared.saw(seq);
            }
            if count < usize::try_from(changes::AT_ONCE).unwrap_or_default() {
                return Ok(());
            }
        }
    }

    /// Catches up, and sees to it that all is read anew.
    async fn come_back(
        self: Arc<Self>,
        listener: &mut PgListener,
        limit: Duration,
    ) -> Result<(), StoreError> {
        self.catch_up(listener, limit).await?;
        let newest = bounded(limit, changes::newest(&mut *listener)).await?;
        self.shared.begin_again(newest);
        self.shared.ring_changed();
        tokio::spawn(async move {
            while let Err(error) = self.read_revoked(clock::unix_now()).await {
                tracing::warn!(%error, "what is revoked could not be read anew");
                if self.is_closed() || self.outage().is_some() {
                    return; // The next time that it is in sight.
                }
                sleep(LONG).await;
            }
        });
        Ok(())
    }

    fn hear(&self, heard: &PgNotification) {
        self.shared.hear(heard.payload());
    }

    /// Connections that wait in the pool are as old as the one that was lost, and may be as dead.
    fn drop_idle(&self) {
        if let Pool::Postgres(pool) = &self.pool {
            while let Some(connection) = pool.try_acquire() {
                drop(connection.detach());
            }
        }
    }
}

fn options(store: &Arc<Store>) -> Option<PgConnectOptions> {
    match &store.location {
        Location::Postgres(url) => postgres::options(url).ok(),
        Location::Sqlite(_) => None,
    }
}

/// A connection that listens. Where nobody answers is seen before: a pool would not say so, and
/// would wait.
async fn listen(options: &PgConnectOptions) -> sqlx::Result<PgListener> {
    if options.get_socket().is_none() {
        TcpStream::connect((options.get_host(), options.get_port())).await?;
    }
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_with(options.clone())
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

async fn bounded<T>(
    limit: Duration,
    query: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, StoreError> {
    match timeout(limit, query).await {
        Ok(done) => done.map_err(StoreError::Query),
        Err(_) => Err(StoreError::Slow(limit)),
    }
}
