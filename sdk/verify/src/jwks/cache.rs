//! When to fetch: the client's decisions, without any network.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{JwksError, JwksOptions};
use crate::KeySet;

/// This many kids that the issuer does not have are remembered.
const ABSENT: usize = 256;

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

/// All times are seconds since 1970.
#[derive(Debug)]
pub(super) struct Cache {
    refetch: u64,
    fresh: u64,
    stale: u64,
    held: Option<Held>,
    tried: Option<u64>,
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
            refetch: whole(options.refetch),
            fresh: whole(options.fresh),
            stale: whole(options.stale),
            held: None,
            tried: None,
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
                Step::Done(self.best(now))
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
            return Step::Done(Ok(Arc::clone(&held.set)));
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
        if !first && !had(self) {
            self.looked = Some(now);
        }
        match fetched {
            Ok(Fetched { set, max_age }) => {
                let longest = self.fresh.max(self.refetch);
                self.held = Some(Held {
                    set: Arc::new(set),
                    fetched: now,
                    lifetime: max_age.unwrap_or(longest).clamp(self.refetch, longest),
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
        self.best(now)
    }

    fn best(&self, now: u64) -> Result<Arc<KeySet>, JwksError> {
        match self.usable(now) {
            Some(held) => Ok(Arc::clone(&held.set)),
            None => Err(self.error.clone().unwrap_or(JwksError::Stale)),
        }
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
    /// another reason does not forbid it: the issuer may have changed its keys just then.
    fn may_look(&self, kid: Option<&str>, now: u64) -> bool {
        let looked = self.looked;
        let recently = looked.is_some_and(|looked| within(looked, self.refetch, now));
        let failed = self.error.is_some() && !self.is_due(now);
        !recently && !failed && !kid.is_some_and(|kid| self.is_absent(kid, now))
    }

    /// Between two tries. With nothing to serve, nobody can be helped by waiting longer.
    fn pause(&self) -> u64 {
        let pause = match self.held {
            Some(_) => self.refetch,
            None => self.refetch.min(5),
        };
        let told = self.error.as_ref().and_then(JwksError::retry_after);
        pause.max(told.map_or(0, |told| told.as_secs()))
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

/// In whole seconds, never fewer: with none at all, what just came would be too old.
fn whole(span: Duration) -> u64 {
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

/// Is `now` in the `span` after `since`? Not if the clock was set back before it.
fn within(since: u64, span: u64, now: u64) -> bool {
    now.checked_sub(since).is_some_and(|age| age < span)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn filled() -> Cache {
        let mut cache = Cache::new(&JwksOptions::default());
        let set = KeySet::parse(
            br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
        );
        let max_age = None;
        let set = set.unwrap();
        cache.land(Ok(Fetched { set, max_age }), None, NOW).unwrap();
        cache
    }

    fn fetches(cache: &Cache, kid: &str, now: u64) -> bool {
        matches!(cache.step(Some(kid), now), Step::Fetch { .. })
    }

    #[test]
    fn clock_that_was_set_back_fetches_instead_of_waiting_for_its_return() {
        let cache = filled();
        assert!(!fetches(&cache, "a", NOW));
        assert!(fetches(&cache, "a", NOW - 86_400));
    }

    #[test]
    fn stale_set_does_meanwhile_for_known_kids_alone() {
        let cache = filled();
        let meanwhile = |kid, now| match cache.step(Some(kid), now) {
            Step::Fetch { meanwhile } => meanwhile.is_some(),
            Step::Done(_) => unreachable!("a fetch is due"),
        };
        assert!(meanwhile("a", NOW + 3_600));
        assert!(!meanwhile("b", NOW + 3_600));
        assert!(!meanwhile("a", NOW + 86_400), "too old for that");
    }

    #[test]
    fn absent_kids_are_bounded_and_the_oldest_goes_first() {
        let mut cache = filled();
        for n in 0..1_000 {
            cache.remember_absent(Some(&format!("x{n}")), NOW + n);
        }
        assert_eq!(cache.absent.len(), ABSENT);
        let later = NOW + 1_000;
        assert!(cache.is_absent("x999", later) && !cache.is_absent("x700", later));
    }
}
