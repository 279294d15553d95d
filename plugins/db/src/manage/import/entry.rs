//! One entry of the file. Both spellings of Airflow are read: `users export` writes
//! `firstname`, `users list` `first_name` and numbers as text.

use serde::Deserialize;
use serde_json::Value;

use crate::accounts::Account;
use crate::hash::StoredHash;
use crate::profile::Profile;

const EXPECTED: &str =
    "{id?, username, email?, firstname?, lastname?, roles: [names], password?: werkzeug hash}";

/// A checked entry.
pub(super) struct Entry {
    index: usize,
    pub(super) id: Option<i64>,
    pub(super) profile: Profile,
    pub(super) roles: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    id: Option<Id>,
    username: String,
    email: Option<String>,
    #[serde(alias = "firstname")]
    first_name: Option<String>,
    #[serde(alias = "lastname")]
    last_name: Option<String>,
    roles: Vec<String>,
    password: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(i64),
    Text(String),
}

/// All entries, or everything that is wrong with them.
/// Hashes other than werkzeug's are for tables that no Flask-AppBuilder reads.
pub(super) fn read(users: Value, any_hash: bool) -> Result<Vec<Entry>, Vec<String>> {
    let Value::Array(users) = users else {
        return Err(vec![format!("expected an array of {EXPECTED}")]);
    };
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for (index, user) in users.into_iter().enumerate() {
        match Entry::read(index, user, any_hash) {
            Ok(entry) => entries.push(entry),
            Err(problem) => problems.push(format!("entry {index}: {problem}")),
        }
    }
    if problems.is_empty() {
        Ok(entries)
    } else {
        Err(problems)
    }
}

impl Entry {
    fn read(index: usize, user: Value, any_hash: bool) -> Result<Self, String> {
        // serde's message may quote a value, and the value may be a hash.
        let raw: Raw = serde_json::from_value(user).map_err(|_| format!("expected {EXPECTED}"))?;
        let id = raw.id.map(Id::number).transpose()?;
        let profile = Profile {
            email: Profile::email_or_default(raw.email, &raw.username),
            username: raw.username,
            first_name: raw.first_name.unwrap_or_default(),
            last_name: raw.last_name.unwrap_or_default(),
            password: raw.password,
        };
        profile.check()?;
        let parse = if any_hash {
            StoredHash::parse
        } else {
            StoredHash::parse_werkzeug
        };
        match profile.password.as_deref() {
            None | Some("") => {}
            Some(text) if text.len() <= 256 && parse(text).is_some() => {}
            Some(_) if any_hash => return Err("password is no hash of a known form".to_owned()),
            Some(_) => return Err("password is not a werkzeug hash (scrypt or pbkdf2)".to_owned()),
        }
        Ok(Entry {
            index,
            id,
            profile,
            roles: raw.roles,
        })
    }

    /// How the operator finds it in his file.
    pub(super) fn name(&self) -> String {
        format!("entry {} ({:?})", self.index, self.profile.username)
    }

    /// Would writing it change the row? A file without hashes leaves them.
    pub(super) fn differs_from(&self, row: &Account) -> bool {
        let (mine, password) = (&self.profile, &self.profile.password);
        (
            &mine.username,
            &mine.email,
            &mine.first_name,
            &mine.last_name,
        ) != (&row.username, &row.email, &row.first_name, &row.last_name)
            || password
                .as_deref()
                .is_some_and(|password| password != row.hash.as_deref().unwrap_or_default())
    }
}

impl Id {
    fn number(self) -> Result<i64, String> {
        let number = match self {
            Id::Number(number) => Some(number),
            Id::Text(text) => text.parse().ok(),
        };
        number
            .filter(|id| *id > 0)
            .ok_or_else(|| "id is not a positive whole number".to_owned())
    }
}
