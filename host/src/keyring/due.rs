//! What the time brings: scheduled rotations, and the end of retiring keys.

use std::sync::Arc;
use std::time::Duration;

use super::{Keyring, KeyringError, Sets, now};
use crate::accounts::store::Store;
use crate::keys::{Holding, KeySet, Passed, Ring, Rings, Terms};
use crate::metering;

/// Of hosts that share their keys, one does what is due: until it is done, or, should it die
/// over it, until this time has passed. While nothing is due, nobody has the lease, so that a host
/// that dies is hardly ever waited for.
const NAME: &str = "keys";
const LEASE: Duration = Duration::from_secs(30);

/// After so many seconds it is tried again what is due and could not be done: another host is
/// at it, or the store does not say what holds keys.
const AGAIN: i64 = 5;

/// What the time has brought.
#[derive(Debug)]
pub struct Ticked {
    /// The keys from now on.
    pub rings: Rings,
    /// When it brings something next, in seconds since 1970.
    pub next: Option<i64>,
}

impl Keyring {
    /// Rotations that are due, and keys whose last token has expired.
    ///
    /// # Errors
    /// [`KeyringError`]: the keys stay what they are.
    pub async fn tick(&self) -> Result<Ticked, KeyringError> {
        let (mut sets, mut next) = (Sets::default(), None);
        for terms in self.terms(false) {
            let (mut then, mut set) = self.passed(&terms, false).await?;
            if is_due(then) && self.leads().await {
                let done = self.passed(&terms, true).await;
                self.rests().await;
                (then, set) = done?;
            }
            if is_due(then) {
                then = Some(now() + AGAIN);
            }
            next = [next, then].into_iter().flatten().min();
            sets.add(terms.audience, set);
        }
        let rings = sets.rings()?;
        Ok(Ticked { rings, next })
    }

    /// A ring as it is, or once what is due is `done`; and when the time brings something next.
    async fn passed(
        &self,
        terms: &Terms,
        done: bool,
    ) -> Result<(Option<i64>, KeySet), KeyringError> {
        let progress = self.progress;
        let work = {
            let terms = terms.clone();
            move |ring: &mut Ring, holding: Option<&Holding>| {
                let passed = match done {
                    true => ring.pass(&terms, now(), holding, &progress)?,
                    false => Passed::default(),
                };
                let then = ring.next(&terms, now(), holding.unwrap_or(&Holding::new()));
                Ok((passed, then))
            }
        };
        let ((passed, then), set) = self.changed(terms, work).await?;
        let ring = terms.name();
        for kid in passed.active {
            metering::keys_changed(&ring, "scheduled");
            tracing::info!(ring, kid, "keys: a standby signs from now on, as scheduled");
        }
        for kid in passed.gone {
            metering::keys_changed(&ring, "gone");
            tracing::info!(ring, kid, "keys: a retired key's last token has expired");
        }
        Ok((then, set))
    }

    /// Of hosts that share their keys, one does what is due.
    async fn leads(&self) -> bool {
        let Some(store) = self.sharing() else {
            return true;
        };
        store.lease(NAME, LEASE).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the store does not say which host rotates the keys");
            false
        })
    }

    /// It is done: should another thing be due, any host may do it, at once.
    async fn rests(&self) {
        let Some(store) = self.sharing() else {
            return;
        };
        if let Err(error) = store.give_lease_back(NAME).await {
            tracing::debug!(%error, "the lease on the keys was not given back, and ends by itself");
        }
    }

    /// The store that other hosts have their keys in, too.
    fn sharing(&self) -> Option<&Arc<Store>> {
        let store = self.store.as_ref();
        store.filter(|store| self.kek.is_some() && store.is_shared())
    }
}

fn is_due(then: Option<i64>) -> bool {
    then.is_some_and(|then| then <= now())
}
