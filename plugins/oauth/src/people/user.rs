//! The user that claims tell of.

use std::collections::HashSet;

use countersign_sdk::User;
use serde_json::{Map, Value};

use super::principal::{EMAIL, Named};
use super::{Identity, Path, Reading, email, overage};
use crate::settings::Settings;

/// The longest name or group, in characters.
const LONGEST: usize = 512;

/// The longest subject: OpenID Connect Core section 2 says 255 ASCII characters.
const LONGEST_SUBJECT: usize = 255;

/// The host takes no more groups of one user.
const MOST_GROUPS: usize = 1_000;

/// What the user is known by for ever: `SUB@ISSUER`, the issuer without its `https://`. An
/// issuer has no `@`, so that the last one parts them.
pub(crate) fn id(settings: &Settings, identity: &Identity) -> Result<String, String> {
    let subject = match &settings.reading.subject {
        Some(path) => subject(path, &identity.claims)?,
        None => identity.subject.clone(),
    };
    let length = subject.chars().count();
    if subject.trim().is_empty() || length > LONGEST_SUBJECT || !is_clean(&subject) {
        return Err(format!(
            "the subject is no identifier: expected 1 to {LONGEST_SUBJECT} characters, none of them a control \
             character; found {length}"
        ));
    }
    let issuer = match &identity.issuer {
        same if settings.more_issuers.contains(same) => &settings.issuer,
        other => other,
    };
    let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
    Ok(format!("{subject}@{issuer}"))
}

/// All that is known of him, but his id.
pub(crate) fn user(reading: &Reading, id: &str, identity: &Identity) -> Result<User, String> {
    let claims = &identity.claims;
    required(reading, claims)?;
    let text = |path: &Option<Path>| match path {
        Some(path) => text(path, claims),
        None => Ok(None),
    };
    let believed = reading.believed.holds(claims, true);
    let Named {
        name,
        address,
        is_email,
    } = match &reading.principal {
        Some(principal) => principal.of(claims, believed),
        None => Named {
            name: username(reading, claims, believed)?,
            address: text(&reading.email)?,
            is_email: reading.email.as_ref().is_some_and(|path| path.reads(EMAIL)),
        },
    };
    // A name that would be somebody else's is not made up: the subject is nobody else's.
    let name = name.filter(|name| is_clean(name));
    let name = name.unwrap_or_else(|| id.rsplit_once('@').map_or(id, |(sub, _)| sub).to_owned());
    let mut user = User::new(id, name);
    user.email = address_of(reading, claims, address, is_email)?;
    user.first_name = text(&reading.first_name)?.unwrap_or_default();
    user.last_name = text(&reading.last_name)?.unwrap_or_default();
    if let Some(path) = &reading.groups {
        user.groups = groups(reading, path, claims)?;
    }
    for (name, path) in &reading.attributes {
        if let Some(value) = path.of(claims)? {
            user.attributes.insert(name.clone(), value);
        }
    }
    Ok(user)
}

fn required(reading: &Reading, claims: &Map<String, Value>) -> Result<(), String> {
    for (path, values) in &reading.required {
        let found = path.of(claims)?;
        let holds = match &found {
            Some(Value::String(text)) => values.contains(text),
            Some(Value::Bool(is)) => values.contains(&is.to_string()),
            Some(Value::Number(number)) => values.contains(&number.to_string()),
            _ => false,
        };
        if !holds {
            return Err(format!(
                "`{path}` has no value that `required` allows: expected {}",
                values.join(" or ")
            ));
        }
    }
    Ok(())
}

fn subject(path: &Path, claims: &Map<String, Value>) -> Result<String, String> {
    match path.of(claims)? {
        Some(Value::String(text)) => Ok(text),
        // GitHub's are numbers.
        Some(Value::Number(number)) if number.is_u64() => Ok(number.to_string()),
        Some(other) => Err(format!(
            "`{path}`, which names the user, is {}: expected a text or a whole number",
            kind(&other)
        )),
        None => Err(format!("`{path}`, which names the user, is missing")),
    }
}

/// An address that is not believed is no name, since it could be anybody's.
fn username(
    reading: &Reading,
    claims: &Map<String, Value>,
    believed: bool,
) -> Result<Option<String>, String> {
    for path in &reading.username {
        if !believed && path.reads(EMAIL) {
            continue;
        }
        if let Some(name) = text(path, claims)? {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// The address if it is believed; and if only some may come in, that he is one of them.
fn address_of(
    reading: &Reading,
    claims: &Map<String, Value>,
    address: Option<String>,
    is_email: bool,
) -> Result<String, String> {
    let address = address.filter(|address| email::is_address(address));
    let believed = address.filter(|_| reading.believed.holds(claims, is_email));
    match (&reading.domains, believed) {
        (None, address) => Ok(address.unwrap_or_default()),
        (Some(domains), Some(address)) if domains.admit(&address) => Ok(address),
        (Some(_), Some(_)) => Err("the e-mail address is of no domain of `email_domains`".to_owned()),
        (Some(_), None) => Err(
            "there is no verified e-mail address, and `email_domains` needs one; if no user can write his address \
             at this provider, say so by `email_verified`"
                .to_owned(),
        ),
    }
}

/// One text; an empty one is none.
fn text(path: &Path, claims: &Map<String, Value>) -> Result<Option<String>, String> {
    match path.of(claims)? {
        None => Ok(None),
        Some(Value::String(text)) if is_clean(&text) => {
            Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
        }
        Some(Value::String(_)) => Err(format!(
            "`{path}` has more than {LONGEST} characters, or a control character"
        )),
        Some(other) => Err(format!("`{path}` is {}: expected a text", kind(&other))),
    }
}

/// A text is one group, never its characters. Too many are an error, never a user of fewer.
fn groups(
    reading: &Reading,
    path: &Path,
    claims: &Map<String, Value>,
) -> Result<Vec<String>, String> {
    let found = match path.of(claims)? {
        None if reading.groups_are_told => {
            // To go on without them would take his roles away.
            return Err("the user's groups were not asked for".to_owned());
        }
        None => Vec::new(),
        Some(Value::String(one)) => vec![Value::String(one)],
        Some(Value::Array(many)) => many,
        Some(other) => {
            return Err(format!(
                "`{path}` is {}: expected a text or a list of texts",
                kind(&other)
            ));
        }
    };
    if let Some(claim) = overage::missing(path, claims) {
        return Err(format!(
            "the user has more groups than a token holds: `{claim}` was left out; let the provider send only groups \
             assigned to the application, or read its roles: `claims.groups: roles`"
        ));
    }
    if found.len() > MOST_GROUPS {
        return Err(format!(
            "`{path}` has {} groups: expected at most {MOST_GROUPS}; let the provider send fewer, or choose them, as \
             in groups[?contains(@, 'airflow')]",
            found.len()
        ));
    }
    let mut seen = HashSet::new();
    let mut groups = Vec::with_capacity(found.len());
    for group in found {
        let name = match group {
            Value::String(name) if is_clean(&name) => name,
            Value::String(_) => {
                return Err(format!(
                    "`{path}` has a group of more than {LONGEST} characters, or with a control character"
                ));
            }
            other => {
                return Err(format!(
                    "`{path}` has {} in it: expected texts",
                    kind(&other)
                ));
            }
        };
        let name = if reading.fold_groups {
            name.to_lowercase()
        } else {
            name
        };
        if !name.trim().is_empty() && seen.insert(name.clone()) {
            groups.push(name);
        }
    }
    Ok(groups)
}

fn is_clean(text: &str) -> bool {
    text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
#[path = "user_tests.rs"]
mod tests;
