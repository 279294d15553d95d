//! What is done to bots and to the tokens that are remembered: by the command line, the API and
//! the console alike. Each change is durable, and in force at this host, before it is answered,
//! and stands in the audit log before the answer does.
//!
//! Whoever may manage may give a bot any role but those that manage: these he has to have
//! himself. Bots do not manage, whatever their roles.

mod bots;
mod bounds;
mod error;
mod jwks;
pub mod order;
mod own;
#[cfg(test)]
mod tests;
mod tokens;
pub mod told;
mod verdict;

use std::collections::BTreeSet;

use super::Tokens;
use crate::accounts::store::Store;
use crate::audit::{self, Managed};
use crate::config::shapes::Bots;
use crate::telemetry::pen;

pub use bots::{Described, Found};
pub use error::{Kind, ManagementError};
pub use tokens::Earlier;

/// Who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// His name, as lists show it.
    pub name: &'a str,
    /// His roles; none = he holds the machine, and may what it may.
    pub roles: Option<&'a [String]>,
    /// The id of his request; may be empty.
    pub request: &'a str,
    /// His address; may be empty.
    pub address: &'a str,
}

/// The functions. Cheap to make.
#[derive(Debug, Clone, Copy)]
pub struct Management<'a> {
    tokens: &'a Tokens,
    store: &'a Store,
    rules: &'a Bots,
    managing: &'a [String],
}

impl Tokens {
    /// The functions under these rules; `managing` are the roles of those who may manage.
    ///
    /// # Errors
    /// There is no store.
    pub fn management<'a>(
        &'a self,
        rules: &'a Bots,
        managing: &'a [String],
    ) -> Result<Management<'a>, ManagementError> {
        let store = self.accounts.store().ok_or(ManagementError::NoStore)?;
        Ok(Management {
            tokens: self,
            store,
            rules,
            managing,
        })
    }
}

impl Management<'_> {
    /// Roles that manage are given by those who have them.
    fn may_give(&self, roles: &[String], asker: Asker<'_>) -> Result<(), ManagementError> {
        let Some(has) = asker.roles else {
            return Ok(());
        };
        let managing: BTreeSet<&String> = self.managing.iter().collect();
        let refused = |role: &&String| managing.contains(role) && !has.contains(role);
        match roles.iter().find(refused) {
            Some(role) => Err(ManagementError::Role(role.clone())),
            None => Ok(()),
        }
    }
}

/// Tells the audit log; `jti` may be empty.
async fn tell(what: &'static str, subject: &str, jti: &str, asker: Asker<'_>) {
    audit::managed(&Managed {
        what,
        subject,
        jti,
        by: asker.name,
        request: asker.request,
        address: asker.address,
    });
    pen::written().await;
}
