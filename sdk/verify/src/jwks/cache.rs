//! When to fetch: the client's decisions, without any network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{JwksError, JwksOptions};
use crate::KeySet;

/// This many kids that the issuer does not have are remembered.
const ABSENT: usize = 256;
/// Longer than anybody waits for a fetch, in milliseconds.
const WAITED: u64 = 60_000;
/// Between two tries while there is nothing to serve, in milliseconds.
const SHORT_PAUSE: u64 = 5_000;

/// A set that was fetched.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) set: KeySet,
    /// `Cache-Control: max-age`, in seconds.
    pub(super) max_age: Option<u64>,
}

/// What to do for one token.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing: here is the answer.
    Done(Result<Arc<KeySet>, JwksError>),
    /// Fetch; if somebody else does already, `meanwhile` is good enough.
    Fetch { meanwhile: Option<Arc<KeySet>> },
}

/// All times are milliseconds since 1970.
#[derive(Debug)]
pub(super) struct Cache {
    refetch: u64,
    fresh: u64,
    stale: u64,
    held: Option<Held>,
    tried: Option<u64>,
    /// Until when the fetches so far would have lasted, had each kept its interval.
    spent: u64,
    /// When a fetch was made for the sake of a kid that was unknown.
    looked: Option<u64>,
    /// Why the last try failed.
    error: Option<JwksError>,
    /// Unknown kids, and when they were looked for.
    absent: HashMap<String, u64>,
}

#[derive(Debug)]
struct Held {
    set: Arc<KeySet>,
    fetched: u64,
    lifetime: u64,
}

impl Cache {
    pub(super) fn new(options: &JwksOptions) -> Self {
        Cache {
            refetch: millis(options.refetch),
            fresh: millis(options.fresh),
            stale: millis(options.stale),
            held: None,
            tried: None,
            spent: 0,
            looked: None,
            error: None,
            absent: HashMap::new(),
        }
    }

    pub(super) fn step(&self, kid: Option<&str>, now: u64) -> Step {
        let Some(held) = self.usable(now) else {
            return if self.is_due(now) {
                Step::Fetch { meanwhile: None }
            } else {
                Step::Done(self.best(kid, now))
            };
        };
        let known = kid.is_none_or(|kid| held.set.has(kid));
        let fresh = within(held.fetched, held.lifetime, now);
        let fetch = if fresh {
            !known && self.may_look(kid, now)
        } else {
            self.is_due(now)
        };
        if !fetch {
            return Step::Done(self.best(kid, now));
        }
        Step::Fetch {
            meanwhile: known.then(|| Arc::clone(&held.set)),
        }
    }

    /// Takes what a fetch brought, and says what there is now.
    pub(super) fn land(
        &mut self,
        fetched: Result<Fetched, JwksError>,
        asked: Option<&str>,
        now: u64,
    ) -> Result<Arc<KeySet>, JwksError> {
        let had = |cache: &Cache| {
            let held = cache.held.as_ref();
            asked.is_none_or(|kid| held.is_some_and(|held| held.set.has(kid)))
        };
        let first = self.held.is_none();
        self.tried = Some(now);
        self.spend(now);
        if !first && !had(self) {
            self.looked = Some(now);
        }
        match fetched {
            Ok(Fetched { set, max_age }) => {
                let longest = self.fresh.max(self.refetch);
                self.held = Some(Held {
                    set: Arc::new(set),
                    fetched: now,
                    lifetime: max_age
                        .map_or(longest, |seconds| seconds.saturating_mul(1_000))
                        .clamp(self.refetch, longest),
                });
                self.error = None;
                self.remember_absent(asked, now);
                if !had(self) {
                    self.looked = Some(now);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a key set cannot be renewed");
                self.error = Some(error);
            }
        }
        self.best(asked, now)
    }

    /// What there is for this kid. A set that lacks it says nothing about it while a newer one
    /// cannot be had: the key may be in that.
    fn best(&self, kid: Option<&str>, now: u64) -> Result<Arc<KeySet>, JwksError> {
        if let Some(held) = self.usable(now) {
            let known = kid.is_none_or(|kid| held.set.has(kid) || self.is_absent(kid, now));
            if known || self.error.is_none() {
                return Ok(Arc::clone(&held.set));
            }
        }
        Err(self.error.clone().unwrap_or(JwksError::Stale))
    }

    /// What was fetched, unless that is too long ago even for want of anything better.
    fn usable(&self, now: u64) -> Option<&Held> {
        let held = self.held.as_ref();
        held.filter(|held| within(held.fetched, self.stale.max(held.lifetime), now))
    }

    /// May the server be asked again?
    fn is_due(&self, now: u64) -> bool {
        let tried = self.tried;
        !tried.is_some_and(|tried| within(tried, self.pause(), now))
    }

    /// May it be asked for the sake of a kid that the set lacks? A set that came a moment ago for
    /// another reason does not forbid it, since the issuer may have changed its keys just then;
    /// but two in one interval are followed by an interval without.
    fn may_look(&self, kid: Option<&str>, now: u64) -> bool {
        let looked = self.looked;
        let recently = looked.is_some_and(|looked| within(looked, self.refetch, now));
        let failed = self.error.is_some() && !self.is_due(now);
        !recently
            && !failed
            && !self.is_overspent(now)
            && !kid.is_some_and(|kid| self.is_absent(kid, now))
    }

    fn spend(&mut self, now: u64) {
        let until = self.spent.max(now).saturating_add(self.refetch);
        self.spent = until.min(self.most_spent(now));
    }

    fn is_overspent(&self, now: u64) -> bool {
        // More than the most was spent before the clock was set back.
        let most = self.most_spent(now).saturating_add(WAITED);
        let more = now.saturating_add(self.refetch);
        more < self.spent && self.spent <= most
    }

    fn most_spent(&self, now: u64) -> u64 {
        now.saturating_add(self.refetch.saturating_mul(2))
    }

    /// Between two tries. With nothing to serve, nobody can be helped by waiting longer.
    fn pause(&self) -> u64 {
        let pause = match self.held {
            Some(_) => self.refetch,
            None => self.refetch.min(SHORT_PAUSE),
        };
        let told = self.error.as_ref().and_then(JwksError::retry_after);
        pause.max(told.map_or(0, millis))
    }

    fn is_absent(&self, kid: &str, now: u64) -> bool {
        let looked = self.absent.get(kid);
        looked.is_some_and(|looked| within(*looked, self.refetch.saturating_mul(5), now))
    }

    fn remember_absent(&mut self, asked: Option<&str>, now: u64) {
        let Some(held) = &self.held else { return };
        self.absent.retain(|kid, _| !held.set.has(kid));
        let Some(kid) = asked.filter(|kid| !held.set.has(kid)) else {
            return;
        };
        if self.absent.len() >= ABSENT {
            let oldest = self.absent.iter().min_by_key(|(_, looked)| **looked);
            if let Some(oldest) = oldest.map(|(kid, _)| kid.clone()) {
                self.absent.remove(&oldest);
            }
        }
        self.absent.insert(kid.to_owned(), now);
    }
}

/// Never none at all: what just came would be too old.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
}

/// Is `now` in the `span` after `since`? Somewhat before it, too: who waited for somebody
/// else's fetch has an older `now`. Not if the clock was set back.
fn within(since: u64, span: u64, now: u64) -> bool {
    match now.checked_sub(since) {
        Some(age) => age < span,
        None => since - now < WAITED,
    }
}

#[cfg(test)]
mod tests;
