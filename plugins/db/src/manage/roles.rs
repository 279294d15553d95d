//! The role table: names to ids, and which roles a user has himself.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Sqlite, Transaction};

/// All roles, by name. Names are exact, as in Flask-AppBuilder.
pub(super) struct Roles(BTreeMap<String, i64>);

impl Roles {
    pub(super) async fn read(transaction: &mut Transaction<'static, Sqlite>) -> sqlx::Result<Self> {
        let rows: Vec<(String, i64)> = sqlx::query_as("SELECT name, id FROM ab_role")
            .fetch_all(&mut **transaction)
            .await?;
        Ok(Roles(rows.into_iter().collect()))
    }

    /// The ids of these roles, or the first that is not in the table, with those that are.
    pub(super) fn ids(&self, names: &[String]) -> Result<BTreeSet<i64>, String> {
        let id = |name: &String| self.0.get(name).copied().ok_or_else(|| self.unknown(name));
        names.iter().map(id).collect()
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        format!("there is no role {name:?}; known are {}", known.join(", "))
    }

    /// Adds a role where it is missing; true = it was.
    pub(super) async fn ensure(
        &mut self,
        transaction: &mut Transaction<'static, Sqlite>,
        name: &str,
    ) -> sqlx::Result<bool> {
        if self.0.contains_key(name) {
            return Ok(false);
        }
        let id = sqlx::query_scalar("INSERT INTO ab_role (name) VALUES ($1) RETURNING id")
            .bind(name)
            .fetch_one(&mut **transaction)
            .await?;
        self.0.insert(name.to_owned(), id);
        Ok(true)
    }
}

/// Makes these the user's own roles; those of his groups stay. true = that was a change.
pub(super) async fn assign(
    transaction: &mut Transaction<'static, Sqlite>,
    user: i64,
    wanted: &BTreeSet<i64>,
) -> sqlx::Result<bool> {
    let present: Vec<i64> =
        sqlx::query_scalar("SELECT role_id FROM ab_user_role WHERE user_id = $1")
            .bind(user)
            .fetch_all(&mut **transaction)
            .await?;
    let present: BTreeSet<i64> = present.into_iter().collect();
    for role in present.difference(wanted) {
        sqlx::query("DELETE FROM ab_user_role WHERE user_id = $1 AND role_id = $2")
            .bind(user)
            .bind(role)
            .execute(&mut **transaction)
            .await?;
    }
    for role in wanted.difference(&present) {
        sqlx::query("INSERT INTO ab_user_role (user_id, role_id) VALUES ($1, $2)")
            .bind(user)
            .bind(role)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(present != *wanted)
}
