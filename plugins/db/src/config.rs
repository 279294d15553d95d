//! The settings of a backend; their doc comments are the operator's documentation.

use countersign_sdk::{AuthError, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::hash::Method;

/// Users in Flask-AppBuilder's tables: Airflow's own database, or an embedded one in the state folder.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The database: `sqlite://` and an absolute path. `sqlite:////srv/airflow/airflow.db`, as
    /// SQLAlchemy and Airflow write it, and `sqlite:///srv/airflow/airflow.db` mean the same
    /// file; `sqlite://{state}/users.db` is a file in the state folder, made at first start. A
    /// file elsewhere must exist: no tables are ever made in it and no persistent setting is changed.
    pub url: String,
    /// Whose tables: `fab` is Flask-AppBuilder's `ab_user`, `ab_role` and their companions.
    #[serde(default)]
    pub schema: Tables,
    /// What may be written: `read` nothing, `counters` the log-in statistics of `ab_user` after
    /// each login, `full` users too (`countersign users add|passwd|import`). Default: `full` for
    /// a file in the state folder, `counters` for any other.
    pub access: Option<Access>,
    /// How new passwords are hashed, in werkzeug's syntax: `scrypt` (which is
    /// `scrypt:32768:8:1`) or `pbkdf2:sha256:ITERATIONS`. Stored hashes of either kind are
    /// verified whatever stands here; name what most of them are, since an unknown user costs
    /// one hash of this kind, so that time does not tell who exists.
    #[serde(default = "scrypt")]
    pub hash: String,
}

/// A family of user tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tables {
    /// Flask-AppBuilder's, as in Airflow and Superset.
    #[default]
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
        assert_eq!(config.schema, Tables::Fab);
        assert_eq!(config.access, None);
        assert_eq!(config.method().unwrap().to_string(), "scrypt:32768:8:1");
    }

    #[test]
    fn config_with_an_unknown_key_or_word_is_refused() {
        for wrong in [
            json!({}),
            json!({ "url": "x", "queries": {} }),
            json!({ "url": "x", "schema": "django" }),
            json!({ "url": "x", "access": "write" }),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn method_of_an_unknown_hash_names_the_key_and_what_is_expected() {
        let config = read(json!({ "url": "x", "hash": "bcrypt" })).unwrap();
        let error = config.method().unwrap_err();
        assert_eq!(
            error.detail(),
            "hash: expected scrypt or pbkdf2:sha256:ITERATIONS"
        );
    }
}
