//! `users passwd`.

use countersign_sdk::{AuthError, Result, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Db;
use crate::accounts::Account;
use crate::sql::with;

pub(super) const EXPECTED: &str = "{username, password}";

#[derive(Deserialize)]
pub(super) struct NewPassword {
    username: String,
    password: Secret,
}

impl Db {
    /// Replaces a user's password and forgets his failed logins; nothing else changes.
    pub(super) async fn set_password(&self, new: NewPassword) -> Result<Value> {
        self.require_full_access()?;
        let found = Account::find(&self.database, &new.username).await?;
        let account = found
            .ok_or_else(|| AuthError::invalid(format!("there is no user {:?}", new.username)))?;
        let hash = self.hash_password(new.password).await?;
        let failed = |error| self.database.failed("set a password", &error);
        let update = "UPDATE ab_user SET password = :password, fail_login_count = 0 WHERE id = :id";
        let named = [with("password", hash), with("id", account.row)];
        let mut transaction = self.database.begin().await?;
        transaction.execute(update, &named).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)?;
        Ok(json!({ "id": account.row, "username": account.username }))
    }
}
