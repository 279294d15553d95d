//! Positive answers, remembered for a short time where the configuration says so
//! (`cache.opaque`; off otherwise). Meanwhile a token that was revoked goes on: that is the
//! price of not asking. Refusals and outages are never remembered.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::people::Identity;

/// This many are remembered.
const MOST: usize = 1_024;

pub(super) struct Answers {
    span: u64,
    /// By the token's hash: no memory holds credentials for longer than a request.
    known: Mutex<HashMap<[u8; 32], Known>>,
}

struct Known {
    issuer: String,
    subject: String,
    claims: Map<String, Value>,
    until: u64,
}

impl Answers {
    pub(super) fn new(span: Option<Duration>) -> Self {
        Answers {
            span: span.map_or(0, |span| span.as_secs()),
            known: Mutex::default(),
        }
    }

    pub(super) fn find(&self, token: &str, now: u64) -> Option<Identity> {
        if self.span == 0 {
            return None;
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&key(token)).filter(|known| now < known.until)?;
        Some(Identity {
            issuer: found.issuer.clone(),
            subject: found.subject.clone(),
            claims: found.claims.clone(),
        })
    }

    /// Remembers it, but never beyond the token's own end.
    pub(super) fn keep(&self, token: &str, whose: &Identity, end: Option<u64>, now: u64) {
        let until = now.saturating_add(self.span).min(end.unwrap_or(u64::MAX));
        if self.span == 0 || until <= now {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, known| now < known.until);
        }
        if known.len() >= MOST {
            let soonest = known.iter().min_by_key(|(_, known)| known.until);
            if let Some(soonest) = soonest.map(|(key, _)| *key) {
                known.remove(&soonest);
            }
        }
        let answer = Known {
            issuer: whose.issuer.clone(),
            subject: whose.subject.clone(),
            claims: whose.claims.clone(),
            until,
        };
        known.insert(key(token), answer);
    }
}

fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn ada() -> Identity {
        Identity {
            issuer: "https://idp.example".into(),
            subject: "ada".into(),
            claims: Map::new(),
        }
    }

    #[test]
    fn answer_is_remembered_for_its_span_and_never_beyond_the_tokens_end() {
        let answers = Answers::new(Some(Duration::from_secs(30)));
        answers.keep("a", &ada(), None, 1_000);
        answers.keep("b", &ada(), Some(1_010), 1_000);
        answers.keep("c", &ada(), Some(1_000), 1_000);
        assert_eq!(answers.find("a", 1_029).unwrap().subject, "ada");
        assert!(answers.find("a", 1_030).is_none());
        assert!(answers.find("b", 1_009).is_some() && answers.find("b", 1_010).is_none());
        assert!(answers.find("c", 1_000).is_none() && answers.find("d", 1_000).is_none());
    }

    #[test]
    fn without_a_span_nothing_is_remembered() {
        let answers = Answers::new(None);
        answers.keep("a", &ada(), None, 1_000);
        assert!(answers.find("a", 1_000).is_none());
        assert!(answers.known.lock().unwrap().is_empty());
    }

    #[test]
    fn number_of_answers_is_bounded_and_the_soonest_to_end_goes() {
        let answers = Answers::new(Some(Duration::from_secs(5_000)));
        for n in 0..2_000 {
            answers.keep(&n.to_string(), &ada(), None, 1_000 + n);
        }
        assert_eq!(answers.known.lock().unwrap().len(), MOST);
        assert!(answers.find("1999", 3_000).is_some() && answers.find("0", 3_000).is_none());
    }
}
