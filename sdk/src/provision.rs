//! What crosses when a user whom another backend authenticated is found or
//! registered in this one. The host decides who, with which roles, and whether a new
//! row may be made; the plugin only writes.

use serde::{Deserialize, Serialize};

use crate::User;

/// A user to be found or registered.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Provision {
    /// The backend that authenticated him.
    pub backend: String,
    /// His id there.
    pub subject: String,
    /// The row that he was linked to before: it alone is meant. If it is gone, or another
    /// one by now ([`is_linked_row`](Self::is_linked_row)), he is denied.
    #[serde(default)]
    pub id: Option<String>,
    /// The name that this row had when it was last seen, in lower case.
    #[serde(default)]
    pub name: Option<String>,
    /// Who he is; `roles` are his final ones.
    pub user: User,
    /// The roles that the last call gave him.
    #[serde(default)]
    pub previous_roles: Vec<String>,
    /// May a new row be made?
    #[serde(default)]
    pub register: bool,
    /// What becomes of the roles of a row that exists.
    #[serde(default)]
    pub sync: RoleSync,
    /// May a row of his name that is not linked to anybody be taken?
    #[serde(default)]
    pub adopt: Adopt,
}

/// What becomes of the roles of a row that exists. A new row has the final roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RoleSync {
    /// They stay as they are.
    #[default]
    Off,
    /// The final ones and no others (FAB: AUTH_ROLES_SYNC_AT_LOGIN).
    Replace,
    /// The final ones beside those that somebody gave by hand: of the old ones only
    /// [`previous_roles`](Provision::previous_roles) are taken away.
    KeepManual,
}

/// May a row of the user's name that is not linked to anybody be taken?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Adopt {
    /// Never: the name is taken.
    #[default]
    Never,
    /// Only one that nobody can log in to with a password.
    WithoutPassword,
    /// Any.
    Any,
}

/// The row that was found or made.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Provisioned {
    /// The user as the table knows him: its id, and the roles that he has there now.
    pub user: User,
    /// Was a new row made?
    pub created: bool,
    /// Final roles that the table does not have. Roles are never made.
    pub unknown_roles: Vec<String>,
}

impl Provision {
    /// A user of another backend who may neither be registered nor take a row: what a
    /// test starts from.
    pub fn new(backend: impl Into<String>, user: User) -> Self {
        Provision {
            backend: backend.into(),
            subject: user.id.clone(),
            id: None,
            name: None,
            user,
            previous_roles: Vec::new(),
            register: false,
            sync: RoleSync::Off,
            adopt: Adopt::Never,
        }
    }
}

impl Provision {
    /// Is a row of this name still the one that [`id`](Self::id) meant? It has the name that
    /// it had, or the user's own. Some tables give the id of a deleted row again: then it
    /// is somebody else's now.
    pub fn is_linked_row(&self, username: &str) -> bool {
        let fold = |name: &str| name.trim().to_lowercase();
        let now = fold(username);
        self.name.as_ref().is_none_or(|name| fold(name) == now) || fold(&self.user.username) == now
    }
}

impl Provisioned {
    /// A row that was there before.
    pub fn found(user: User) -> Self {
        Provisioned {
            user,
            created: false,
            unknown_roles: Vec::new(),
        }
    }

    /// A row that was made.
    pub fn created(user: User) -> Self {
        Provisioned {
            created: true,
            ..Provisioned::found(user)
        }
    }
}
