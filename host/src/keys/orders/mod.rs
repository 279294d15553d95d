//! What an operator may have done to the keys of a ring, and what he is told then.

mod error;
mod told;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::configured::usable;
use super::index::Entry;
use super::kind::Kind;
use super::life::{Holding, Leaving};
use super::list::KeyState;
use super::ring::{Ring, Slot};
use super::{Jwk, KeyError, Terms, consumers, demo, files};
use crate::config::shapes::Algorithm;
use told::date;

pub use error::OrderError;

/// What is asked of the keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// The audience whose own ring is meant; none = the shared one.
    pub audience: Option<String>,
    /// What.
    #[serde(flatten)]
    pub order: Order,
}

/// What is asked of a ring.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "lowercase")]
pub enum Order {
    /// The standbys sign from now on.
    Rotate {
        /// Though their lead has not passed.
        now: bool,
    },
    /// A key signs no more.
    Retire {
        /// Its id.
        kid: String,
        /// And all its tokens are refused: it is revoked.
        now: bool,
    },
    /// A new standby.
    Generate {
        /// For this algorithm; none = the ring's.
        algorithm: Option<Algorithm>,
        /// Under this id; none = its thumbprint.
        kid: Option<String>,
    },
    /// A key of elsewhere as the standby; it is copied.
    Import {
        /// For this algorithm; none = the ring's if it fits the key, else the usual one for its kind.
        algorithm: Option<Algorithm>,
        /// Under this id; none = its thumbprint.
        kid: Option<String>,
        /// The file, PEM or DER.
        private_key: PathBuf,
    },
}

impl Order {
    /// What it does, in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Order::Rotate { .. } => "rotated",
            Order::Retire { now: false, .. } => "retired",
            Order::Retire { now: true, .. } => "revoked",
            Order::Generate { .. } => "generated",
            Order::Import { .. } => "imported",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// For the operator, line by line.
    pub told: Vec<String>,
    /// A key was revoked: all hosts must hear of it.
    pub revoked: bool,
}

/// The circumstances of an order.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// Of this ring.
    pub terms: &'a Terms,
    /// Seconds since 1970.
    pub now: i64,
    /// Can the server be reached from other machines?
    pub exposed: bool,
    /// What holds keys.
    pub holding: &'a Holding,
    /// Told what takes a while, before it does.
    pub progress: &'a dyn Fn(&str),
}

impl Ring {
    /// Does what is asked, in memory: the caller writes the ring back.
    ///
    /// # Errors
    /// [`OrderError`]: the ring is as before.
    pub fn obey(&mut self, order: &Order, at: &Circumstances<'_>) -> Result<Done, OrderError> {
        match order {
            Order::Rotate { now } => self.rotate(*now, at),
            Order::Retire { kid, now: false } => self.retire(kid, at),
            Order::Retire { kid, now: true } => self.revoke(kid, at),
            Order::Generate { algorithm, kid } => {
                let algorithm = algorithm.unwrap_or(at.terms.algorithm);
                let kid = kid.as_deref().map(usable).transpose()?;
                self.drop_standby(&slot(at.terms, algorithm));
                let made = self.make(algorithm, kid, at.now, at.progress)?;
                Ok(self.standby(&made, at))
            }
            Order::Import {
                algorithm,
                kid,
                private_key,
            } => self.import(*algorithm, kid.as_deref(), private_key, at),
        }
    }

    /// The standbys of all slots, or none.
    fn rotate(&mut self, force: bool, at: &Circumstances<'_>) -> Result<Done, OrderError> {
        let terms = at.terms;
        let slots = self.slots(terms.algorithm, &terms.named);
        if !force {
            for slot in &slots {
                self.ready(slot, at)?;
            }
        }
        let mut done = Done::default();
        for slot in &slots {
            let before = self
                .find(slot, KeyState::Active)
                .map(|entry| entry.jwk.clone());
            if force && self.ready(slot, at).is_err() {
                done.told.push("the lead was skipped: consumers that keep our keys refuse new tokens until they fetch again".into());
                done.told.extend(consumers::learn(terms));
            }
            self.advance(slot, at.now, at.progress)?;
            done.told
                .extend(self.changed_hands(before.as_ref(), slot, at));
        }
        self.publish(terms, at.now);
        Ok(done)
    }

    fn retire(&mut self, kid: &str, at: &Circumstances<'_>) -> Result<Done, OrderError> {
        let entry = self.entry(kid, at)?;
        let slot = slot(at.terms, entry.jwk.alg);
        let mut done = Done::default();
        match entry.state {
            KeyState::Active => {
                let before = entry.jwk.clone();
                self.ready(&slot, at)?;
                self.advance(&slot, at.now, at.progress)?;
                done.told = self.changed_hands(Some(&before), &slot, at);
            }
            KeyState::Next => {
                self.take_out(|entry| entry.jwk.kid == kid);
                self.complete(&slot, at.now, at.progress)?;
                done.told = vec![format!("{kid} is gone: it never signed")];
            }
            KeyState::Retiring | KeyState::Extra => {
                let until = match entry.leaves(at.terms, at.holding) {
                    Leaving::At(time) => format!("it leaves {}", date(time)),
                    Leaving::HeldBy(tokens) => format!("it is kept by {}", tokens.join(", ")),
                };
                let kid = kid.to_owned();
                return Err(OrderError::Retiring { kid, until });
            }
        }
        self.publish(at.terms, at.now);
        Ok(done)
    }

    /// Refuses a key and all its tokens. What was revoked before may be said again: other hosts
    /// may not have heard of it.
    fn revoke(&mut self, kid: &str, at: &Circumstances<'_>) -> Result<Done, OrderError> {
        let mut told = Vec::new();
        if !self.index.revoked.contains(kid) {
            let entry = self.entry(kid, at)?;
            let (slot, state) = (slot(at.terms, entry.jwk.alg), entry.state);
            let operators = entry.file.clone();
            self.take_out(|entry| entry.jwk.kid == kid);
            self.index.revoked.insert(kid.to_owned());
            self.changed = true;
            told.push(format!("{kid} is revoked: no longer published, and every token that it signed is refused here"));
            if let Some(file) = operators {
                told.push(format!("its file is yours: remove {}", file.display()));
            }
            if state == KeyState::Active {
                self.complete(&slot, at.now, at.progress)?;
                told.extend(self.changed_hands(None, &slot, at));
            }
            for slot in self.slots(at.terms.algorithm, &at.terms.named) {
                self.complete(&slot, at.now, at.progress)?;
            }
            self.publish(at.terms, at.now);
        } else {
            told.push(format!("{kid} is revoked already"));
        }
        told.extend(consumers::follow(at.terms));
        Ok(Done {
            told,
            revoked: true,
        })
    }

    fn import(
        &mut self,
        algorithm: Option<Algorithm>,
        kid: Option<&str>,
        file: &std::path::Path,
        at: &Circumstances<'_>,
    ) -> Result<Done, OrderError> {
        let kid = kid.map(usable).transpose()?;
        if let Some(kid) = kid {
            demo::check(kid, file, at.exposed)?;
        }
        let (pair, notice) = files::read_private(file)?;
        let kind = pair.kind();
        let usual = Some(at.terms.algorithm).filter(|usual| Kind::of(*usual) == kind);
        let algorithm = algorithm
            .or(usual)
            .unwrap_or_else(|| kind.default_algorithm());
        if Kind::of(algorithm) != kind {
            return Err(OrderError::Kind {
                algorithm,
                expected: Kind::of(algorithm).to_string(),
                found: kind.to_string(),
                file: file.to_owned(),
            });
        }
        let public = pair.public().ok_or_else(|| KeyError::crypto(algorithm))?;
        let kid = kid.map_or_else(|| public.thumbprint(), str::to_owned);
        let jwk = Jwk::new(public, kid, algorithm);
        let mut entries = self.entries().iter();
        if let Some(there) = entries.find(|entry| entry.jwk.key == jwk.key) {
            return Err(OrderError::There(there.jwk.kid.clone()));
        }
        if self.index.is_revoked(&jwk) {
            return Err(OrderError::Revoked(file.to_owned()));
        }
        // Refused before anything changes: an id that another key had.
        self.remember(&jwk, file)?;
        self.drop_standby(&slot(at.terms, algorithm));
        let entered = self.enter(&pair, jwk, at.now)?;
        let mut done = self.standby(&entered, at);
        done.told
            .extend(notice.map(|notice| format!("warning: {notice}")));
        done.told.push(format!(
            "the key was copied: {} is needed no more",
            file.display()
        ));
        Ok(done)
    }

    fn entry(&self, kid: &str, at: &Circumstances<'_>) -> Result<&Entry, OrderError> {
        match self.index.find(kid) {
            Some(entry) => Ok(entry),
            None => Err(OrderError::Unknown {
                kid: kid.to_owned(),
                ring: at.terms.described(),
            }),
        }
    }

    /// May the standby of a slot sign?
    fn ready(&self, slot: &Slot<'_>, at: &Circumstances<'_>) -> Result<(), OrderError> {
        let standby = self.find(slot, KeyState::Next);
        let early = standby.filter(|entry| entry.ready(at.terms.lead, at.now) > at.now);
        match early {
            None => Ok(()),
            Some(entry) => Err(OrderError::TooEarly {
                kid: entry.jwk.kid.clone(),
                ready: date(entry.ready(at.terms.lead, at.now)),
            }),
        }
    }
}

/// The slot of a key for this algorithm.
fn slot(terms: &Terms, algorithm: Algorithm) -> Slot<'_> {
    let named = &terms.named;
    let first = Slot {
        algorithm: terms.algorithm,
        named,
    };
    match first.holds(algorithm) {
        true => first,
        false => Slot { algorithm, named },
    }
}
