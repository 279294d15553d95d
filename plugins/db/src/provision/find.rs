//! Which row of `ab_user` is the user's, if any is.

use countersign_sdk::{Adopt, Provision};

use super::{Stop, denied};
use crate::accounts::{Account, select};
use crate::hash::StoredHash;
use crate::sql::{Transaction, is_same_name, with};

/// The row that the user was linked to before; `None`: there was none. One that is gone
/// is not made anew: whoever deleted it meant the user.
pub(super) async fn linked(
    transaction: &mut Transaction,
    wanted: &Provision,
) -> Result<Option<i64>, Stop> {
    let Some(linked) = &wanted.id else {
        return Ok(None);
    };
    let row = match linked.parse() {
        Ok(id) => by_id(transaction, id).await?,
        Err(_) => None,
    };
    let gone = || {
        denied(format!(
            "row {linked} of ab_user, linked to the user, is gone"
        ))
    };
    let row = row.ok_or_else(gone)?;
    if !wanted.is_linked_row(&row.username) {
        return Err(denied(format!(
            "row {linked} of ab_user, linked to the user, has become {:?}: another user's, if \
             the id was given again; if not, give the row the user's name",
            row.username
        ))
        .into());
    }
    active(row)
}

/// The row of his name, as far as it may be taken.
pub(super) async fn named(
    transaction: &mut Transaction,
    wanted: &Provision,
    hollow: Option<&(String, String)>,
) -> Result<Option<i64>, Stop> {
    let name = wanted.user.username.as_str();
    if name.is_empty() || name.contains('\0') {
        return Err(denied("the username is empty or contains NUL").into());
    }
    let dialect = transaction.dialect();
    let same = dialect.same_name("username", ":username");
    let query = format!("{} WHERE {same}", select(dialect));
    let rows = transaction.fetch(&query, &[with("username", name)]).await?;
    let rows: sqlx::Result<Vec<Account>> = rows.iter().map(Account::read).collect();
    let mut rows = rows?;
    let Some(row) = rows.pop() else {
        return Ok(None);
    };
    let id = &row.id;
    if !rows.is_empty() {
        return Err(denied("the name is that of several rows of ab_user").into());
    }
    if !is_same_name(&row.username, name) {
        let equal = format!("the database holds the name equal to that of row {id} of ab_user");
        return Err(denied(equal).into());
    }
    match wanted.adopt {
        Adopt::Any => active(row),
        Adopt::WithoutPassword if has_no_password(&row, hollow) => active(row),
        Adopt::WithoutPassword => Err(denied(format!(
            "the name is that of row {id} of ab_user, which has a password of its own"
        ))
        .into()),
        _ => Err(denied(format!(
            "the name is that of row {id} of ab_user, which is not linked to the user"
        ))
        .into()),
    }
}

/// Can nobody log in to this row with a password, here or in Airflow? A hash of a kind
/// that is not known here may be known there.
fn has_no_password(row: &Account, hollow: Option<&(String, String)>) -> bool {
    match &row.hash {
        None => true,
        Some(text) if text.starts_with(['!', '*']) => true,
        Some(text) => {
            StoredHash::parse(text).is_some_and(|stored| stored.is_nobodys())
                || hollow.is_some_and(|(id, known)| *id == row.id && known == text)
        }
    }
}

fn active(row: Account) -> Result<Option<i64>, Stop> {
    if row.active {
        return Ok(row.row);
    }
    Err(denied(format!("row {} of ab_user is inactive", row.id)).into())
}

pub(super) async fn by_id(transaction: &mut Transaction, id: i64) -> sqlx::Result<Option<Account>> {
    let query = format!("{} WHERE id = :id", select(transaction.dialect()));
    let rows = transaction.fetch(&query, &[with("id", id)]).await?;
    rows.first().map(Account::read).transpose()
}
