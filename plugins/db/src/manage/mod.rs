//! `countersign users …`: JSON in, JSON out, every change one transaction.
//!
//! What is wrong is said in public text: the one who asks is the operator. It
//! never repeats a password, so serde's own messages, which quote values, are not used.

mod add;
mod import;
mod list;
mod passwd;

use countersign_sdk::{AuthError, Result, Secret};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Db;
use crate::config::Access;
use crate::hash::StoredHash;

impl Db {
    /// Carries out one operation; the host passes the `op` on with the arguments.
    pub(crate) async fn manage_users(&self, operation: &str, arguments: Value) -> Result<Value> {
        match operation {
            "user_list" => self.list_users().await,
            "user_add" => self.add_user(read(arguments, add::EXPECTED)?).await,
            "user_passwd" => self.set_password(read(arguments, passwd::EXPECTED)?).await,
            "user_import" => self.import_users(arguments).await,
            _ => Err(AuthError::not_supported(operation)),
        }
    }

    /// May users be written?
    pub(crate) fn require_full_access(&self) -> Result<()> {
        if self.access == Access::Full {
            return Ok(());
        }
        Err(AuthError::invalid(
            "users of this backend may not be changed: set `access: full` in its config \
             (the default only for a database in the state folder)",
        ))
    }

    /// The text to store for a new password.
    async fn hash_password(&self, password: Secret) -> Result<String> {
        check_password(&password)?;
        let method = self.method;
        if method.is_cut(password.expose()) {
            return Err(AuthError::invalid(
                "the password is longer than the 72 bytes that bcrypt sees",
            ));
        }
        let hash = self
            .cx
            .cpu(move || StoredHash::create(method, password.expose()));
        hash.await?
            .map_err(|error| AuthError::unavailable(format!("a new hash: {error}")))
    }
}

fn read<T: DeserializeOwned>(arguments: Value, expected: &str) -> Result<T> {
    serde_json::from_value(arguments)
        .map_err(|_| AuthError::invalid(format!("the arguments do not fit; expected {expected}")))
}

/// What a login refuses can be no password.
fn check_password(password: &Secret) -> Result<()> {
    match password.expose() {
        "" => Err(AuthError::invalid("the password is empty")),
        text if text.contains('\0') => Err(AuthError::invalid("the password contains NUL")),
        _ => Ok(()),
    }
}
