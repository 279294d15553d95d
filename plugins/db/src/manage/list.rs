//! `users list`.

use std::collections::BTreeMap;

use countersign_sdk::Result;
use serde_json::{Value, json};

use crate::Db;
use crate::sql::{Dialect, Row};

const ROLES: &str = "
    SELECT own.user_id, role.name
    FROM ab_role AS role JOIN ab_user_role AS own ON own.role_id = role.id
    ORDER BY role.id";

const ROLES_WITH_GROUPS: &str = "
    SELECT user_id, name
    FROM (SELECT user_id, role_id FROM ab_user_role
          UNION
          SELECT belongs.user_id, granted.role_id
          FROM ab_group_role AS granted
          JOIN ab_user_group AS belongs ON belongs.group_id = granted.group_id) AS held
    JOIN ab_role ON ab_role.id = role_id
    ORDER BY ab_role.id";

impl Db {
    /// All users with their effective roles; never a hash. `last_login` is null or UTC.
    pub(super) async fn list_users(&self) -> Result<Value> {
        let doing = "list the users";
        let query = if self.database.has_groups {
            ROLES_WITH_GROUPS
        } else {
            ROLES
        };
        let pairs = self.database.fetch(doing, query, &[]).await?;
        let query = users(self.database.dialect());
        let rows = self.database.fetch(doing, &query, &[]).await?;
        let read = || {
            let mut roles: BTreeMap<i64, Vec<String>> = BTreeMap::new();
            for pair in &pairs {
                let role = pair.text("name")?.unwrap_or_default();
                roles.entry(pair.id("user_id")?).or_default().push(role);
            }
            rows.iter().map(|row| user(row, &mut roles)).collect()
        };
        let users: sqlx::Result<Vec<Value>> = read();
        users
            .map(Value::Array)
            .map_err(|error| self.database.failed(doing, &error))
    }
}

fn users(dialect: Dialect) -> String {
    let last_login = dialect.text("last_login");
    format!(
        "SELECT id, username, email, first_name, last_name,
                CASE WHEN active THEN 1 ELSE 0 END AS active, {last_login} AS last_login,
                COALESCE(login_count, 0) AS login_count,
                COALESCE(fail_login_count, 0) AS fail_login_count
         FROM ab_user ORDER BY id"
    )
}

fn user(row: &Row, roles: &mut BTreeMap<i64, Vec<String>>) -> sqlx::Result<Value> {
    let id = row.id("id")?;
    Ok(json!({
        "id": id,
        "username": row.text("username")?,
        "email": row.text("email")?,
        "first_name": row.text("first_name")?,
        "last_name": row.text("last_name")?,
        "active": row.number("active")? == Some(1),
        "roles": roles.remove(&id).unwrap_or_default(),
        "last_login": row.text("last_login")?,
        "login_count": row.number("login_count")?,
        "fail_login_count": row.number("fail_login_count")?,
    }))
}
