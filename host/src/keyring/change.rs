//! One change of one ring: read, changed in memory, written back; again, where another host was
//! faster.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Keyring, KeyringError, now};
use crate::accounts::store::{Revocable, StoreError, StoredRing};
use crate::clock;
use crate::keys::{Held, Holding, Home, KeyError, KeySet, Mode, Opening, Ring, Row, Terms};

/// How often one who was slower than another reads again.
const TRIES: usize = 20;

impl Keyring {
    /// Reads a ring, has it changed and completed, and writes it back; again, if another host was
    /// faster. Keys take their time to be made: not on a thread that answers requests.
    pub(super) async fn changed<T, F>(
        &self,
        terms: &Terms,
        work: F,
    ) -> Result<(T, KeySet), KeyringError>
    where
        T: Send + 'static,
        F: Fn(&mut Ring, Option<&Holding>) -> Result<T, KeyringError> + Send + Clone + 'static,
    {
        for _ in 0..TRIES {
            let mut ring = self.read(terms).await?;
            let read = ring.version();
            // A store that does not answer might know tokens that hold a key: none goes meanwhile.
            let holding = self.holding(&ring, terms).await.inspect_err(|error| {
                tracing::warn!(%error, "the store does not say which tokens hold keys: retiring ones stay");
            });
            let holding = holding.ok();
            if let Err(error) = self.refuse_revoked(&ring).await {
                tracing::warn!(%error, "other hosts have not heard of a revoked key yet");
            }
            let (this, terms, work) = (self.clone(), terms.clone(), work.clone());
            let name = terms.name();
            let worked = tokio::task::spawn_blocking(move || {
                let done = work(&mut ring, holding.as_ref())?;
                let holding = holding.unwrap_or_default();
                let set = this.set(&mut ring, &terms, Mode::Serve, &holding)?;
                ring.save()?;
                Ok::<_, KeyringError>((done, set, ring.row()?))
            });
            let (done, set, row) = worked.await.map_err(|_| KeyringError::Panicked)??;
            let written = match (row, &self.store) {
                (Some(row), Some(store)) => {
                    let now = clock::unix_now();
                    store.put_ring(&name, read, &row.content, now).await?
                }
                _ => true,
            };
            if written {
                return Ok((done, set));
            }
        }
        Err(KeyringError::Contended)
    }

    /// Who was revoked in the ring is refused by all hosts, were the store away when it was.
    pub(super) async fn refuse_revoked(&self, ring: &Ring) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        store.pay().await?;
        for kid in ring.revoked() {
            let key = Revocable::Key(kid);
            if !store.is_revoked(key) {
                store.revoke(key, None, clock::unix_now()).await?;
            }
        }
        Ok(())
    }

    pub(super) fn set(
        &self,
        ring: &mut Ring,
        terms: &Terms,
        mode: Mode,
        holding: &Holding,
    ) -> Result<KeySet, KeyError> {
        let opening = Opening {
            mode,
            exposed: self.exposed,
            now: SystemTime::now(),
            progress: &self.progress,
        };
        KeySet::of(ring, terms, &self.config.keys, &opening, holding)
    }

    /// The ring as it is; in the store with the keys of the state folder, as far as it does not
    /// know them.
    pub(super) async fn read(&self, terms: &Terms) -> Result<Ring, KeyringError> {
        let folder = Ring::in_folder(terms.folder(&self.config.state))?;
        let Some(kek) = &self.kek else {
            return Ok(folder);
        };
        let name = terms.name();
        let row = match &self.store {
            Some(store) => store.ring(&name).await?,
            None => None,
        };
        let row = row.map(|StoredRing { version, content }| Row { version, content });
        let kek = Arc::clone(kek);
        let mut ring = Ring::in_store(Home::Stored { name, kek }, row.as_ref())?;
        ring.take_over(&folder, now())?;
        Ok(ring)
    }

    /// What holds the keys that have signed, as the store knows: a token that has just expired,
    /// too, as long as verifiers forgive.
    pub(super) async fn holding(&self, ring: &Ring, terms: &Terms) -> Result<Holding, StoreError> {
        let mut holding = Holding::new();
        let Some(store) = &self.store else {
            return Ok(holding);
        };
        let since = u64::try_from(now() - terms.grace - 1).unwrap_or_default();
        for kid in ring.have_signed() {
            let (until, forever) = store.needs_key(&kid, since).await?;
            if until.is_some() || !forever.is_empty() {
                holding.insert(kid, Held { until, forever });
            }
        }
        Ok(holding)
    }
}
