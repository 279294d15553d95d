//! The first login of a user into a target: a row is found, made, or refused, and linked.

use countersign_abi::User;

use super::ask::{Adopt, Name, Question};
use super::{Entry, denied, down};
use crate::accounts::store::{Held, Link, StoreError, fold};
use crate::backends::Outcome;
use crate::clock;

/// Another host may be in the middle of the same first login, so what is known may change
/// under us: then all is looked at again, at most so often.
const ATTEMPTS: usize = 3;

impl Entry<'_> {
    pub(super) async fn first_time(&self) -> Result<User, Outcome> {
        for _ in 0..ATTEMPTS {
            let link = self.prepare().await?;
            if let Some(link) = link.clone().filter(|link| link.id.is_some()) {
                return self.again(link).await;
            }
            let adopt = self.adoptable(link.as_ref()).await?;
            let question = Question {
                id: None,
                name: None,
                previous_roles: &[],
                adopt,
            };
            let answer = match self.ask(question).await {
                Ok(answer) => answer,
                Err(Outcome::Denied(refused)) => {
                    if self.store.link(&self.key).await.map_err(down)? != link {
                        continue;
                    }
                    self.store.forget(&self.key).await.map_err(down)?;
                    return Err(Outcome::Denied(refused));
                }
                Err(other) => return Err(other),
            };
            let granted = self.granted(&answer, &[]);
            return match self.write(&answer.user, &granted).await {
                Ok(()) => Ok(answer.user),
                Err(StoreError::Taken) => {
                    self.store.forget(&self.key).await.map_err(down)?;
                    Err(denied("the row is linked to another user already"))
                }
                Err(error) => Err(down(error)),
            };
        }
        Err(Outcome::unavailable(
            "the same user logs in for the first time elsewhere",
        ))
    }

    /// What the store knows, after a note was made that the name is free where it is.
    async fn prepare(&self) -> Result<Option<Link>, Outcome> {
        let link = self.store.link(&self.key).await.map_err(down)?;
        if link.as_ref().is_some_and(|link| link.id.is_some()) {
            return Ok(link);
        }
        let name = fold(&self.user.username);
        let mut taken = false;
        match &link {
            Some(note) if note.username == name => self.note(&name).await?,
            _ => {
                if link.is_some() {
                    // A note about another name says nothing of this one.
                    self.store.forget(&self.key).await.map_err(down)?;
                }
                if !self.register {
                    return Ok(None);
                }
                match self.look_up().await? {
                    Name::Free => self.note(&name).await?,
                    Name::Taken => taken = self.adoption() == Adopt::Never,
                    Name::Unknown => {}
                }
            }
        }
        // Another host may have made the row meanwhile, and linked or noted it.
        let link = self.store.link(&self.key).await.map_err(down)?;
        if taken && link.is_none() {
            return Err(denied("a row of this name exists, and none may be taken"));
        }
        Ok(link)
    }

    async fn note(&self, name: &str) -> Result<(), Outcome> {
        let noted = self.store.intend(&self.key, name, clock::unix_now());
        noted.await.map_err(down)
    }

    /// What may be taken: never a row that is somebody else's; with a note at least one that
    /// nobody can log in to, since it is ours. Noting comes before looking at the notes of
    /// others: of two users of one name at least one sees the other, and makes nothing.
    async fn adoptable(&self, note: Option<&Link>) -> Result<Adopt, Outcome> {
        let wanted = match note {
            Some(_) => self.adoption().max(Adopt::WithoutPassword),
            None => self.adoption(),
        };
        if wanted == Adopt::Never {
            return Ok(wanted);
        }
        let held = self.store.held(&self.key, &self.user.username).await;
        match held.map_err(down)? {
            Held::No => Ok(wanted),
            Held::Linked => Ok(Adopt::Never),
            Held::Noted => {
                self.store.forget(&self.key).await.map_err(down)?;
                Err(denied("a row of this name is being made for another user"))
            }
        }
    }
}
