//! Who may manage over HTTP.

use super::Serving;
use crate::accounts::Principal;
use crate::token::lasting::BOT;
use crate::token::management::{Management, ManagementError};

impl Serving {
    /// What is done to bots and remembered tokens, under this configuration.
    ///
    /// # Errors
    /// There is no store.
    pub fn management(&self) -> Result<Management<'_>, ManagementError> {
        self.tokens.management(&self.bots, &self.managers)
    }

    /// May a user manage: bots, keys, the console? A bot never may, whatever its roles (B04).
    pub fn may_manage(&self, principal: &Principal) -> bool {
        let roles = &principal.user.roles;
        principal.backend != BOT && self.managers.iter().any(|role| roles.contains(role))
    }
}
