//! The service account's connections to one server. Each carries many searches at once, so
//! that a few of them serve hundreds of logins however far the server is. None of them is
//! ever bound as anybody else.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;
use tokio::time::timeout_at;

use super::failure::Failure;
use super::rules::Account;
use super::server::Server;
use super::wire::Wire;
use crate::trouble::Trouble;

/// A connection that so many use is busy: another is opened, if there may be one more.
const BUSY: usize = 8;
/// So many may use one connection.
const FULL: usize = 64;

#[derive(Default)]
pub(super) struct Lines {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    open: Vec<Arc<Line>>,
    opening: usize,
    /// The last attempt to open one that failed: those who waited for it share it.
    failed: Option<(Instant, Failure)>,
}

struct Line {
    wire: Wire,
    leases: AtomicUsize,
    /// When the last lease ended.
    left: Mutex<Instant>,
}

/// A share of a connection, until it is dropped.
pub(super) struct Lease {
    line: Arc<Line>,
    pub(super) server: Arc<Server>,
}

enum Pick {
    Share(Lease),
    Open(Opening),
    Wait,
}

impl Lines {
    /// A share of a connection to this server; waits no longer than an operation may take.
    pub(super) async fn lease(
        server: &Arc<Server>,
        account: &Account,
        alone: bool,
    ) -> Result<Lease, Failure> {
        let limit = server.timeouts.operation;
        let begun = Instant::now();
        loop {
            let mut changed = std::pin::pin!(server.lines.changed.notified());
            changed.as_mut().enable();
            match server.lines.pick(server, begun)? {
                Pick::Share(lease) => match server.check(lease.wire()).await {
                    Ok(()) => return Ok(lease),
                    Err(_) => lease.wire().give_up(),
                },
                // Somebody else found out meanwhile.
                _ if !alone && !server.is_up() => return Err(Failure::Crowded),
                Pick::Open(opening) => return opening.open(account, alone).await,
                Pick::Wait => timeout_at((begun + limit).into(), changed).await.map_err(|_| {
                    Failure::Final(Trouble::Unavailable(format!(
                        "{}: none of the {} connections of the service account (pool.size) was free \
                         within {limit:?}",
                        server.name, server.pool.size
                    )))
                })?,
            }
        }
    }

    /// The least busy connection, or the right to open one.
    fn pick(&self, server: &Arc<Server>, begun: Instant) -> Result<Pick, Failure> {
        let mut state = self.lock();
        let pool = server.pool;
        state
            .open
            .retain(|line| line.wire.is_usable() && line.wire.age() < pool.lifetime);
        let failed = state.failed.as_ref();
        let failed = failed.filter(|(when, _)| *when >= begun).cloned();
        let may_open = failed.is_none() && state.open.len() + state.opening < pool.size;
        let most = if may_open { BUSY } else { FULL };
        let least = state.open.iter().min_by_key(|line| line.leases());
        if let Some(line) = least.filter(|line| line.leases() < most) {
            return Ok(Pick::Share(Lease::new(line, server)));
        }
        match failed {
            Some((_, failure)) => Err(failure),
            None if may_open => {
                state.opening += 1;
                Ok(Pick::Open(Opening(Arc::clone(server))))
            }
            None => Ok(Pick::Wait),
        }
    }

    /// After a connection broke: the others that nobody uses may have broken unseen.
    pub(super) fn distrust(&self) {
        self.lock().open.retain(|line| line.leases() > 0);
        self.changed.notify_waiters();
    }

    /// Closes what lay too long or is too old.
    pub(super) fn sweep(&self, server: &Server) {
        let pool = server.pool;
        self.lock().open.retain(|line| {
            let idle = line.leases() == 0 && line.idle() >= pool.idle;
            line.wire.is_usable() && line.wire.age() < pool.lifetime && !idle
        });
        self.tell(server);
        self.changed.notify_waiters();
    }

    /// How many there are, for the metrics.
    fn tell(&self, server: &Server) {
        let (in_use, all) = {
            let state = self.lock();
            let in_use = state.open.iter().filter(|line| line.leases() > 0).count();
            (in_use, state.open.len())
        };
        server.metrics.pool(&server.name, in_use, all - in_use);
    }

    /// Closes those that nobody uses; the others end with their last lease.
    pub(super) async fn close(&self, server: &Server) {
        let open = std::mem::take(&mut self.lock().open);
        self.tell(server);
        for line in open.into_iter().filter_map(Arc::into_inner) {
            line.wire.close().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn leases(&self) -> usize {
        self.leases.load(Ordering::Relaxed)
    }

    fn idle(&self) -> std::time::Duration {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.elapsed()
    }
}

impl Lease {
    fn new(line: &Arc<Line>, server: &Arc<Server>) -> Self {
        line.leases.fetch_add(1, Ordering::Relaxed);
        Lease {
            line: Arc::clone(line),
            server: Arc::clone(server),
        }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.line.wire
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        *self
            .line
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.line.leases.fetch_sub(1, Ordering::Relaxed);
        self.server.lines.changed.notify_waiters();
    }
}

/// The right to open a connection; others wait for its end, whatever that is.
struct Opening(Arc<Server>);

impl Opening {
    async fn open(self, account: &Account, alone: bool) -> Result<Lease, Failure> {
        let server = &self.0;
        let wire = match Self::bound(server, account, alone).await {
            Ok(wire) => wire,
            Err(failure) => {
                if !matches!(failure, Failure::Crowded) {
                    server.lines.lock().failed = Some((Instant::now(), failure.clone()));
                }
                return Err(failure);
            }
        };
        let line = Arc::new(Line {
            wire,
            leases: AtomicUsize::new(0),
            left: Mutex::new(Instant::now()),
        });
        let lease = Lease::new(&line, server);
        server.lines.lock().open.push(line);
        server.lines.tell(server);
        Ok(lease)
    }

    async fn bound(server: &Server, account: &Account, alone: bool) -> Result<Wire, Failure> {
        let wire = server.connect(alone).await?;
        let bound = wire.bind_account(account, server.timeouts.connect).await;
        if !matches!(account, Account::Nobody) {
            let result = bound.as_ref().map(drop);
            server.metrics.bound(&server.name, result);
        }
        bound?;
        server.learn_more(&wire).await;
        Ok(wire)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.lines.lock().opening -= 1;
        self.0.lines.changed.notify_waiters();
    }
}
