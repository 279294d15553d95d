//! The answer to "who is asking".

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user, as a backend knows him. Never a token: the host makes that. More may be
/// added later, so there is no literal of it:
///
/// ```
/// use countersign_sdk::User;
///
/// let mut user = User::new("42", "ada");
/// user.email = "ada@example.org".into();
/// user.groups = vec!["engineers".into()];
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct User {
    /// Stable identifier within this backend; it becomes `sub`. Never a name that can be taken over.
    pub id: String,
    /// Log-in name.
    pub username: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Given name, or empty.
    pub first_name: String,
    /// Family name, or empty.
    pub last_name: String,
    /// Roles that this backend itself grants: they pass into the token's claims as they are.
    pub roles: Vec<String>,
    /// Groups from outside: keys for the host's role mapping, never roles by themselves.
    pub groups: Vec<String>,
    /// Further attributes, for claim templates: `{attributes.NAME}`.
    pub attributes: Map<String, Value>,
}

impl User {
    /// A user with an identifier and a log-in name.
    pub fn new(id: impl Into<String>, username: impl Into<String>) -> Self {
        User {
            id: id.into(),
            username: username.into(),
            ..User::default()
        }
    }
}

impl From<User> for countersign_abi::User {
    fn from(user: User) -> Self {
        let attributes_json = if user.attributes.is_empty() {
            String::new()
        } else {
            Value::Object(user.attributes).to_string()
        };
        countersign_abi::User {
            id: user.id,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            roles: user.roles,
            groups: user.groups,
            attributes_json,
        }
    }
}
