//! What provisioning would do with a user, found out without doing it: the target is only
//! asked to look his name up, the store only read.

use countersign_abi::{Code, Failure, Operation, User};
use serde_json::{Value, json};

use crate::accounts::store::{Held, LinkKey, Store, StoreError, fold};
use crate::backends::backend::Backend;
use crate::config::shapes::{LinkBy, Provision, RoleSync};

/// What would become of a user at his next login.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// He has this row, and it is his.
    Linked(User),
    /// This row of his name would be taken, as far as a look-up can tell.
    Adopted {
        /// The row.
        row: User,
        /// Only if nobody has a password for it, which only the target can tell.
        without_password: bool,
    },
    /// A row would be made.
    Registered,
    /// He would be refused, for this reason.
    Refused(String),
    /// The target offers no look-up.
    Unknown,
}

/// A user before the door of a target.
#[derive(Debug, Clone, Copy)]
pub struct Newcomer<'a> {
    /// The backend that knows him.
    pub backend: &'a Backend,
    /// The backend that keeps the rows.
    pub target: &'a Backend,
    /// How he is provisioned.
    pub settings: &'a Provision,
    /// Who he is.
    pub user: &'a User,
}

/// What a look-up of a name finds.
enum Row {
    None,
    Active(User),
    Inactive,
}

impl Newcomer<'_> {
    /// Looks ahead. `store` is none where there is none yet.
    ///
    /// # Errors
    /// The target or the store does not answer: told in words.
    pub async fn foresee(&self, store: Option<&Store>) -> Result<Foreseen, String> {
        if self.user.username.is_empty() {
            return Ok(refused("he has no username, which provisioning needs"));
        }
        if !self.target.capabilities.lookup {
            return Ok(Foreseen::Unknown);
        }
        let key = LinkKey {
            backend: self.backend.id.clone(),
            subject: self.user.id.clone(),
            target: self.target.id.clone(),
        };
        let link = match store {
            Some(store) => store.link(&key).await.map_err(down)?,
            None => None,
        };
        if let Some((id, name)) = link
            .as_ref()
            .and_then(|link| Some((link.id.as_ref()?, &link.username)))
        {
            return Ok(match self.look_up(name).await? {
                Row::Active(row) if row.id == *id => Foreseen::Linked(row),
                Row::Inactive => refused("his row is inactive"),
                Row::Active(_) | Row::None => {
                    refused("the row that is linked to him is gone, or has another name")
                }
            });
        }
        let row = match self.look_up(&self.user.username).await? {
            Row::Inactive => return Ok(refused("a row of his name exists, and is inactive")),
            Row::None if self.backend.settings.registration => return Ok(Foreseen::Registered),
            Row::None => {
                return Ok(refused(
                    "there is no row of his name, and `registration` is false",
                ));
            }
            Row::Active(row) => row,
        };
        let held = match store {
            Some(store) => store.held(&key, &self.user.username).await.map_err(down)?,
            None => Held::No,
        };
        // A note of his own: the row was made for him, and the link was not written.
        let noted = link.is_some_and(|link| link.username == fold(&self.user.username));
        Ok(match (held, self.settings.link) {
            (Held::Linked, _) => refused("the row of his name is linked to another user"),
            (Held::Noted, _) => refused("a row of his name is being made for another user"),
            (Held::No, None) if !noted => {
                refused("a row of his name exists, and none may be taken (provision.link)")
            }
            (Held::No, link) => Foreseen::Adopted {
                row,
                without_password: link != Some(LinkBy::Username)
                    || !self.settings.adopt_password_rows,
            },
        })
    }

    /// The roles that his row would have then, as far as the target has them.
    pub fn roles(&self, foreseen: &Foreseen) -> Option<Vec<String>> {
        let own = || self.user.roles.clone();
        match foreseen {
            Foreseen::Registered => Some(own()),
            Foreseen::Linked(row) | Foreseen::Adopted { row, .. } => {
                match self.backend.settings.roles.sync {
                    RoleSync::Off => Some(row.roles.clone()),
                    RoleSync::Replace => Some(own()),
                    // Which of them were given by hand, only the login finds out.
                    RoleSync::KeepManual => None,
                }
            }
            Foreseen::Refused(_) | Foreseen::Unknown => None,
        }
    }

    async fn look_up(&self, name: &str) -> Result<Row, String> {
        let called = self
            .target
            .call(Operation::Lookup, "", json!({ "username": name }))
            .await;
        match called {
            Ok(Value::Null) => Ok(Row::None),
            Ok(row) => {
                let row = User::try_from(row).map_err(told)?;
                // Found by something else than its name: the name is free.
                Ok(match fold(&row.username) == fold(name) {
                    true => Row::Active(row),
                    false => Row::None,
                })
            }
            Err(failure) if failure.code == Code::Denied => Ok(Row::Inactive),
            Err(failure) => Err(told(failure)),
        }
    }
}

fn refused(why: &str) -> Foreseen {
    Foreseen::Refused(why.to_owned())
}

fn told(failure: Failure) -> String {
    match failure.detail.is_empty() {
        true => failure.public,
        false => failure.detail,
    }
}

fn down(error: StoreError) -> String {
    format!("the store: {error}")
}
