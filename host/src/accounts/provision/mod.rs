//! Provisioning: a user whom one backend authenticated is found or registered in
//! another, such as Airflow's table, and is from then on the user of that row.
//!
//! The host decides who, with which roles, and whether a row may be made or taken; the
//! target only writes. Which row is whose stands in the store. The order of a first login:
//!
//! 1. the name is free in the target → noted in the store;
//! 2. the target makes the row;
//! 3. the link is written.
//!
//! A crash after 2 leaves the note. At the next login it says that the name was free
//! before us, so the row of that name, if nobody has a password for it and nobody else is
//! linked to it or has noted it, is the one that we made: it is taken. A refusal takes the
//! note back. Where the target offers no look-up there can be no note: then it must answer
//! for its own half-made rows. A linked row that is gone is never made anew.

mod ask;
mod first;
pub mod foresee;
mod turns;

use std::sync::Arc;

use countersign_abi::{Request, User};

use super::store::{Link, LinkKey, Linked, Store, StoreError, fold};
use crate::backends::backend::Backend;
use crate::backends::outcome::Refused;
use crate::backends::{Outcome, Registry};
use crate::clock;
use crate::config::shapes::{LinkBy, Provision, RoleSync};
use ask::{Adopt, Answer, Question};
use turns::Turns;

/// A user whom a token may be made for.
#[derive(Debug, Clone)]
pub struct Principal {
    /// The backend that authenticated him.
    pub backend: String,
    /// The backend whose id he has: the same, or the one that he was provisioned into.
    pub home: String,
    /// Who he is, with his final roles. Of a provisioned user all is as the row says, but
    /// for groups and attributes, which only the first backend knows.
    pub user: User,
}

/// Admits users to the backends that keep their rows. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// None where no backend provisions.
    store: Option<Arc<Store>>,
    turns: Arc<Turns>,
}

/// One user on his way into a target.
struct Entry<'a> {
    store: &'a Store,
    target: &'a Backend,
    settings: &'a Provision,
    register: bool,
    sync: RoleSync,
    key: LinkKey,
    request_id: &'a str,
    user: &'a User,
}

impl Accounts {
    /// Accounts with a store, where the configuration needs one.
    pub fn new(store: Option<Arc<Store>>) -> Self {
        Accounts {
            store,
            turns: Arc::default(),
        }
    }

    /// The store, where there is one.
    pub fn store(&self) -> Option<&Arc<Store>> {
        self.store.as_ref()
    }

    /// Who a user is whom `backend` authenticated and whose final roles are known: he
    /// himself, or the row that he has where the backend provisions.
    ///
    /// # Errors
    /// An outcome that is no user: refused by the target, or an outage of it or the store.
    pub async fn admit(
        &self,
        registry: &Registry,
        backend: &Backend,
        user: User,
        asked: &Request,
    ) -> Result<Principal, Outcome> {
        let Some(settings) = &backend.settings.provision else {
            return Ok(Principal {
                backend: backend.id.clone(),
                home: backend.id.clone(),
                user,
            });
        };
        let missing = || {
            Outcome::fault(format!(
                "backend {} cannot be provisioned into",
                settings.backend
            ))
        };
        let target = registry.get(&settings.backend).ok_or_else(missing)?;
        if user.username.is_empty() {
            return Err(Outcome::fault(
                "the plugin named no username, which provisioning needs",
            ));
        }
        let entry = Entry {
            store: self.store.as_ref().ok_or_else(missing)?,
            target,
            settings,
            register: backend.settings.registration,
            sync: backend.settings.roles.sync,
            key: LinkKey {
                backend: backend.id.clone(),
                subject: user.id.clone(),
                target: target.id.clone(),
            },
            request_id: &asked.request_id,
            user: &user,
        };
        let row = self
            .enter(&entry)
            .await
            .map_err(|outcome| named(outcome, &entry))?;
        Ok(Principal {
            backend: backend.id.clone(),
            home: target.id.clone(),
            user: User {
                groups: user.groups,
                attributes_json: user.attributes_json,
                ..row
            },
        })
    }

    async fn enter(&self, entry: &Entry<'_>) -> Result<User, Outcome> {
        let link = entry.store.link(&entry.key).await.map_err(down)?;
        match link {
            Some(link) if link.id.is_some() => entry.again(link).await,
            _ => {
                // Two first logins of one user would be in each other's way.
                let _turn = self.turns.take(&entry.key).await;
                entry.first_time().await
            }
        }
    }
}

impl Entry<'_> {
    /// He has a row: it alone is meant.
    async fn again(&self, link: Link) -> Result<User, Outcome> {
        let answer = self
            .ask(Question {
                id: link.id.as_deref(),
                name: Some(&link.username),
                previous_roles: &link.roles,
                adopt: Adopt::Never,
            })
            .await?;
        if link.id.as_deref() != Some(answer.user.id.as_str()) {
            return Err(Outcome::fault(format!(
                "{} answered with another row than the linked one",
                self.target.id
            )));
        }
        let called = fold(&answer.user.username);
        if called != link.username && called != fold(&self.user.username) {
            // Not every target looks at the name: some give the id of a deleted row again.
            return Err(denied("the linked row has become another user's"));
        }
        let granted = self.granted(&answer, &link.roles);
        let known = (link.username, link.roles);
        if known != (called, granted.clone()) {
            self.write(&answer.user, &granted).await.map_err(down)?;
        }
        Ok(answer.user)
    }

    async fn write(&self, row: &User, granted: &[String]) -> Result<(), StoreError> {
        let row = Linked {
            id: &row.id,
            username: &row.username,
            roles: granted,
        };
        self.store.put_link(&self.key, row, clock::unix_now()).await
    }

    /// The roles that the row has from us: those of this call, unless it left them alone.
    fn granted(&self, answer: &Answer, before: &[String]) -> Vec<String> {
        if self.sync == RoleSync::Off && !answer.created {
            return before.to_vec();
        }
        let roles = self.user.roles.iter();
        roles
            .filter(|role| !answer.unknown_roles.contains(role))
            .cloned()
            .collect()
    }

    /// What the configuration lets be taken.
    fn adoption(&self) -> Adopt {
        match (self.settings.link, self.settings.adopt_password_rows) {
            (None, _) => Adopt::Never,
            (Some(LinkBy::Username), false) => Adopt::WithoutPassword,
            (Some(LinkBy::Username), true) => Adopt::Any,
        }
    }
}

fn denied(detail: &str) -> Outcome {
    Outcome::Denied(Refused {
        detail: detail.into(),
        ..Refused::default()
    })
}

/// A store that does not answer is an outage.
fn down(error: StoreError) -> Outcome {
    Outcome::unavailable(format!("the store: {error}"))
}

/// The audit log says where he was refused, and who.
fn named(outcome: Outcome, entry: &Entry<'_>) -> Outcome {
    let place = |refused: Refused| Refused {
        public: String::new(),
        detail: format!("provisioning into {}: {}", entry.target.id, refused.detail),
        subject: entry.user.username.clone(),
        retry_after: refused.retry_after,
    };
    match outcome {
        Outcome::Denied(refused) => Outcome::Denied(place(refused)),
        Outcome::Unavailable(refused) => Outcome::Unavailable(place(refused)),
        Outcome::Invalid(refused) | Outcome::Fault(refused) => Outcome::Fault(place(refused)),
        Outcome::NotApplicable | Outcome::Authenticated(_) => {
            Outcome::Fault(place(Refused::default()))
        }
    }
}
