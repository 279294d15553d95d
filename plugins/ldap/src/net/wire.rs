//! One open connection and what is asked on it, each under a time limit. Many may search on
//! it at once: answers find their questions by message id (RFC 4511 section 4.1.1.1).

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use countersign_sdk::Secret;
use ldap3::{Ldap, LdapError, LdapResult};
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::failure::{self, Failure};
use super::guard::{Guard, Guarded};
use super::policy;
use super::rules::Account;

/// A farewell takes no longer.
const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Wire {
    ldap: Ldap,
    /// Some, until it is dropped.
    guard: Option<Guard>,
    /// The server's name, for texts.
    server: String,
    opened: Instant,
    /// When the last answer came, in milliseconds after `opened`.
    heard: AtomicU64,
    broken: AtomicBool,
    /// OpenLDAP remembers one paged search for each connection.
    pub(super) paging: Mutex<()>,
}

impl Wire {
    pub(super) fn new(opened: Guarded, server: String) -> Self {
        Wire {
            ldap: opened.ldap,
            guard: Some(opened.guard),
            server,
            opened: Instant::now(),
            heard: AtomicU64::new(0),
            broken: AtomicBool::new(false),
            paging: Mutex::new(()),
        }
    }

    /// Binds. A success under a condition (the password must be changed first) is none.
    pub(super) async fn bind(
        &self,
        name: &str,
        password: &Secret,
        limit: Duration,
    ) -> Result<(), Failure> {
        let mut ldap = self.ldap.clone();
        ldap.with_controls(vec![policy::request()]);
        let result = self
            .ask(limit, ldap.simple_bind(name, password.expose()))
            .await?;
        self.bound(result)
    }

    /// As the service account.
    pub(super) async fn bind_account(
        &self,
        account: &Account,
        limit: Duration,
    ) -> Result<(), Failure> {
        match account {
            Account::Simple(name, password) => self.bind(name, password, limit).await,
            Account::External => {
                let mut ldap = self.ldap.clone();
                let result = self.ask(limit, ldap.sasl_external_bind()).await?;
                self.bound(result)
            }
            Account::Nobody => Ok(()),
        }
    }

    /// Whoever was bound is no more: a refused bind leaves nobody, too (RFC 4511 section 4.2.1).
    pub(super) async fn forget_user(&self, limit: Duration) -> Result<(), Failure> {
        let mut ldap = self.ldap.clone();
        self.ask(limit, ldap.simple_bind("", "")).await.map(drop)
    }

    fn bound(&self, result: LdapResult) -> Result<(), Failure> {
        let policy = policy::error(result.rc, &result.ctrls);
        match (result.rc, policy) {
            (0, None) => Ok(()),
            _ => Err(failure::of_result(result, policy, &self.server)),
        }
    }

    /// Waits for an operation. One that is late or broken makes the connection useless:
    /// the server may still be at it.
    pub(super) async fn ask<T>(
        &self,
        limit: Duration,
        operation: impl Future<Output = ldap3::result::Result<T>>,
    ) -> Result<T, Failure> {
        let asked = self.now();
        match timeout(limit, calm(operation)).await {
            Ok(Ok(answer)) => {
                self.heard.store(self.now(), Ordering::Relaxed);
                Ok(answer)
            }
            Ok(Err(error)) => {
                let failure = failure::of_error(error, &self.server);
                let Failure::Lost(why) = failure else {
                    return Err(failure);
                };
                self.give_up();
                let ended = self.guard.as_ref().and_then(Guard::ended);
                Err(Failure::Lost(ended.cloned().unwrap_or(why)))
            }
            Err(_) => {
                self.give_up();
                let silent = self.heard.load(Ordering::Relaxed) <= asked;
                Err(Failure::Late { limit, silent })
            }
        }
    }

    /// A handle for an operation of its own.
    pub(super) fn ldap(&self) -> Ldap {
        self.ldap.clone()
    }

    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// How old it is.
    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// How long nothing has come.
    pub(super) fn quiet(&self) -> Duration {
        // Another thread may have heard something since.
        let heard = self.heard.load(Ordering::Relaxed);
        Duration::from_millis(self.now().saturating_sub(heard))
    }

    /// Nobody may begin anything on it.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.broken.load(Ordering::Relaxed) && !self.ldap.clone().is_closed()
    }

    /// Says goodbye and closes.
    pub(super) async fn close(mut self) {
        if let Some(farewell) = self.farewell() {
            farewell.await;
        }
    }

    /// Once: `None` afterwards.
    fn farewell(&mut self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let Guard { mut relay, .. } = self.guard.take()?;
        let mut ldap = self.ldap.clone();
        Some(async move {
            let said = async {
                let _ = ldap.unbind().await;
                drop(ldap);
                let _ = (&mut relay).await;
            };
            // A server that reads nothing would keep the connection for ever.
            if timeout(FAREWELL, said).await.is_err() {
                relay.abort();
            }
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Without a runtime nobody says goodbye; the connection ends all the same.
        if let (Some(farewell), Ok(runtime)) = (self.farewell(), Handle::try_current()) {
            drop(runtime.spawn(farewell));
        }
    }
}

/// ldap3 panics on some answers that are not LDAP; to us they are a broken connection.
async fn calm<T>(
    operation: impl Future<Output = ldap3::result::Result<T>>,
) -> ldap3::result::Result<T> {
    let mut operation = pin!(operation);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| operation.as_mut().poll(cx)));
        polled.unwrap_or_else(|_| {
            let source = std::io::Error::other("the answer is not LDAP");
            Poll::Ready(Err(LdapError::Io { source }))
        })
    })
    .await
}
