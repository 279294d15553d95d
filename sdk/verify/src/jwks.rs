//! A client for published key sets: fetched when needed, cached, and never the reason
//! why an issuer's server or this one is flooded.
//!
//! - A set is fresh for as long as its `Cache-Control: max-age` says, between
//!   [`refetch`](JwksOptions::refetch) and [`fresh`](JwksOptions::fresh).
//! - An unknown `kid` fetches again, at most once per `refetch`; who asks meanwhile
//!   waits for that one fetch. A `kid` that was not there is remembered for five times
//!   as long and fetches nothing.
//! - All fetches together are one per `refetch` in the long run: a set that was renewed
//!   a moment ago does not keep a new key from being found, but the next one waits.
//! - When a fetch fails, the set of before goes on serving, up to
//!   [`stale`](JwksOptions::stale) after it was fetched; and nobody whose key is known
//!   waits longer than [`patience`](JwksOptions::patience) for a server that is slow.
//!   A `kid` that it lacks is then no verdict: nobody knows whether the key exists.
//! - HTTPS alone, but for this machine's own loopback; redirects to HTTPS alone, or none;
//!   the time and size of an answer and the number of its keys are bounded.

mod cache;
mod fetch;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};

use crate::{KeySet, KeySetError, Now};
use cache::{Cache, Step};

/// How a client behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JwksOptions {
    /// The least time between two fetches, of any cause in the long run; default 60 s.
    pub refetch: Duration,
    /// The longest time that a set is used without asking again; default 1 h.
    pub fresh: Duration,
    /// How long, since it was fetched, a set is used that cannot be renewed; default 24 h.
    pub stale: Duration,
    /// The time for one fetch, from connecting to the last byte; default 10 s.
    pub timeout: Duration,
    /// How long a token of a known key waits for a set that is being renewed; then the set of
    /// before serves it. Default 1 s.
    pub patience: Duration,
    /// Redirects that are followed, one after another; default 3.
    pub redirects: usize,
    /// Certificates in PEM: the only authorities that are believed. `None` = the system's.
    pub authorities: Option<Vec<u8>>,
    /// Allow `http://` to hosts other than loopback: anybody on the way can then sign.
    pub plain_http: bool,
    /// Told of every fetch; default nobody.
    pub observer: Observer,
}

/// Who is told what each fetch brought: for metrics, and for a log of one's own.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Observe>>);

type Observe = dyn Fn(Result<&KeySet, &JwksError>) + Send + Sync;

impl Observer {
    /// It is called in the task of the fetch, and must not block.
    pub fn new(observe: impl Fn(Result<&KeySet, &JwksError>) + Send + Sync + 'static) -> Observer {
        Observer(Some(Arc::new(observe)))
    }

    fn tell(&self, fetched: Result<&KeySet, &JwksError>) {
        if let Some(observe) = &self.0 {
            observe(fetched);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "None" })
    }
}

impl Default for JwksOptions {
    fn default() -> Self {
        JwksOptions {
            refetch: Duration::from_secs(60),
            fresh: Duration::from_secs(3_600),
            stale: Duration::from_secs(86_400),
            timeout: Duration::from_secs(10),
            patience: Duration::from_secs(1),
            redirects: 3,
            authorities: None,
            plain_http: false,
            observer: Observer::default(),
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
    #[error("the key set is answered with status {status}: come again in {} s", .retry_after.as_secs())]
    Busy { status: u16, retry_after: Duration },
    #[error("where the key set is cannot be learnt: {what}")]
    Address {
        what: String,
        retry_after: Option<Duration>,
    },
    #[error(transparent)]
    Set(#[from] KeySetError),
    #[error("the key set was fetched too long ago")]
    Stale,
}

impl JwksError {
    /// When the server said to come again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            JwksError::Busy { retry_after, .. } => Some(*retry_after),
            JwksError::Address { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// Fetches and caches one key set. Share it: one per URL and process.
#[derive(Debug)]
pub struct JwksClient {
    http: Client,
    url: Url,
    cache: Arc<Mutex<Cache>>,
    flight: Arc<tokio::sync::Mutex<()>>,
    patience: Duration,
    observer: Observer,
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
            patience: options.patience,
            observer: options.observer,
        })
    }

    /// The keys to verify a token of this `kid` with, at a time. The set may lack the `kid`:
    /// then it is one that the issuer does not have, as far as it may be asked.
    ///
    /// Must be called within a tokio runtime. A fetch goes on when the caller gives up.
    ///
    /// # Errors
    /// No set could be fetched; the one that there is is too old; or it lacks the `kid`, and no
    /// newer one could be fetched.
    pub async fn keys(
        &self,
        kid: Option<&str>,
        now: impl Into<Now>,
    ) -> Result<Arc<KeySet>, JwksError> {
        let now = now.into().millis();
        let meanwhile = match self.cache().step(kid, now) {
            Step::Done(result) => return result,
            Step::Fetch { meanwhile } => meanwhile,
        };
        let flight = Arc::clone(&self.flight);
        let seat = match (flight.try_lock_owned(), &meanwhile) {
            (Ok(seat), _) => seat,
            (Err(_), Some(stale)) => return Ok(Arc::clone(stale)),
            (Err(_), None) => Arc::clone(&self.flight).lock_owned().await,
        };
        // Whoever waited finds what the flight before brought.
        if let Step::Done(result) = self.cache().step(kid, now) {
            return result;
        }
        let (http, url) = (self.http.clone(), self.url.clone());
        let (cache, asked) = (Arc::clone(&self.cache), kid.map(str::to_owned));
        let observer = self.observer.clone();
        let flight = tokio::spawn(async move {
            let fetched = fetch::fetch(&http, url).await;
            observer.tell(fetched.as_ref().map(|fetched| &fetched.set));
            let result = lock(&cache).land(fetched, asked.as_deref(), now);
            drop(seat);
            result
        });
        let landed = match meanwhile {
            None => flight.await,
            Some(stale) => match tokio::time::timeout(self.patience, flight).await {
                Ok(landed) => landed,
                Err(_) => return Ok(stale),
            },
        };
        landed.unwrap_or_else(|_| Err(JwksError::Client("the fetch was stopped".into())))
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        lock(&self.cache)
    }
}

/// Every change of the cache is one assignment after another: there is no half of one.
fn lock(cache: &Mutex<Cache>) -> MutexGuard<'_, Cache> {
    cache.lock().unwrap_or_else(PoisonError::into_inner)
}
