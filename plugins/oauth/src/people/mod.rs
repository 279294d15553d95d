//! From claims to a user: whose claims they are decides who he is, and nothing that he can
//! write himself.

mod email;
mod overage;
mod path;
mod principal;
#[cfg(test)]
pub(crate) mod random;
mod reading;
mod user;

use std::sync::Arc;

use countersign_sdk::prelude::*;
use serde_json::{Map, Value};

pub(crate) use email::{Believed, Domains};
#[cfg(any(fuzzing, test))]
pub(crate) use overage::missing as left_out;
pub(crate) use path::Path;
pub(crate) use principal::Principal;
pub(crate) use reading::Reading;

use crate::settings::Settings;

/// Claims that were verified, and whose they are.
pub(crate) struct Identity {
    /// Who says so.
    pub(crate) issuer: String,
    /// Who it is, unique within the issuer.
    pub(crate) subject: String,
    /// All claims, of whichever sources.
    pub(crate) claims: Map<String, Value>,
}

/// Makes users.
pub(crate) struct People {
    settings: Arc<Settings>,
}

impl People {
    pub(crate) fn new(settings: &Arc<Settings>) -> Self {
        People {
            settings: Arc::clone(settings),
        }
    }

    /// The user of an identity.
    ///
    /// # Errors
    /// Denied: claims of a wrong kind, claims that are missing, an address that is not allowed.
    pub(crate) fn user(&self, identity: &Identity) -> Result<User> {
        let id = user::id(&self.settings, identity).map_err(AuthError::denied)?;
        user::user(&self.settings.reading, &id, identity)
            .map_err(|why| AuthError::denied(why).subject(id))
    }
}
