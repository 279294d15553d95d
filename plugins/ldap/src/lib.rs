//! Users of a directory, found and bound over LDAP.

mod config;
mod entry;
mod filter;
mod groups;
mod login;
mod net;
mod trouble;

use countersign_sdk::prelude::*;

pub use config::Config;
use net::Directory;

/// A backend over one directory.
pub struct Ldap {
    config: Config,
    directory: Directory,
}

impl Configure for Ldap {
    type Config = Config;

    async fn configure(config: Config, cx: Cx) -> Result<Self> {
        let directory = Directory::open(&config, &cx)?;
        Ok(Ldap { config, directory })
    }
}

impl AuthPlugin for Ldap {
    async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        match request.username_password() {
            Some((username, password)) => self.login(&username, &password).await,
            None => Ok(None),
        }
    }
}

export_plugin!(Ldap);
