//! The role table: names to ids, and which roles a user has himself.

use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Dialect, Transaction, with};

/// All roles, by name. Names are exact, as in Flask-AppBuilder.
pub(crate) struct Roles(BTreeMap<String, i64>);

impl Roles {
    pub(crate) async fn read(transaction: &mut Transaction) -> sqlx::Result<Self> {
        let rows = transaction
            .fetch("SELECT id, name FROM ab_role", &[])
            .await?;
        let role =
            |row: &crate::sql::Row| Ok((row.text("name")?.unwrap_or_default(), row.id("id")?));
        rows.iter()
            .map(role)
            .collect::<sqlx::Result<_>>()
            .map(Roles)
    }

    /// The id of a role.
    pub(crate) fn id(&self, name: &str) -> Option<i64> {
        self.0.get(name).copied()
    }

    /// The ids of these roles, or the first that is not in the table, with those that are.
    pub(crate) fn ids(&self, names: &[String]) -> Result<BTreeSet<i64>, String> {
        let id = |name: &String| self.id(name).ok_or_else(|| self.unknown(name));
        names.iter().map(id).collect()
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<&str> = self.0.keys().map(String::as_str).collect();
        format!("there is no role {name:?}; known are {}", known.join(", "))
    }

    /// Adds a role to a table of our own where it is missing; true = it was.
    pub(crate) async fn ensure(
        &mut self,
        transaction: &mut Transaction,
        name: &str,
    ) -> sqlx::Result<bool> {
        if self.0.contains_key(name) {
            return Ok(false);
        }
        let id = transaction
            .insert(
                "INSERT INTO ab_role (name) VALUES (:name)",
                &[with("name", name)],
            )
            .await?;
        self.0.insert(name.to_owned(), id);
        Ok(true)
    }
}

/// The ids of the user's own roles.
pub(crate) async fn own(transaction: &mut Transaction, user: i64) -> sqlx::Result<BTreeSet<i64>> {
    let query = "SELECT role_id FROM ab_user_role WHERE user_id = :user";
    let rows = transaction.fetch(query, &[with("user", user)]).await?;
    rows.iter().map(|row| row.id("role_id")).collect()
}

/// Makes these the user's own roles; those of his groups stay. true = that was a change.
pub(crate) async fn assign(
    transaction: &mut Transaction,
    user: i64,
    wanted: &BTreeSet<i64>,
) -> sqlx::Result<bool> {
    let present = own(transaction, user).await?;
    for role in present.difference(wanted) {
        let delete = "DELETE FROM ab_user_role WHERE user_id = :user AND role_id = :role";
        transaction
            .execute(delete, &[with("user", user), with("role", *role)])
            .await?;
    }
    let insert = match transaction.dialect() {
        // Where the table has no sequence of its own, as SQLAlchemy makes it, the one beside it.
        Dialect::Postgres => {
            "INSERT INTO ab_user_role (id, user_id, role_id)
             VALUES (nextval(COALESCE(pg_get_serial_sequence('ab_user_role', 'id'),
                                      'ab_user_role_id_seq')::regclass), :user, :role)"
        }
        Dialect::Sqlite | Dialect::MySql => {
            "INSERT INTO ab_user_role (user_id, role_id) VALUES (:user, :role)"
        }
    };
    for role in wanted.difference(&present) {
        transaction
            .execute(insert, &[with("user", user), with("role", *role)])
            .await?;
    }
    Ok(present != *wanted)
}
