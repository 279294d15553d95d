//! Something that is fetched when it is needed, once for all who wait, and used on for a
//! bounded time when it cannot be renewed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_sdk::prelude::*;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::settings::Cache;
use crate::trouble::Trouble;

/// While there is nothing at all, waiting longer helps nobody.
const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// Who has something old waits no longer than this for something new.
const PATIENCE: Duration = Duration::from_secs(1);

/// A cache of one thing.
pub(super) struct Renewed<T> {
    refetch: Duration,
    fresh: Duration,
    stale: Duration,
    state: Arc<Mutex<State<T>>>,
    flight: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    held: Option<(Arc<T>, Instant)>,
    /// It seems to be no longer true, and serves until there is something newer.
    doubted: bool,
    tried: Option<Instant>,
    trouble: Option<Trouble>,
}

enum Step<T> {
    Done(Result<Arc<T>, Trouble>),
    Fetch { meanwhile: Option<Arc<T>> },
}

impl<T: Send + Sync + 'static> Renewed<T> {
    pub(super) fn new(times: &Cache) -> Self {
        Renewed {
            refetch: times.refetch,
            fresh: times.fresh.max(times.refetch),
            stale: times.stale.max(times.fresh).max(times.refetch),
            state: Arc::new(Mutex::new(State {
                held: None,
                doubted: false,
                tried: None,
                trouble: None,
            })),
            flight: Arc::default(),
        }
    }

    /// What there is, or what `fetch` brings. A fetch goes on when the caller gives up.
    pub(super) async fn get<F>(&self, cx: &Cx, fetch: impl FnOnce() -> F) -> Result<Arc<T>, Trouble>
    where
        F: Future<Output = Result<T, Trouble>> + Send + 'static,
    {
        let meanwhile = match self.step() {
            Step::Done(result) => return result,
            Step::Fetch { meanwhile } => meanwhile,
        };
        let seat = match (Arc::clone(&self.flight).try_lock_owned(), &meanwhile) {
            (Ok(seat), _) => seat,
            (Err(_), Some(old)) => return Ok(Arc::clone(old)),
            (Err(_), None) => Arc::clone(&self.flight).lock_owned().await,
        };
        // Whoever waited finds what the flight before brought.
        if let Step::Done(result) = self.step() {
            return result;
        }
        let (landed, landing) = oneshot::channel();
        let (state, fetching, stale) = (Arc::clone(&self.state), fetch(), self.stale);
        cx.spawn(async move {
            let fetched = fetching.await;
            let result = lock(&state).land(fetched, stale);
            drop(seat);
            let _ = landed.send(result);
        });
        let landed = match meanwhile {
            None => landing.await,
            Some(old) => match tokio::time::timeout(PATIENCE, landing).await {
                Ok(landed) => landed,
                Err(_) => return Ok(old),
            },
        };
        landed.unwrap_or_else(|_| Err(Trouble::new("the provider was not asked to the end")))
    }

    /// It seems to be no longer true: it is fetched again as soon as it may be.
    pub(super) fn doubt(&self) {
        lock(&self.state).doubted = true;
    }

    fn step(&self) -> Step<T> {
        let state = lock(&self.state);
        let held = state.usable(self.stale);
        let told = state.trouble.as_ref().and_then(|told| told.retry_after);
        let pause = match &held {
            Some(_) => self.refetch,
            None => self.refetch.min(SHORT_PAUSE),
        };
        let pause = pause.max(told.unwrap_or_default());
        let due = state.tried.is_none_or(|tried| tried.elapsed() >= pause);
        match held {
            Some((held, fetched)) if !due || !state.doubted && fetched.elapsed() < self.fresh => {
                Step::Done(Ok(Arc::clone(held)))
            }
            Some((held, _)) => Step::Fetch {
                meanwhile: Some(Arc::clone(held)),
            },
            None if due => Step::Fetch { meanwhile: None },
            None => Step::Done(Err(state.worst())),
        }
    }
}

impl<T> State<T> {
    fn usable(&self, stale: Duration) -> Option<&(Arc<T>, Instant)> {
        let held = self.held.as_ref();
        held.filter(|(_, fetched)| fetched.elapsed() < stale)
    }

    fn worst(&self) -> Trouble {
        let unknown = || Trouble::new("the provider's metadata is too old");
        self.trouble.clone().unwrap_or_else(unknown)
    }

    fn land(&mut self, fetched: Result<T, Trouble>, stale: Duration) -> Result<Arc<T>, Trouble> {
        let now = Instant::now();
        self.tried = Some(now);
        match fetched {
            Ok(new) => {
                self.trouble = None;
                self.doubted = false;
                self.held = Some((Arc::new(new), now));
            }
            Err(trouble) => {
                tracing::warn!(%trouble, "the provider's metadata cannot be renewed");
                self.trouble = Some(trouble);
            }
        }
        match self.usable(stale) {
            Some((held, _)) => Ok(Arc::clone(held)),
            None => Err(self.worst()),
        }
    }
}

/// Every change of the state is one assignment after another: there is no half of one.
fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
