//! A user who signed in, or made a token, some time ago: may he still come in, and with which roles? His backend
//! is asked, if it can look users up; one that cannot has said all that it will.

use countersign_abi::{Code, Failure, Operation, User};
use serde_json::{Value, json};

use super::Tokens;
use crate::accounts::Principal;
use crate::backends::backend::Backend;

/// Why a user gets nothing more for a sign-in of before.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotAgain {
    #[error("his backend takes no logins any more")]
    NoBackend,
    #[error("his backend does not know him any more")]
    Unknown,
    #[error("his backend knows another user of this name now")]
    Another,
    #[error("his backend lets him in no more: {0}")]
    Inactive(String),
    #[error("his backend cannot say now: {0}")]
    Outage(String),
}

impl Tokens {
    /// The user as his backend knows him now. One who was provisioned is looked for where his
    /// row is.
    ///
    /// # Errors
    /// [`NotAgain`].
    pub async fn look_again(
        &self,
        principal: &Principal,
        request_id: &str,
    ) -> Result<Principal, NotAgain> {
        if !self.takes(principal) {
            return Err(NotAgain::NoBackend);
        }
        let home = self.registry.get(&principal.home);
        let home = home.ok_or(NotAgain::NoBackend)?;
        let Some(found) = look_up(home, &principal.user.username, request_id).await? else {
            return Ok(principal.clone());
        };
        if found.id != principal.user.id {
            return Err(NotAgain::Another);
        }
        let mut principal = principal.clone();
        if principal.home == principal.backend {
            principal.user.roles = self.roles.of(&principal.backend, &found);
            principal.user.groups = found.groups;
        }
        Ok(principal)
    }
}

/// Who has this name; none = the backend cannot look anybody up.
async fn look_up(
    backend: &Backend,
    username: &str,
    request_id: &str,
) -> Result<Option<User>, NotAgain> {
    if !backend.capabilities.lookup {
        return Ok(None);
    }
    let arguments = json!({ "username": username });
    match backend.call(Operation::Lookup, request_id, arguments).await {
        Ok(Value::Null) => Err(NotAgain::Unknown),
        Ok(user) => {
            let user = User::try_from(user).map_err(|failure| NotAgain::Outage(words(failure)))?;
            match inactive(&user) {
                Some(why) => Err(NotAgain::Inactive(why)),
                None => Ok(Some(user)),
            }
        }
        Err(failure) if failure.code == Code::NotSupported => Ok(None),
        Err(failure) if failure.code == Code::Denied => Err(NotAgain::Inactive(words(failure))),
        Err(failure) => Err(NotAgain::Outage(words(failure))),
    }
}

/// Why a user who was found may not come in, if he may not.
fn inactive(user: &User) -> Option<String> {
    let told: Value = serde_json::from_str(&user.attributes_json).ok()?;
    (told["active"] == false).then(|| {
        let why = told["inactive"].as_str();
        why.unwrap_or("he is inactive").to_owned()
    })
}

fn words(failure: Failure) -> String {
    match failure.detail.is_empty() {
        true => failure.public,
        false => failure.detail,
    }
}
