//! The keys as an operator sees them: `countersign keys list`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::shapes::Algorithm;

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

/// One published key. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Key id.
    pub kid: String,
    /// Algorithm.
    pub alg: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made, or taken up; unknown for others' keys.
    pub created: Option<String>,
    /// Since when it is published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    /// Since when it signs, or did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activated: Option<String>,
    /// Since when it signs no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    /// Of a standby: from when on it may sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<String>,
    /// Of the active key: when the schedule puts the standby in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotates: Option<String>,
    /// Of a retiring key: when its last token has expired and it goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<String>,
    /// Of a retiring key: the tokens that never expire, and keep it until they are revoked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_by: Vec<String>,
    /// The file that it comes from.
    pub file: PathBuf,
}

impl KeyView {
    /// Of a key of whose times nothing is known.
    pub(crate) fn new(kid: &str, alg: Algorithm, state: KeyState, file: PathBuf) -> KeyView {
        KeyView {
            kid: kid.to_owned(),
            alg,
            state,
            created: None,
            published: None,
            activated: None,
            retired: None,
            ready: None,
            rotates: None,
            leaves: None,
            held_by: Vec::new(),
            file,
        }
    }

    /// What happens to it next, in a few words; empty = nothing by itself.
    pub fn next(&self) -> String {
        let dated =
            |word: &str, time: &Option<String>| time.as_ref().map(|time| format!("{word} {time}"));
        let ready = dated("may sign from", &self.ready);
        let rotates = dated("rotates", &self.rotates);
        let next = ready.or(rotates).or_else(|| dated("leaves", &self.leaves));
        match self.held_by.as_slice() {
            [] => next.unwrap_or_default(),
            [one] => format!("kept by {one}"),
            [one, more @ ..] => format!("kept by {one} and {} more", more.len()),
        }
    }
}

/// A text table with one line per key, under a line of headings.
pub fn table(keys: &[KeyView]) -> String {
    let heading = ["KID", "ALG", "STATE", "CREATED", "NEXT", "FILE"].map(String::from);
    let rows: Vec<[String; 6]> = std::iter::once(heading)
        .chain(keys.iter().map(row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let [kid, alg, state, created, next] = [0, 1, 2, 3, 4].map(width);
    let line = |[a, b, c, d, e, f]: &[String; 6]| {
        format!("{a:kid$}  {b:alg$}  {c:state$}  {d:created$}  {e:next$}  {f}\n")
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

fn row(key: &KeyView) -> [String; 6] {
    [
        key.kid.clone(),
        format!("{:?}", key.alg),
        key.state.name().into(),
        key.created.clone().unwrap_or_else(|| "-".into()),
        Some(key.next())
            .filter(|next| !next.is_empty())
            .unwrap_or_else(|| "-".into()),
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
            created,
            ..KeyView::new(kid, Algorithm::EdDSA, state, "/k".into())
        };
        let mut keys = [
            key("a", KeyState::Retiring, timestamp(0)),
            key("longer", KeyState::Extra, None),
        ];
        keys[0].leaves = timestamp(60);
        assert_eq!(
            table(&keys),
            "KID     ALG    STATE     CREATED               NEXT                         FILE\n\
             a       EdDSA  retiring  1970-01-01T00:00:00Z  leaves 1970-01-01T00:01:00Z  /k\n\
             longer  EdDSA  extra     -                     -                            /k\n"
        );
        let json = serde_json::to_value(&keys[1]).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "kid": "longer", "alg": "EdDSA", "state": "extra", "created": null, "file": "/k" })
        );
        keys[0].held_by = vec!["bot etl".into(), "bot ingest".into()];
        assert_eq!(keys[0].next(), "kept by bot etl and 1 more");
    }
}
