//! `countersign users unlink`: a user of one backend is the user of a row in another no more. For
//! a row that went to the wrong one, or that is gone: a linked row is never made anew.

use serde::{Deserialize, Serialize};

use super::store::{LinkKey, LinkedRow, Store, StoreError};
use crate::audit::{self, Managed};
use crate::telemetry::pen;

/// Who asks for it, as the audit log names him.
const OPERATOR: &str = "command line";

/// Which link is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unlink {
    /// The row's name, whatever its case.
    pub username: String,
    /// The backend that keeps the row; none = whichever.
    pub target: Option<String>,
    /// The user, `BACKEND:ID`; none = the only one.
    pub user: Option<String>,
}

/// Why no link was dropped.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum UnlinkError {
    #[error("no user is linked to a row \"{0}\" that this would mean")]
    None(String),
    #[error("several users are linked to rows \"{username}\": {found}")]
    Several { username: String, found: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UnlinkError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            UnlinkError::None(_) => {
                "name the row as `countersign users list` shows it; `countersign check --probe USER` tells whose row is whose"
            }
            UnlinkError::Several { .. } => {
                "say which one is meant with --user BACKEND:ID, or --backend ID for the rows of one backend"
            }
            UnlinkError::Store(error) => error.help(),
        }
    }
}

/// Drops the link, and tells the audit log; the answer is what it was, in words. At his next
/// login the user is looked for as at his first.
///
/// # Errors
/// [`UnlinkError`]: there is none, or it is not said which one.
pub async fn unlink(store: &Store, order: &Unlink) -> Result<String, UnlinkError> {
    let target = order.target.as_deref();
    let mut found = store.links_to(&order.username, target).await?;
    if let Some(user) = &order.user {
        found.retain(|link| whose(&link.key) == *user);
    }
    let none = || UnlinkError::None(order.username.clone());
    let link = match found.as_slice() {
        [] => return Err(none()),
        [link] => link,
        several => {
            let found: Vec<String> = several.iter().map(told).collect();
            return Err(UnlinkError::Several {
                username: order.username.clone(),
                found: found.join("; "),
            });
        }
    };
    if !store.unlink(link).await? {
        return Err(none());
    }
    let told = told(link);
    audit::managed(&Managed {
        what: "link dropped",
        subject: &told,
        by: OPERATOR,
        ..Managed::default()
    });
    pen::written().await;
    Ok(told)
}

/// `BACKEND:ID`.
fn whose(key: &LinkKey) -> String {
    format!("{}:{}", key.backend, key.subject)
}

fn told(link: &LinkedRow) -> String {
    let row = match &link.id {
        Some(id) => format!("row {id}"),
        None => "a row that was to be made".to_owned(),
    };
    let LinkKey { target, .. } = &link.key;
    format!("{} ({row} of {target})", whose(&link.key))
}
