//! The keys as an operator sees them: `countersign keys list`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::shapes::Algorithm;

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyState {
    /// Signs.
    Active,
    /// Published, will sign.
    Next,
    /// Published, signs no more.
    Retiring,
    /// Somebody else's public key (`keys.extra_public`).
    Extra,
}

impl KeyState {
    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            KeyState::Active => "active",
            KeyState::Next => "next",
            KeyState::Retiring => "retiring",
            KeyState::Extra => "extra",
        }
    }
}

/// One published key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Key id.
    pub kid: String,
    /// Algorithm.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made (RFC 3339, UTC); unknown for files of the operator.
    pub created: Option<String>,
    /// The file that it comes from.
    pub file: PathBuf,
}

/// A text table with one line per key, under a line of headings.
pub fn table(keys: &[KeyView]) -> String {
    let heading = ["KID", "ALG", "STATE", "CREATED", "FILE"].map(String::from);
    let rows: Vec<[String; 5]> = std::iter::once(heading)
        .chain(keys.iter().map(row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let (kid, alg, state, created) = (width(0), width(1), width(2), width(3));
    let line = |[a, b, c, d, e]: &[String; 5]| {
        format!("{a:kid$}  {b:alg$}  {c:state$}  {d:created$}  {e}\n")
    };
    rows.iter().map(line).collect()
}

/// Seconds since 1970 as RFC 3339.
pub(super) fn timestamp(seconds: i64) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()?
        .format(&Rfc3339)
        .ok()
}

fn row(key: &KeyView) -> [String; 5] {
    [
        key.kid.clone(),
        format!("{:?}", key.alg),
        key.state.name().into(),
        key.created.clone().unwrap_or_else(|| "-".into()),
        key.file.display().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn table_of_two_keys_lines_up() {
        let key = |kid: &str, state, created| KeyView {
            kid: kid.into(),
            alg: Algorithm::RS256,
            state,
            created,
            file: "/k".into(),
        };
        let keys = [
            key("a", KeyState::Active, timestamp(0)),
            key("longer", KeyState::Extra, None),
        ];
        assert_eq!(
            table(&keys),
            "KID     ALG    STATE   CREATED               FILE\n\
             a       RS256  active  1970-01-01T00:00:00Z  /k\n\
             longer  RS256  extra   -                     /k\n"
        );
        let json = serde_json::to_value(&keys[1]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "kid": "longer", "alg": "RS256", "state": "extra", "created": null, "file": "/k" })
        );
    }
}
