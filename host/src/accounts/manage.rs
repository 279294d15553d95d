//! `countersign users …`: which backend is meant, and the call to it.

use std::path::Path;

use countersign_abi::{Failure, Operation};
use serde_json::{Map, Value};

use super::initial_password;
use crate::backends::Registry;
use crate::backends::backend::Backend;

/// Why an operation on accounts failed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ManageError {
    #[error("there is no backend \"{id}\"; backends: {known}")]
    NoSuchBackend { id: String, known: String },
    #[error("no backend keeps users of its own")]
    NoneManages,
    #[error("several backends keep users: {0}")]
    Several(String),
    #[error("backend \"{backend}\": {reason}")]
    Refused { backend: String, reason: String },
}

impl ManageError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            ManageError::NoSuchBackend { .. } | ManageError::Several(_) => {
                "name one with --backend ID"
            }
            ManageError::NoneManages => "add a backend with `plugin: db`",
            ManageError::Refused { .. } => "see the reason above; nothing was changed",
        }
    }
}

/// Performs `operation` (`user_add`, `user_list`, `user_passwd`, `user_import`) on
/// the named backend, or on the only one that keeps users.
pub async fn manage(
    registry: &Registry,
    state: &Path,
    backend: Option<&str>,
    operation: &str,
    mut arguments: Map<String, Value>,
) -> Result<Value, ManageError> {
    let backend = choose(registry, backend)?;
    let username = arguments.get("username").and_then(Value::as_str);
    let initial = username.is_some_and(|name| name.eq_ignore_ascii_case(initial_password::NAME));
    arguments.insert("op".into(), operation.into());
    let answer = backend
        .call(Operation::Manage, "", Value::Object(arguments))
        .await
        .map_err(|failure| refused(backend, failure))?;
    if operation == "user_passwd"
        && initial
        && let Err(error) = initial_password::remove(state)
    {
        tracing::warn!(%error, "the file with the initial password could not be removed");
    }
    Ok(answer)
}

fn choose<'a>(registry: &'a Registry, id: Option<&str>) -> Result<&'a Backend, ManageError> {
    let ids = |all: &[&Backend]| {
        all.iter()
            .map(|backend| backend.id.clone())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let all: Vec<&Backend> = registry.iter().collect();
    if let Some(id) = id {
        return registry.get(id).ok_or_else(|| ManageError::NoSuchBackend {
            id: id.to_owned(),
            known: ids(&all),
        });
    }
    let managing: Vec<&Backend> = all
        .into_iter()
        .filter(|backend| backend.capabilities.manage)
        .collect();
    match managing.as_slice() {
        [] => Err(ManageError::NoneManages),
        [one] => Ok(one),
        several => Err(ManageError::Several(ids(several))),
    }
}

fn refused(backend: &Backend, failure: Failure) -> ManageError {
    let reason = if failure.public.is_empty() {
        failure.detail
    } else {
        failure.public
    };
    ManageError::Refused {
        backend: backend.id.clone(),
        reason,
    }
}
