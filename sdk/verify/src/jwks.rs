//! A client for published key sets: fetched when needed, cached, and never the reason
//! why an issuer's server or this one is flooded.
//!
//! - A set is fresh for as long as its `Cache-Control: max-age` says, between
//!   [`refetch`](JwksOptions::refetch) and [`fresh`](JwksOptions::fresh).
//! - An unknown `kid` fetches again, at most once per `refetch`; who asks meanwhile
//!   waits for that one fetch. A `kid` that was not there is remembered for five times
//!   as long and fetches nothing.
//! - When a fetch fails, the set of before goes on serving, up to
//!   [`stale`](JwksOptions::stale) after it was fetched.
//! - HTTPS alone, but for this machine's own loopback; redirects to HTTPS alone; the
//!   time and size of an answer and the number of its keys are bounded.

mod cache;
mod fetch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};

use crate::{KeySet, KeySetError};
use cache::{Cache, Step};

/// How a client behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwksOptions {
    /// The least time between two fetches; default 60 s.
    pub refetch: Duration,
    /// The longest time that a set is used without asking again; default 1 h.
    pub fresh: Duration,
    /// How long, since it was fetched, a set is used that cannot be renewed; default 24 h.
    pub stale: Duration,
    /// The time for one fetch, from connecting to the last byte; default 10 s.
    pub timeout: Duration,
    /// Certificates in PEM: the only authorities that are believed. `None` = the system's.
    pub authorities: Option<Vec<u8>>,
    /// Allow `http://` to hosts other than loopback: anybody on the way can then sign.
    pub plain_http: bool,
}

impl Default for JwksOptions {
    fn default() -> Self {
        JwksOptions {
            refetch: Duration::from_secs(60),
            fresh: Duration::from_secs(3_600),
            stale: Duration::from_secs(86_400),
            timeout: Duration::from_secs(10),
            authorities: None,
            plain_http: false,
        }
    }
}

/// Why there are no keys. The texts are for operators; they hold no URL, which may hold a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum JwksError {
    #[error("the address of the key set is no http(s) URL with a host")]
    Url,
    #[error("the address of the key set is http://, where anybody on the way can change the keys")]
    PlainHttp,
    #[error("the certificate authorities are no certificates in PEM")]
    Authorities,
    #[error("the HTTP client cannot be made: {0}")]
    Client(String),
    #[error("the key set did not come within the time allowed")]
    Timeout,
    #[error("the key set redirects too often, or to something other than https://")]
    Redirect,
    #[error("the key set cannot be fetched: {0}")]
    Unreachable(String),
    #[error("the key set is answered with status {0}, not 200")]
    Status(u16),
    #[error(transparent)]
    Set(#[from] KeySetError),
    #[error("the key set was fetched too long ago")]
    Stale,
}

/// Fetches and caches one key set. Share it: one per URL and process.
#[derive(Debug)]
pub struct JwksClient {
    http: Client,
    url: Url,
    cache: Arc<Mutex<Cache>>,
    flight: Arc<tokio::sync::Mutex<()>>,
}

impl JwksClient {
    /// A client for a URL; nothing is fetched yet.
    ///
    /// # Errors
    /// The URL or the certificates cannot be used.
    pub fn new(url: &str, options: JwksOptions) -> Result<JwksClient, JwksError> {
        let url: Url = url.parse().map_err(|_| JwksError::Url)?;
        let http = fetch::client(&url, &options)?;
        Ok(JwksClient {
            http,
            url,
            cache: Arc::new(Mutex::new(Cache::new(&options))),
            flight: Arc::default(),
        })
    }

    /// The keys to verify a token of this `kid` with, at a time in seconds since 1970. The
    /// set may lack the `kid`: then it is one that the issuer does not have.
    ///
    /// Must be called within a tokio runtime. A fetch goes on when the caller gives up.
    ///
    /// # Errors
    /// No set could be fetched, or the one that there is is too old.
    pub async fn keys(&self, kid: Option<&str>, now: u64) -> Result<Arc<KeySet>, JwksError> {
        let meanwhile = match self.cache().step(kid, now) {
            Step::Done(result) => return result,
            Step::Fetch { meanwhile } => meanwhile,
        };
        let flight = Arc::clone(&self.flight);
        let seat = match (flight.try_lock_owned(), meanwhile) {
            (Ok(seat), _) => seat,
            (Err(_), Some(stale)) => return Ok(stale),
            (Err(_), None) => Arc::clone(&self.flight).lock_owned().await,
        };
        // Whoever waited finds what the flight before brought.
        if let Step::Done(result) = self.cache().step(kid, now) {
            return result;
        }
        let (http, url) = (self.http.clone(), self.url.clone());
        let (cache, asked) = (Arc::clone(&self.cache), kid.map(str::to_owned));
        let landed = tokio::spawn(async move {
            let fetched = fetch::fetch(&http, url).await;
            let result = lock(&cache).land(fetched, asked.as_deref(), now);
            drop(seat);
            result
        });
        let lost = |_| Err(JwksError::Client("the fetch was stopped".into()));
        landed.await.unwrap_or_else(lost)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        lock(&self.cache)
    }
}

/// Every change of the cache is one assignment after another: there is no half of one.
fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
