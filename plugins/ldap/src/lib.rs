//! Users of a directory, found and bound over LDAP.
//!
//! A login in a straight line: `login` takes the typed name (`name`) through one of
//! Flask-AppBuilder's two flows over `net`, turns the entry into a user (`user`, `id`) with his
//! `groups`, and a refusal into its `outcome`. `check` says what is wrong with the `config`.
//! What a stranger typed becomes part of a `filter` or a `dn` only escaped. `README.md` has
//! the state chart and the table of Flask-AppBuilder's keys.

mod check;
mod config;
mod dn;
mod entry;
mod filter;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod groups;
mod id;
mod login;
mod mistakes;
mod name;
mod net;
mod outcome;
#[cfg(test)]
mod random;
mod sub_code;
mod template;
mod trouble;
mod user;

use countersign_sdk::prelude::*;

use check::{Checked, Flow};
pub use config::Config;
use filter::Filter;
use mistakes::Mistakes;
use net::Directory;
use outcome::{Step, outage};

/// A backend over one directory.
pub struct Ldap {
    config: Config,
    directory: Directory,
    flow: Flow,
    /// What users must match besides their name.
    filter: Option<Filter>,
}

impl Configure for Ldap {
    type Config = Config;

    async fn configure(mut config: Config, cx: Cx) -> Result<Self> {
        config.tidy();
        let mut mistakes = Mistakes::default();
        let checked = mistakes.note(check::check(&config));
        let directory = mistakes.note(Directory::open(&config, &cx));
        let (Checked { flow, filter }, directory) = mistakes.unless_any(checked.zip(directory))?;
        Ok(Ldap {
            config,
            directory,
            flow,
            filter,
        })
    }
}

impl AuthPlugin for Ldap {
    async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        match request.username_password() {
            Some((username, password)) => self.login(&username, &password).await,
            None => Ok(None),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut offered = Capabilities::password();
        // In the direct flow only the user himself can look.
        offered.lookup = matches!(self.flow, Flow::Indirect);
        offered
    }

    async fn lookup(&self, username: &str) -> Result<Option<User>> {
        self.find(username).await
    }

    async fn health(&self) -> Result<()> {
        let health = self.directory.health().await;
        health.map_err(|trouble| outage(Step::Service, &trouble))
    }

    async fn shutdown(&self) {
        self.directory.shutdown().await;
    }
}

export_plugin!(Ldap);
