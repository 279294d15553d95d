//! What the operator is told of what was done, line by line.

use super::{Circumstances, Done, slot};
use crate::keys::Jwk;
use crate::keys::life::Leaving;
use crate::keys::list::{KeyState, timestamp};
use crate::keys::ring::{Ring, Slot};

impl Ring {
    /// What there is to say of a slot whose key has changed.
    pub(super) fn changed_hands(
        &self,
        before: Option<&Jwk>,
        slot: &Slot<'_>,
        at: &Circumstances<'_>,
    ) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(entry) = self.find(slot, KeyState::Active) {
            told.push(format!(
                "{} signs from now on ({})",
                entry.jwk.kid, entry.jwk.alg
            ));
        }
        if let Some(entry) = before.and_then(|jwk| self.index.find(&jwk.kid)) {
            let kid = &entry.jwk.kid;
            told.push(match entry.leaves(at.terms, at.holding) {
                Leaving::At(time) => format!("{kid} retires: published until {}", date(time)),
                Leaving::HeldBy(tokens) => format!(
                    "{kid} retires: published until these are revoked: {}",
                    tokens.join(", ")
                ),
            });
        }
        told.extend(self.coming(slot, at));
        told
    }

    fn coming(&self, slot: &Slot<'_>, at: &Circumstances<'_>) -> Option<String> {
        let entry = self.find(slot, KeyState::Next)?;
        let ready = date(entry.ready(at.terms.lead, at.now));
        Some(format!(
            "{} is the new standby: it may sign from {ready} on",
            entry.jwk.kid
        ))
    }

    /// What there is to say of a new standby.
    pub(super) fn standby(&self, jwk: &Jwk, at: &Circumstances<'_>) -> Done {
        let place = self.index.find(&jwk.kid);
        let place = self.home().place(place);
        let told = vec![
            format!("kid         {}", jwk.kid),
            format!("thumbprint  {}", jwk.key.thumbprint()),
            format!("private     {}", place.display()),
        ];
        let told = told
            .into_iter()
            .chain(self.coming(&slot(at.terms, jwk.alg), at));
        Done {
            told: told.collect(),
            revoked: false,
        }
    }
}

/// A time for people, or what there is of it.
pub(super) fn date(time: i64) -> String {
    timestamp(time).unwrap_or_else(|| time.to_string())
}
