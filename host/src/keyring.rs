//! The signing keys wherever they live: in files of the state folder, or, with `store.kek`, in
//! the store that hosts share. Read, changed, and written back, so that of two who change one
//! ring at once neither's change is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::accounts::store::{Location, Revocable, Store, StoreError, StoredRing};
use crate::clock;
use crate::config::Config;
use crate::keys::{
    Circumstances, Done, Held, Holding, Home, Kek, KeyError, KeySet, Mode, Opening, Order,
    OrderError, Passed, Ring, Rings, Row, Terms,
};
use crate::metering;

/// How often one who was slower than another reads again.
const TRIES: usize = 20;

/// Of hosts that share their keys, one does what is due: until it has not been seen for so long.
const LEASE: Duration = Duration::from_secs(150);

/// Told what takes a while, before it does.
pub type Progress = fn(&str);

/// Why keys cannot be had, or not be changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum KeyringError {
    #[error(transparent)]
    Keys(#[from] KeyError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("no audience {0:?} has a ring of its own")]
    NoRing(String),
    #[error("other hosts change the keys all the time")]
    Contended,
    #[error("the keys were changed by a thread that panicked")]
    Panicked,
}

impl KeyringError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            KeyringError::Keys(error) => error.help(),
            KeyringError::Store(error) => error.help().into(),
            KeyringError::Order(error) => error.help(),
            KeyringError::NoRing(_) => {
                "set `keys: own` for the audience, or leave --audience out".into()
            }
            KeyringError::Contended => "try again".into(),
            KeyringError::Panicked => "see the log, and please report it".into(),
        }
    }
}

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

/// What the time has brought.
#[derive(Debug)]
pub struct Ticked {
    /// The keys from now on.
    pub rings: Rings,
    /// When it brings something next, in seconds since 1970.
    pub next: Option<i64>,
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
            let holding = self.holding(&ring).await.unwrap_or_default();
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

    /// Rotations that are due, and keys whose last token has expired.
    ///
    /// # Errors
    /// [`KeyringError`]: the keys stay what they are.
    pub async fn tick(&self) -> Result<Ticked, KeyringError> {
        let leads = self.leads().await;
        let (mut sets, mut next) = (Sets::default(), None);
        for terms in self.terms(false) {
            let progress = self.progress;
            let work = {
                let terms = terms.clone();
                move |ring: &mut Ring, holding: Option<&Holding>| {
                    let passed = match leads {
                        true => ring.pass(&terms, now(), holding, &progress)?,
                        false => Passed::default(),
                    };
                    let then = ring.next(&terms, now(), holding.unwrap_or(&Holding::new()));
                    Ok((passed, then))
                }
            };
            let ((passed, then), set) = self.changed(&terms, work).await?;
            let ring = terms.name();
            for kid in passed.active {
                metering::keys_changed(&ring, "scheduled");
                tracing::info!(ring, kid, "keys: a standby signs from now on, as scheduled");
            }
            for kid in passed.gone {
                metering::keys_changed(&ring, "gone");
                tracing::info!(ring, kid, "keys: a retired key's last token has expired");
            }
            next = [next, then].into_iter().flatten().min();
            sets.add(terms.audience, set);
        }
        let rings = sets.rings()?;
        Ok(Ticked { rings, next })
    }

    fn terms(&self, anew: bool) -> Vec<Terms> {
        let all = Terms::all(&self.config).into_iter();
        all.map(|terms| Terms { anew, ..terms }).collect()
    }

    /// Of hosts that share their keys one does what is due.
    async fn leads(&self) -> bool {
        match (&self.kek, &self.store) {
            (Some(_), Some(store)) if store.is_shared() => {
                let lease = store.lease("keys", LEASE).await;
                lease.unwrap_or_else(|error| {
                    tracing::warn!(%error, "the store does not say which host rotates the keys");
                    false
                })
            }
            _ => true,
        }
    }

    /// Reads a ring, has it changed and completed, and writes it back; again, if another host was
    /// faster. Keys take their time to be made: not on a thread that answers requests.
    async fn changed<T, F>(&self, terms: &Terms, work: F) -> Result<(T, KeySet), KeyringError>
    where
        T: Send + 'static,
        F: Fn(&mut Ring, Option<&Holding>) -> Result<T, KeyringError> + Send + Clone + 'static,
    {
        for _ in 0..TRIES {
            let mut ring = self.read(terms).await?;
            let read = ring.version();
            // A store that does not answer might know tokens that hold a key: none goes meanwhile.
            let holding = self.holding(&ring).await.inspect_err(|error| {
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
    async fn refuse_revoked(&self, ring: &Ring) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        for kid in ring.revoked() {
            let key = Revocable::Key(kid);
            if !store.is_revoked(key) {
                store.revoke(key, None, clock::unix_now()).await?;
            }
        }
        Ok(())
    }

    fn set(
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
    async fn read(&self, terms: &Terms) -> Result<Ring, KeyringError> {
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

    /// What holds the keys that have signed, as the store knows.
    async fn holding(&self, ring: &Ring) -> Result<Holding, StoreError> {
        let mut holding = Holding::new();
        let Some(store) = &self.store else {
            return Ok(holding);
        };
        for kid in ring.have_signed() {
            let (until, forever) = store.needs_key(&kid, clock::unix_now()).await?;
            if until.is_some() || !forever.is_empty() {
                holding.insert(kid, Held { until, forever });
            }
        }
        Ok(holding)
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
