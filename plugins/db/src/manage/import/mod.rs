//! `users import`: the array of `airflow users export`, with its ids, so that `sub`
//! stays Airflow's id. All of it or nothing.

mod entry;

use std::collections::BTreeSet;

use countersign_sdk::{AuthError, Result};
use serde::Serialize;
use serde_json::{Value, json};

use crate::Db;
use crate::accounts::Account;
use crate::hash::StoredHash;
use crate::roles::{self, Roles};
use crate::sql::Transaction;
use entry::Entry;

/// Problems named in one answer.
const SHOWN: usize = 20;

/// What an import did, by username.
#[derive(Default, Serialize)]
struct Report {
    created: Vec<String>,
    updated: Vec<String>,
    /// Already as in the file.
    skipped: Vec<String>,
    /// Their hash was that of the empty password: they have none now.
    blanked: Vec<String>,
    /// Roles that the embedded table did not have.
    roles_created: Vec<String>,
}

impl Db {
    /// Adds the users of the file and brings known ones to what it says.
    pub(super) async fn import_users(&self, mut arguments: Value) -> Result<Value> {
        self.require_full_access()?;
        let mut entries = entry::read(arguments["users"].take(), self.database.is_ours)
            .map_err(|all| refused(&all))?;
        let mut report = Report {
            blanked: self.blank(&mut entries).await?,
            ..Report::default()
        };

        let failed = |error| self.database.failed("import users", &error);
        let mut transaction = self.database.begin().await?;
        let mut known = Roles::read(&mut transaction).await.map_err(failed)?;
        if self.database.is_ours {
            // Its roles are names and nothing more; elsewhere a role is what Airflow allows it.
            let wanted: BTreeSet<&String> = entries.iter().flat_map(|entry| &entry.roles).collect();
            for name in wanted {
                if known.ensure(&mut transaction, name).await.map_err(failed)? {
                    report.roles_created.push(name.clone());
                }
            }
        }
        let mut problems = Vec::new();
        for entry in &entries {
            match place(&mut transaction, &known, entry)
                .await
                .map_err(failed)?
            {
                Ok(Placed::Created) => report.created.push(entry.profile.username.clone()),
                Ok(Placed::Updated) => report.updated.push(entry.profile.username.clone()),
                Ok(Placed::Skipped) => report.skipped.push(entry.profile.username.clone()),
                Err(problem) => problems.push(format!("{}: {problem}", entry.name())),
            }
        }
        if !problems.is_empty() {
            return Err(refused(&problems));
        }
        if report.created.is_empty() {
            transaction.commit().await.map_err(failed)?;
        } else {
            self.database.commit_users(transaction).await?;
        }
        Ok(json!(report))
    }

    /// Flask-AppBuilder before 5.3 and Airflow store the hash of "" for users of a
    /// directory: such a hash is no password, and is not taken over.
    async fn blank(&self, entries: &mut [Entry]) -> Result<Vec<String>> {
        let mut blanked = Vec::new();
        for entry in entries {
            let hash = entry
                .profile
                .password
                .as_deref()
                .and_then(StoredHash::parse);
            let Some(hash) = hash else { continue };
            if self.cx.cpu(move || hash.verify("")).await? {
                entry.profile.password = Some(String::new());
                blanked.push(entry.profile.username.clone());
            }
        }
        Ok(blanked)
    }
}

enum Placed {
    Created,
    Updated,
    Skipped,
}

/// Writes one entry, or says what is in its way.
async fn place(
    transaction: &mut Transaction,
    known: &Roles,
    entry: &Entry,
) -> sqlx::Result<Result<Placed, String>> {
    let wanted = match known.ids(&entry.roles) {
        Ok(ids) => ids,
        Err(problem) => return Ok(Err(problem)),
    };
    let present = entry.profile.present(transaction, entry.id).await?;
    match own_row(entry, &present) {
        Err(problem) => Ok(Err(problem)),
        Ok(None) => {
            let id = entry.profile.insert(transaction, entry.id).await?;
            roles::assign(transaction, id, &wanted).await?;
            Ok(Ok(Placed::Created))
        }
        Ok(Some(row)) => {
            let id = row.row.unwrap_or_default();
            let differs = entry.differs_from(row);
            if differs {
                entry.profile.update(transaction, id).await?;
            }
            let moved = roles::assign(transaction, id, &wanted).await?;
            Ok(Ok(if differs || moved {
                Placed::Updated
            } else {
                Placed::Skipped
            }))
        }
    }
}

/// The row that is this user already. Another user with his id, name or address is a conflict.
fn own_row<'a>(entry: &Entry, present: &'a [Account]) -> Result<Option<&'a Account>, String> {
    let named = present.iter().find(|row| entry.profile.names(row));
    if let (Some(row), Some(id)) = (named, entry.id)
        && row.row != Some(id)
    {
        return Err(format!("has id {} here and {id} in the file", row.id));
    }
    let own = named.map(|row| row.row);
    match present.iter().find(|row| Some(row.row) != own) {
        Some(other) if other.email == entry.profile.email => Err(format!(
            "the e-mail address belongs to {:?} here",
            other.username
        )),
        Some(other) if entry.id.is_some() && other.row == entry.id => {
            Err(format!("id {} is {:?} here", other.id, other.username))
        }
        Some(other) => Err(format!(
            "the database holds its name or e-mail address equal to that of {:?}",
            other.username
        )),
        None => Ok(named),
    }
}

fn refused(problems: &[String]) -> AuthError {
    let mut text = format!(
        "nothing was imported; {} entries do not fit:",
        problems.len()
    );
    for problem in problems.iter().take(SHOWN) {
        text.push_str("\n  ");
        text.push_str(problem);
    }
    if problems.len() > SHOWN {
        text.push_str("\n  …");
    }
    AuthError::invalid(text)
}
