//! `users list`.

use std::collections::BTreeMap;

use countersign_sdk::Result;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::Db;

const USERS: &str = "
    SELECT id, username, email, first_name, last_name, COALESCE(active = 1, 0) AS active,
           CAST(last_login AS TEXT) AS last_login,
           COALESCE(login_count, 0) AS login_count,
           COALESCE(fail_login_count, 0) AS fail_login_count
    FROM ab_user ORDER BY id";

const ROLES: &str = "
    SELECT own.user_id, role.name
    FROM ab_role AS role JOIN ab_user_role AS own ON own.role_id = role.id
    ORDER BY role.id";

const ROLES_WITH_GROUPS: &str = "
    SELECT user_id, name
    FROM (SELECT user_id, role_id FROM ab_user_role
          UNION
          SELECT member.user_id, granted.role_id
          FROM ab_group_role AS granted
          JOIN ab_user_group AS member ON member.group_id = granted.group_id)
    JOIN ab_role ON ab_role.id = role_id
    ORDER BY ab_role.id";

impl Db {
    /// All users with their effective roles; never a hash. `last_login` is null or UTC.
    pub(super) async fn list_users(&self) -> Result<Value> {
        let failed = |error| self.database.failed("list the users", &error);
        let query = if self.database.has_groups {
            ROLES_WITH_GROUPS
        } else {
            ROLES
        };
        let pairs: Vec<(i64, String)> = sqlx::query_as(query)
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let mut roles: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for (user, role) in pairs {
            roles.entry(user).or_default().push(role);
        }
        let rows = sqlx::query(USERS)
            .fetch_all(self.database.pool())
            .await
            .map_err(failed)?;
        let users: sqlx::Result<Vec<Value>> =
            rows.iter().map(|row| user(row, &mut roles)).collect();
        users.map(Value::Array).map_err(failed)
    }
}

fn user(row: &SqliteRow, roles: &mut BTreeMap<i64, Vec<String>>) -> sqlx::Result<Value> {
    let id: i64 = row.try_get("id")?;
    let text = |column| row.try_get::<Option<String>, _>(column);
    Ok(json!({
        "id": id,
        "username": text("username")?,
        "email": text("email")?,
        "first_name": text("first_name")?,
        "last_name": text("last_name")?,
        "active": row.try_get::<bool, _>("active")?,
        "roles": roles.remove(&id).unwrap_or_default(),
        "last_login": text("last_login")?,
        "login_count": row.try_get::<i64, _>("login_count")?,
        "fail_login_count": row.try_get::<i64, _>("fail_login_count")?,
    }))
}
