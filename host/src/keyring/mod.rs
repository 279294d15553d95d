//! The signing keys wherever they live: in files of the state folder, or, with `store.kek`, in
//! the store that hosts share. Read, changed, and written back, so that of two who change one
//! ring at once neither's change is lost.

mod change;
mod due;
mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::accounts::store::{Location, Store};
use crate::config::Config;
use crate::keys::{
    Circumstances, Done, Holding, Kek, KeyError, KeySet, Mode, Order, Ring, Rings, Terms,
};
use crate::metering;

pub use due::Ticked;
pub use error::KeyringError;

/// Told what takes a while, before it does.
pub type Progress = fn(&str);

/// The keys of one configuration.
#[derive(Debug, Clone)]
pub struct Keyring {
    config: Arc<Config>,
    store: Option<Arc<Store>>,
    kek: Option<Arc<Kek>>,
    /// Can the server be reached from other machines?
    exposed: bool,
    progress: Progress,
}

impl Keyring {
    /// Opens nothing yet. With `store.kek` the keys are in `store`.
    ///
    /// # Errors
    /// [`KeyError::Kek`].
    pub fn new(
        config: &Config,
        store: Option<&Arc<Store>>,
        progress: Progress,
    ) -> Result<Keyring, KeyError> {
        let kek = config.store.kek.expose();
        let kek = match kek.is_empty() {
            true => None,
            false => Some(Arc::new(Kek::parse(kek).ok_or(KeyError::Kek)?)),
        };
        Ok(Keyring {
            config: Arc::new(config.clone()),
            store: store.cloned(),
            kek,
            exposed: config.is_exposed(),
            progress,
        })
    }

    /// Opens all rings and makes what is missing.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn open(&self) -> Result<Rings, KeyringError> {
        self.opened(true).await
    }

    async fn opened(&self, anew: bool) -> Result<Rings, KeyringError> {
        let mut sets = Sets::default();
        for terms in self.terms(anew) {
            let ((), set) = self.changed(&terms, |_, _| Ok(())).await?;
            sets.add(terms.audience, set);
        }
        sets.rings()
    }

    /// The rings as they are; nothing is made, whoever may reach the server.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn look(mut self) -> Result<Rings, KeyringError> {
        self.exposed = false;
        self.check().await
    }

    /// What [`open`](Self::open) would do, and nothing is made.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub async fn check(mut self) -> Result<Rings, KeyringError> {
        if self.store.is_none() {
            let looked = Store::look(Location::of(&self.config)).await;
            // Where the keys are files, the store tells only what holds them.
            let looked = match self.kek {
                Some(_) => looked?,
                None => looked.unwrap_or_default(),
            };
            self.store = looked.map(Arc::new);
        }
        let mut sets = Sets::default();
        for terms in self.terms(true) {
            let mut ring = self.read(&terms).await?;
            let holding = self.holding(&ring, &terms).await.unwrap_or_default();
            let set = self.set(&mut ring, &terms, Mode::Check, &holding)?;
            sets.add(terms.audience, set);
        }
        sets.rings()
    }

    /// What to say of private keys that still lie in the state folder though the store has them.
    pub fn leftover(&self) -> Option<String> {
        let folder = self.config.state.join("keys");
        let lies = self.kek.is_some() && folder.join("index.json").exists();
        lies.then(|| {
            format!(
                "the keys in {} are in the store as well, sealed: remove the folder once all hosts use store.kek",
                folder.display()
            )
        })
    }

    /// Does what an operator asks, of one audience's own ring or of the shared one.
    ///
    /// # Errors
    /// [`KeyringError`]: nothing was done; but a revocation may have been, and hosts that share the
    /// store have not heard of it: then it is asked again.
    pub async fn obey(
        &self,
        audience: Option<&str>,
        order: &Order,
    ) -> Result<(Done, Rings), KeyringError> {
        let mut all = self.terms(false).into_iter();
        let found = all.find(|terms| terms.audience.as_deref() == audience);
        let terms =
            found.ok_or_else(|| KeyringError::NoRing(audience.unwrap_or_default().to_owned()))?;
        let (exposed, progress) = (self.exposed, self.progress);
        let work = {
            let (this, terms, order) = (self.clone(), terms.clone(), order.clone());
            move |ring: &mut Ring, holding: Option<&Holding>| {
                let unknown = Holding::new();
                if matches!(order, Order::Rotate { .. } | Order::Retire { .. }) {
                    // Of a ring that nobody has served yet, there is nothing to change.
                    let anew = Terms {
                        anew: ring.is_new(),
                        ..terms.clone()
                    };
                    this.set(ring, &anew, Mode::Serve, &unknown)?;
                }
                let at = Circumstances {
                    terms: &terms,
                    now: now(),
                    exposed,
                    holding: holding.unwrap_or(&unknown),
                    progress: &progress,
                };
                Ok(ring.obey(&order, &at)?)
            }
        };
        let (done, _) = self.changed(&terms, work).await?;
        for line in &done.told {
            tracing::warn!(ring = terms.name(), "keys: {line}");
        }
        metering::keys_changed(&terms.name(), order.name());
        let rings = self.opened(false).await?;
        if done.revoked {
            self.refuse_revoked(&self.read(&terms).await?).await?;
        }
        Ok((done, rings))
    }

    fn terms(&self, anew: bool) -> Vec<Terms> {
        let all = Terms::all(&self.config).into_iter();
        all.map(|terms| Terms { anew, ..terms }).collect()
    }
}

/// The rings as they are opened, the shared one first.
#[derive(Default)]
struct Sets {
    shared: Option<KeySet>,
    own: BTreeMap<String, KeySet>,
}

impl Sets {
    fn add(&mut self, audience: Option<String>, set: KeySet) {
        match audience {
            None => self.shared = Some(set),
            Some(name) => drop(self.own.insert(name, set)),
        }
    }

    fn rings(self) -> Result<Rings, KeyringError> {
        let shared = self.shared.ok_or(KeyringError::Panicked)?;
        Ok(Rings::new(shared, self.own))
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}
