//! One task of each host on PostgreSQL: it learns what the others have changed, and whether
//! the store is in sight.
//!
//! It listens on a connection of its own, and asks there for changes twice a second, too: that
//! finds a connection that was lost without a word, and does where a pooler between us and the
//! database does not pass notifications on. After a lost connection the same question catches up;
//! and all is read anew, since the database that is back may be another one, which has missed the
//! last changes of the one that was lost.

use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgListener, PgNotification, PgPoolOptions};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::changes::{self, CHANNEL, Topic};
use super::{Location, Pool, Store, StoreError, postgres};
use crate::clock;

/// Between two questions.
const PULSE: Duration = Duration::from_millis(500);

/// After an attempt to reach the store that was refused.
const AGAIN: Duration = Duration::from_millis(50);

/// An attempt that has no answer yet has another one beside it after this time: a network that
/// is back takes up a new one at once, and one that it has swallowed late or never.
const BESIDE: Duration = Duration::from_millis(400);

/// Attempts beside each other.
const ATTEMPTS: usize = 8;

/// An answer takes no longer than this, where connecting was quick before.
const SHORT: Duration = Duration::from_millis(600);

/// No answer takes longer.
const LONG: Duration = Duration::from_secs(4);

/// Watches as long as somebody holds the store.
pub(super) async fn watch(store: Weak<Store>) {
    let Some(options) = store.upgrade().and_then(|store| options(&store)) else {
        return;
    };
    let mut was_lost = false;
    while let Some((listener, took)) = reach(&store, &options, &mut was_lost).await {
        let limit = SHORT.max(3 * took).min(LONG);
        match follow(&store, listener, limit, was_lost).await {
            Some(lost) if lose(&store, &lost) => was_lost = true,
            _ => return,
        }
    }
}

/// A connection that listens, and how long it took to make; none = the store is no more.
async fn reach(
    store: &Weak<Store>,
    options: &PgConnectOptions,
    was_lost: &mut bool,
) -> Option<(PgListener, Duration)> {
    let mut attempts = JoinSet::new();
    loop {
        if attempts.len() < ATTEMPTS {
            let options = options.clone();
            attempts.spawn(async move {
                let begun = Instant::now();
                let listener = bounded(LONG, listen(&options)).await?;
                Ok((listener, begun.elapsed()))
            });
        }
        let lost = match timeout(BESIDE, attempts.join_next()).await {
            Ok(Some(Ok(Ok(reached)))) => return Some(reached),
            Ok(Some(Ok(Err(lost)))) => lost,
            Ok(_) => StoreError::Lost,
            // Its reason is told when it has one.
            Err(_) => continue,
        };
        *was_lost = true;
        if !lose(store, &lost) {
            return None;
        }
        sleep(AGAIN).await;
    }
}

/// It is not in sight; false = it is no more.
fn lose(store: &Weak<Store>, lost: &StoreError) -> bool {
    let store = store.upgrade().filter(|store| !store.is_closed());
    store.inspect(|store| store.sight.lose(lost)).is_some()
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
        // There may be much to read.
        if let Err(lost) = store.come_back(&mut listener, LONG).await {
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
        self.owed.pay_soon();
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

/// A connection that listens.
async fn listen(options: &PgConnectOptions) -> sqlx::Result<PgListener> {
    knock(options).await?;
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

/// Sees whether somebody answers there: a pool would not say that nobody does, and would wait.
async fn knock(options: &PgConnectOptions) -> io::Result<()> {
    let host = options.get_host();
    // A host that begins with a slash is the folder of a socket.
    if options.get_socket().is_some() || host.starts_with('/') {
        return Ok(());
    }
    // As in a url, an address of IPv6 stands in brackets.
    let host = host.trim_matches(['[', ']']);
    TcpStream::connect((host, options.get_port()))
        .await
        .map(drop)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn database_is_found_by_every_kind_of_host() {
        let listener = TcpListener::bind(("::1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = |host: &str| format!("postgres://ada@{host}:{port}/countersign");
        let options = |url: String| url.parse::<PgConnectOptions>().unwrap();
        knock(&options(url("[::1]"))).await.unwrap();
        knock(&options(url("%2Frun%2Fpostgresql"))).await.unwrap();
        let default = PgConnectOptions::new().host("/run/postgresql");
        knock(&default).await.unwrap();
        drop(listener);
        let refused = knock(&options(url("[::1]"))).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
