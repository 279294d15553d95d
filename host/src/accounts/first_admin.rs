//! The first administrator: made once, when a users database was just created in
//! the state folder, with a random password in a private file.

use std::io;
use std::path::Path;

use serde_json::{Map, json};

use super::initial_password::{self, NAME};
use super::manage::{ManageError, manage};
use crate::backends::Registry;
use crate::backends::backend::Backend;

/// Why there is no first administrator.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum FirstAdminError {
    #[error("the first password could not be written to the state folder: {0}")]
    Write(#[from] io::Error),
    #[error("the first administrator could not be added: {0}")]
    Add(#[from] ManageError),
}

/// Adds the first administrator to every backend whose table was just made; all get
/// one password.
///
/// The password is on disk before the user exists: a crash in between leaves a
/// table that is still new, and the next start makes another password.
pub async fn make(registry: &Registry, state: &Path) -> Result<(), FirstAdminError> {
    let fresh: Vec<&Backend> = registry
        .iter()
        .filter(|backend| backend.capabilities.fresh && backend.capabilities.manage)
        .collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let password = initial_password::make(state)?;
    for backend in fresh {
        let user = Map::from_iter([
            ("username".to_owned(), json!(NAME)),
            ("email".to_owned(), json!("admin@localhost")),
            ("first_name".to_owned(), json!("Admin")),
            ("last_name".to_owned(), json!("User")),
            ("roles".to_owned(), json!(["Admin"])),
            ("password".to_owned(), json!(password)),
        ]);
        manage(registry, state, Some(&backend.id), "user_add", user).await?;
        tracing::info!(
            backend = backend.id,
            user = NAME,
            "first administrator added"
        );
    }
    Ok(())
}
