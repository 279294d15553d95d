//! The settings of a backend; their doc comments are the operator's documentation.

use countersign_sdk::{AuthError, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::hash::Method;

/// Users in Flask-AppBuilder's tables (Airflow's own database, or an embedded one in the
/// state folder), or in any tables of an SQL database.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database. SQLite: `sqlite://` and an absolute path; `sqlite:////srv/airflow/airflow.db`,
    /// as SQLAlchemy and Airflow write it, and `sqlite:///srv/airflow/airflow.db` mean the same
    /// file; `sqlite://{state}/users.db` is a file in the state folder, made at first start. A
    /// file elsewhere must exist: no tables are ever made in it and no persistent setting is changed.
    /// PostgreSQL: `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` and
    /// `&sslrootcert=/path/ca.pem` for TLS that is checked (`disable`, `prefer`, the default,
    /// `require`, `verify-ca`, `verify-full`; `sslcert` and `sslkey` for a client's certificate;
    /// `host=/folder` for a Unix socket; `statement-cache-capacity=0` behind a pooler). MySQL and MariaDB:
    /// `mysql://user:password@host:3306/database`, with `?ssl-mode=VERIFY_IDENTITY` and
    /// `&ssl-ca=/path/ca.pem` (`DISABLED`, `PREFERRED`, the default, `REQUIRED`, `VERIFY_CA`,
    /// `VERIFY_IDENTITY`; `ssl-cert`, `ssl-key`; `socket=/path`); MySQL 8's default plugin for
    /// accounts, caching_sha2_password, needs TLS or the socket. SQLAlchemy's drivers, as in
    /// `postgresql+psycopg2://`, are passed over. Other letters than A-Z a-z 0-9 - . _ ~ in a
    /// password are written %HH.
    pub url: String,
    /// Whose tables: `fab` is Flask-AppBuilder's `ab_user`, `ab_role` and their companions.
    /// Not beside `queries`. Default: `fab`.
    pub schema: Option<Tables>,
    /// What may be written: `read` nothing, `counters` the log-in statistics of `ab_user` after
    /// each login, `full` users too (`countersign users add|passwd|import`, and users that other
    /// backends' `provision` registers). Default: `full` for a file in the state folder,
    /// `counters` for any other, `read` with `queries`, which allow nothing else.
    pub access: Option<Access>,
    /// How new passwords are hashed, in werkzeug's syntax: `scrypt` (which is
    /// `scrypt:32768:8:1`) or `pbkdf2:sha256:ITERATIONS`; in the state folder's own tables also
    /// `bcrypt:COST` (`bcrypt` is 12) or `argon2id:KIB:PASSES:LANES` (`argon2id` is 19456:2:1), and a password
    /// stored otherwise is hashed anew when it is next typed. Stored hashes of every known form
    /// (werkzeug, bcrypt, argon2, Django and passlib pbkdf2, SHA-crypt, LDAP's {SSHA}) are
    /// verified whatever stands here; name what most of them are, since an unknown user costs
    /// one hash of this kind, so that time does not tell who exists: for that, with `queries`,
    /// also `sha256-crypt:ROUNDS` or `sha512-crypt:ROUNDS`. bcrypt sees the first 72 bytes of a
    /// password: a longer one is refused, when it is set and when it is typed, since another
    /// that begins alike would be as good. Of SHA-crypt passwords over 256 bytes are refused.
    #[serde(default = "scrypt")]
    pub hash: String,
    /// Statements that read users of any tables, in the place of `schema`.
    pub queries: Option<Queries>,
}

/// The operator's own statements. Parameters are written `:name`; they are sent beside the
/// statement, never within it.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Queries {
    /// Gives the user whom `:username` means, in the columns `id`, `username`, `password` (the
    /// stored hash) and, where there are such, `active` (true or 1; without the column all
    /// are), `email`, `first_name`, `last_name`; name them with `AS`. Two rows mean nobody. As in
    /// `SELECT key AS id, login AS username, pw AS password FROM people WHERE lower(login) = lower(:username)`.
    pub user: String,
    /// Gives the names of the user's roles in one column, by `:id` or `:username` as the first
    /// statement gave them. Without it a user has no roles of his own. As in
    /// `SELECT role FROM grants WHERE person = :id`.
    pub roles: Option<String>,
}

/// A family of user tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tables {
    /// Flask-AppBuilder's, as in Airflow and Superset.
    Fab,
}

/// What may be written to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Nothing.
    Read,
    /// Log-in statistics.
    Counters,
    /// Log-in statistics and users.
    Full,
}

impl Config {
    /// What may be written, as far as the tables allow it.
    pub(crate) fn access(&self, embedded: bool) -> Result<Access> {
        let default = match (&self.queries, embedded) {
            (Some(_), _) => Access::Read,
            (None, true) => Access::Full,
            (None, false) => Access::Counters,
        };
        let access = self.access.unwrap_or(default);
        if self.queries.is_some() && self.schema.is_some() {
            return Err(AuthError::invalid(
                "schema: the tables are those of `queries`; give one of the two",
            ));
        }
        if self.queries.is_some() && access != Access::Read {
            return Err(AuthError::invalid(
                "access: with `queries` nothing can be written; expected read, or leave it out",
            ));
        }
        Ok(access)
    }

    /// The method for new passwords.
    pub(crate) fn method(&self) -> Result<Method> {
        Method::parse(&self.hash).map_err(|why| AuthError::invalid(format!("hash: {why}")))
    }
}

fn scrypt() -> String {
    "scrypt".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, from_value, json};

    fn read(config: Value) -> Result<Config, serde_json::Error> {
        from_value(config)
    }

    #[test]
    fn config_with_a_url_alone_has_the_documented_defaults() {
        let config = read(json!({ "url": "sqlite:///x" })).unwrap();
        assert_eq!(config.schema, None);
        assert_eq!(config.access, None);
        assert_eq!(config.method().unwrap().to_string(), "scrypt:32768:8:1");
    }

    #[test]
    fn config_with_an_unknown_key_or_word_is_refused() {
        for wrong in [
            json!({}),
            json!({ "url": "x", "queries": {} }),
            json!({ "url": "x", "queries": { "user": "", "role": "" } }),
            json!({ "url": "x", "schema": "django" }),
            json!({ "url": "x", "access": "write" }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn method_of_an_unknown_hash_names_the_key_and_what_is_expected() {
        let config = read(json!({ "url": "x", "hash": "md5" })).unwrap();
        let error = config.method().unwrap_err();
        assert!(
            error
                .detail()
                .starts_with("hash: expected scrypt, pbkdf2:sha256:ITERATIONS"),
            "{error}"
        );
    }
}
