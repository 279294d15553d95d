//! Connections for binding users. One user's at a time, and after him the next one's: a bind
//! replaces whoever was bound before it (RFC 4511 section 4.2.1). One that waits for more
//! than a moment is bound as nobody first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_sdk::Secret;
use tokio::sync::OwnedSemaphorePermit;

use super::failure::Failure;
use super::server::Server;
use super::wire::Wire;
use crate::trouble::Trouble;

/// Under load the next user comes within this time, and makes a reset needless.
const MOMENT: Duration = Duration::from_secs(1);
/// More than the pool's size are kept for so long only.
const SURPLUS: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<Spare>>);

struct Spare {
    wire: Wire,
    since: Instant,
    /// A user may still be bound on it.
    bound: bool,
}

/// A connection that one user is bound on, until it is dropped.
pub(super) struct Own {
    /// Some, until it is dropped.
    wire: Option<Wire>,
    pub(super) server: Arc<Server>,
    /// Nothing is under way on it.
    clean: bool,
    _permit: OwnedSemaphorePermit,
}

impl Spares {
    /// Binds a user, on a spare connection if there is one.
    pub(super) async fn bind(
        server: &Arc<Server>,
        name: &str,
        password: &Secret,
        alone: bool,
    ) -> Result<Wire, Failure> {
        let limit = server.timeouts.operation;
        if let Some(wire) = server.spares.take(server).await {
            let bound = wire.bind(name, password, limit).await;
            if !matches!(bound, Err(Failure::Lost(_))) {
                return server.spares.bound(server, wire, bound);
            }
            // It died as it lay there, and the others with it.
            server.spares.lock().clear();
        }
        let wire = server.connect(alone).await?;
        let bound = wire.bind(name, password, limit).await;
        if bound.is_ok() {
            server.learn_more(&wire).await;
        }
        server.spares.bound(server, wire, bound)
    }

    fn bound(
        &self,
        server: &Server,
        wire: Wire,
        bound: Result<(), Failure>,
    ) -> Result<Wire, Failure> {
        server.metrics.bound(&server.name, bound.as_ref().map(drop));
        match bound {
            Ok(()) => Ok(wire),
            Err(failure) => {
                // A wrong password leaves nobody bound; after anything else, who knows.
                if let Failure::Final(Trouble::Answer(answer)) = &failure
                    && answer.code == 49
                {
                    self.put(wire, false);
                }
                Err(failure)
            }
        }
    }

    fn put(&self, wire: Wire, bound: bool) {
        if wire.is_usable() {
            let since = Instant::now();
            self.lock().push(Spare { wire, since, bound });
        }
    }

    /// One that still works.
    async fn take(&self, server: &Server) -> Option<Wire> {
        loop {
            let spare = self.lock().pop()?;
            if !spare.wire.is_usable() || spare.wire.age() >= server.pool.lifetime {
                continue;
            }
            match server.check(&spare.wire).await {
                Ok(()) => return Some(spare.wire),
                // The others lay there as long.
                Err(_) => self.lock().clear(),
            }
        }
    }

    /// Closes what lay too long, and resets what a user is still bound on.
    pub(super) fn sweep(server: &Arc<Server>) {
        let pool = server.pool;
        let due: Vec<_> = {
            let mut spares = server.spares.lock();
            let mut rank = spares.len();
            spares.retain(|spare| {
                rank -= 1; // the last are taken first
                let limit = if rank < pool.size {
                    pool.idle
                } else {
                    SURPLUS.min(pool.idle)
                };
                spare.since.elapsed() < limit
                    && spare.wire.is_usable()
                    && spare.wire.age() < pool.lifetime
            });
            let due = |spare: &mut Spare| spare.bound && spare.since.elapsed() >= MOMENT;
            spares.extract_if(.., due).collect()
        };
        for mut spare in due {
            let server = Arc::clone(server);
            drop(tokio::spawn(async move {
                let limit = server.timeouts.operation;
                if spare.wire.forget_user(limit).await.is_ok() {
                    spare.bound = false;
                    server.spares.lock().insert(0, spare);
                }
            }));
        }
    }

    /// Closes all of them.
    pub(super) async fn close(&self) {
        let spares = std::mem::take(&mut *self.lock());
        for spare in spares {
            spare.wire.close().await;
        }
    }

    /// How many rest.
    #[cfg(test)]
    pub(super) fn resting(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Spare>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own {
    pub(super) fn new(wire: Wire, server: Arc<Server>, permit: OwnedSemaphorePermit) -> Self {
        Own {
            wire: Some(wire),
            server,
            clean: true,
            _permit: permit,
        }
    }

    /// Something is asked on it; until [`Own::done`] it is of no use to others.
    pub(super) fn begin(&mut self) -> Option<&Wire> {
        self.clean = false;
        self.wire.as_ref()
    }

    pub(super) fn done(&mut self) {
        self.clean = true;
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(wire) = self.wire.take().filter(|_| self.clean) {
            self.server.spares.put(wire, true);
        }
    }
}
