//! `users add`.

use countersign_sdk::{AuthError, Result, Secret};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Db;
use crate::profile::Profile;
use crate::roles::{self, Roles};

pub(super) const EXPECTED: &str =
    "{username, password, email?, first_name?, last_name?, roles?: [names]}";

/// Who gets no role by name gets Flask-AppBuilder's default for new users.
const DEFAULT_ROLE: &str = "Public";

#[derive(Deserialize)]
pub(super) struct NewUser {
    username: String,
    password: Secret,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    roles: Option<Vec<String>>,
}

impl Db {
    /// Adds an active user. Answers with his row, his id among it.
    pub(super) async fn add_user(&self, new: NewUser) -> Result<Value> {
        self.require_full_access()?;
        let mut names = new.roles.unwrap_or_default();
        if names.is_empty() {
            names.push(DEFAULT_ROLE.to_owned());
        }
        let mut profile = Profile {
            email: Profile::email_or_default(new.email, &new.username),
            username: new.username,
            first_name: new.first_name.unwrap_or_default(),
            last_name: new.last_name.unwrap_or_default(),
            password: None,
        };
        profile.check().map_err(AuthError::invalid)?;
        profile.password = Some(self.hash_password(new.password).await?);

        let failed = |error| self.database.failed("add a user", &error);
        let mut transaction = self.database.begin().await?;
        let known = Roles::read(&mut transaction).await.map_err(failed)?;
        let ids = known.ids(&names).map_err(AuthError::invalid)?;
        let taken = profile
            .present(&mut transaction, None)
            .await
            .map_err(failed)?;
        if taken.iter().any(|row| profile.names(row)) {
            return Err(AuthError::invalid(format!(
                "there is a user {:?} already; names that differ in case are the same",
                profile.username
            )));
        }
        if taken.iter().any(|row| row.email != profile.email) {
            return Err(AuthError::invalid(format!(
                "the database holds the name {:?} or its e-mail address equal to another user's",
                profile.username
            )));
        }
        if !taken.is_empty() {
            return Err(AuthError::invalid(format!(
                "the e-mail address {:?} belongs to another user",
                profile.email
            )));
        }
        let id = profile
            .insert(&mut transaction, None)
            .await
            .map_err(failed)?;
        roles::assign(&mut transaction, id, &ids)
            .await
            .map_err(failed)?;
        self.database.commit_users(transaction).await?;
        Ok(json!({
            "id": id,
            "username": profile.username,
            "email": profile.email,
            "first_name": profile.first_name,
            "last_name": profile.last_name,
            "roles": names,
        }))
    }
}
