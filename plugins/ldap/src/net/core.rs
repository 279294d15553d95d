//! What all sessions of one backend share: the servers, the account, and how many may be
//! under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_sdk::{Cx, Secret};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::lines::{Lease, Lines};
use super::rules::Account;
use super::servers::Servers;
use super::spares::{Own, Spares};
use crate::trouble::{Answer, Trouble};

/// Users that are bound at the same time, at most.
const USERS: usize = 1_024;
/// How often connections are looked after.
const BEAT: Duration = Duration::from_secs(1);

pub(super) struct Core {
    pub(super) servers: Servers,
    account: Account,
    users: Arc<Semaphore>,
    operation: Duration,
    closed: AtomicBool,
}

impl Core {
    pub(super) fn new(servers: Servers, account: Account, operation: Duration) -> Self {
        Core {
            servers,
            account,
            users: Arc::new(Semaphore::new(USERS)),
            operation,
            closed: AtomicBool::new(false),
        }
    }

    /// A share of the service account's connections to the first server that works.
    pub(super) async fn lease(&self) -> Result<Lease, Trouble> {
        self.open()?;
        let mut tour = self.servers.tour().await?;
        while let Some((server, alone)) = tour.next() {
            match Lines::lease(&server, &self.account, alone).await {
                Ok(lease) => return Ok(lease),
                Err(failure) => tour.failed(&server, failure)?,
            }
        }
        Err(tour.trouble())
    }

    /// A connection of its own for this user, at the first server that works.
    pub(super) async fn bind(&self, name: &str, password: &Secret) -> Result<Own, Trouble> {
        self.open()?;
        if name.is_empty() || password.expose().is_empty() {
            // To a server that is a bind of nobody, which succeeds (RFC 4513 section 5.1.2).
            return Err(Trouble::Answer(Answer {
                code: 49,
                text: "an empty name or password was not sent to any server".to_owned(),
                ..Answer::default()
            }));
        }
        let permit = timeout(self.operation, Arc::clone(&self.users).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            let limit = self.operation;
            return Err(Trouble::Unavailable(format!(
                "{USERS} users are being bound, and none was done within {limit:?}"
            )));
        };
        let mut tour = self.servers.tour().await?;
        while let Some((server, alone)) = tour.next() {
            match Spares::bind(&server, name, password, alone).await {
                Ok(wire) => return Ok(Own::new(wire, server, permit)),
                Err(failure) => tour.failed(&server, failure)?,
            }
        }
        Err(tour.trouble())
    }

    /// Looks after the connections until nobody needs them any more.
    pub(super) fn look_after(core: &Arc<Core>, cx: &Cx) {
        let core = Arc::downgrade(core);
        cx.spawn(async move { while beat(&core).await {} });
    }

    /// Closes everything that is not in use, and opens nothing any more.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        for server in self.servers.known() {
            server.lines.close(&server).await;
            server.spares.close().await;
        }
    }

    fn open(&self) -> Result<(), Trouble> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Trouble::Unavailable("the backend is shut down".to_owned()));
        }
        Ok(())
    }
}

async fn beat(core: &Weak<Core>) -> bool {
    sleep(BEAT).await;
    let Some(core) = core.upgrade() else {
        return false;
    };
    for server in core.servers.known() {
        server.sweep();
    }
    true
}
