//! One shared password, any username.
use countersign_sdk::prelude::*;

/// One shared password, any username.
#[derive(Deserialize, JsonSchema)]
#[serde(crate = "countersign_sdk::serde", deny_unknown_fields)]
#[schemars(crate = "countersign_sdk::schemars")]
pub struct Template {
    /// The password that everybody shares.
    password: Secret,
}

impl AuthPlugin for Template {
    async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        let Some((username, password)) = request.username_password() else {
            return Ok(None);
        };
        if !self.password.matches(&password) {
            return Err(AuthError::denied("wrong password").subject(username));
        }
        Ok(Some(User::new(&username, &username)))
    }
}

export_plugin!(Template);
