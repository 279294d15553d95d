//! OpenMetadata's entities, as its clients parse them: no member that they do not know, times in
//! milliseconds since 1970.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::accounts::Principal;
use crate::accounts::bots::Bot;
use crate::accounts::lasting::Lasting;
use crate::config::shapes::Expiry;

/// `JWTTokenExpiry` of a body.
#[derive(Debug, Deserialize)]
pub(super) struct HowLong {
    #[serde(rename = "JWTTokenExpiry")]
    pub(super) expiry: Expiry,
}

/// Which one is meant.
#[derive(Debug, Deserialize)]
pub(super) struct Which {
    pub(super) id: String,
}

/// Roles: names, or objects with a `name`; what has none is empty.
pub(super) fn names<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Named {
        Text(String),
        Reference {
            #[serde(default)]
            name: String,
        },
    }
    let named = Option::<Vec<Named>>::deserialize(source)?.unwrap_or_default();
    let name = |it| match it {
        Named::Text(name) | Named::Reference { name } => name,
    };
    Ok(named.into_iter().map(name).collect())
}

/// Is it no role's name, but an id, as OpenMetadata's own clients send?
pub(super) fn is_number(role: &str) -> bool {
    role.is_empty() || uuid::Uuid::parse_str(role).is_ok()
}

/// The roles of a bot's user that was patched; `had` are those that were there.
///
/// # Errors
/// The place of one that is no role's name.
pub(super) fn patched_roles(patched: &[Value], had: &[String]) -> Result<Vec<String>, usize> {
    let mut roles: Vec<String> = Vec::with_capacity(patched.len());
    for (place, role) in patched.iter().enumerate() {
        let name = role.as_str().or(role["name"].as_str());
        let name = match (name, role["id"].as_str()) {
            (Some(name), None) => Some(name),
            // Who puts one role's id beside another's name means nobody knows which.
            (Some(name), Some(id)) => Some(name).filter(|name| of_text(name) == id),
            (None, Some(id)) => had.iter().find(|had| of_text(had) == id).map(|had| &**had),
            (None, None) => None,
        };
        let name = name.filter(|name| !is_number(name)).ok_or(place)?;
        if !roles.iter().any(|known| known == name) {
            roles.push(name.to_owned());
        }
    }
    Ok(roles)
}

/// A bot.
pub(super) fn bot(bot: &Bot) -> Value {
    let mut told = described(&bot.id, &bot.name, &bot.display_name, &bot.description);
    told["botUser"] = reference(&bot.id, "user", &bot.name);
    told["provider"] = "user".into();
    stamped(told, bot, "bots")
}

/// The user that a bot is.
pub(super) fn bot_user(bot: &Bot) -> Value {
    let mut told = described(&bot.id, &bot.name, &bot.display_name, &bot.description);
    told["email"] = email(&bot.name, &bot.email).into();
    told["isBot"] = true.into();
    told["isAdmin"] = false.into();
    told["roles"] = roles(&bot.roles);
    stamped(told, bot, "users")
}

/// Whoever asks.
pub(super) fn user(principal: &Principal, is_admin: bool) -> Value {
    let user = &principal.user;
    let full = format!("{} {}", user.first_name, user.last_name);
    let id = owner_id(principal);
    let mut told = described(&id, &user.username, full.trim(), "");
    told["email"] = email(&user.username, &user.email).into();
    told["isBot"] = (principal.backend == crate::token::lasting::BOT).into();
    told["isAdmin"] = is_admin.into();
    told["roles"] = roles(&user.roles);
    told
}

/// What is known of a token; with the token itself only where it was just made.
pub(super) fn token(lasting: Option<&Lasting>, token: Option<&str>) -> Value {
    match lasting {
        None => json!({}),
        Some(lasting) => json!({
            "JWTToken": token,
            "JWTTokenExpiry": lasting.expiry.name(),
            "JWTTokenExpiresAt": lasting.end().map(millis),
        }),
    }
}

/// How a bot shows who it is.
pub(super) fn mechanism(lasting: Option<&Lasting>, made: Option<&str>) -> Value {
    json!({ "authType": "JWT", "config": token(lasting, made) })
}

/// A user's own token.
pub(super) fn personal(lasting: &Lasting, owner: &str, token: Option<&str>) -> Value {
    json!({
        "token": as_uuid(&lasting.id),
        "tokenName": lasting.name,
        "userId": owner,
        "tokenType": "PERSONAL_ACCESS_TOKEN",
        "expiryDate": lasting.end().map(millis),
        "jwtToken": token,
    })
}

/// A user's id, as OpenMetadata's clients expect one: always the same for him.
pub(super) fn owner_id(principal: &Principal) -> String {
    of_text(&format!("{}:{}", principal.backend, principal.user.id))
}

/// A token's id as it was written by [`personal`].
pub(super) fn token_id(uuid: &str) -> String {
    uuid.chars().filter(|it| *it != '-').collect()
}

/// Seconds as milliseconds.
pub(super) fn millis(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}

fn described(id: &str, name: &str, display_name: &str, description: &str) -> Value {
    let mut told = json!({ "id": id, "name": name, "fullyQualifiedName": name });
    for (member, text) in [("displayName", display_name), ("description", description)] {
        if !text.is_empty() {
            told[member] = text.into();
        }
    }
    told
}

fn stamped(mut told: Value, bot: &Bot, kind: &str) -> Value {
    told["version"] = json!(0.1);
    told["updatedAt"] = millis(bot.updated_at).into();
    told["updatedBy"] = bot.updated_by.as_str().into();
    told["href"] = format!("/api/v1/{kind}/{}", bot.id).into();
    told["deleted"] = false.into();
    told
}

fn roles(names: &[String]) -> Value {
    let role = |name: &String| reference(&of_text(name), "role", name);
    names.iter().map(role).collect()
}

fn reference(id: &str, kind: &str, name: &str) -> Value {
    json!({ "id": id, "type": kind, "name": name, "fullyQualifiedName": name, "deleted": false })
}

/// Every user there has an address.
fn email(name: &str, known: &str) -> String {
    match known {
        "" if name.contains('@') => name.to_owned(),
        "" => format!("{name}@countersign.invalid"),
        known => known.to_owned(),
    }
}

/// A UUID that stands for a text.
fn of_text(text: &str) -> String {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    let uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
    uuid.to_string()
}

/// 32 hexadecimal characters, written as a UUID.
fn as_uuid(id: &str) -> String {
    uuid::Uuid::parse_str(id).map_or_else(|_| id.to_owned(), |uuid| uuid.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_ids_are_written_as_uuids_and_read_back() {
        let id = "00ff0123456789abcdef0123456789ab";
        assert_eq!(as_uuid(id), "00ff0123-4567-89ab-cdef-0123456789ab");
        assert_eq!(token_id(&as_uuid(id)), id);
    }

    #[test]
    fn patched_roles_are_known_by_name_and_by_the_ids_that_were_shown() {
        let had = ["Op".to_owned(), "Viewer".to_owned()];
        let shown = roles(&had);
        let (op, viewer) = (&shown[0], &shown[1]);
        let read = |patched: Value| {
            let list = patched.as_array().cloned().unwrap_or_default();
            patched_roles(&list, &had).map(|roles| roles.join(" "))
        };
        for (patched, names) in [
            (json!([op, viewer]), "Op Viewer"),
            (
                json!([viewer, "Data Steward", op]),
                "Viewer Data Steward Op",
            ),
            (
                json!([{ "id": viewer["id"], "type": "role" }, { "name": "Public" }]),
                "Viewer Public",
            ),
            (json!(["Op", op]), "Op"),
            (json!([]), ""),
        ] {
            assert_eq!(read(patched.clone()), Ok(names.to_owned()), "{patched}");
        }
        let other = of_text("Public");
        for bad in [
            json!({ "id": other, "type": "role" }),
            json!({ "id": viewer["id"], "name": "Op" }),
            json!({ "type": "role" }),
            json!(other),
            json!(""),
            json!(7),
            json!(["Op"]),
        ] {
            assert_eq!(read(json!([op, bad])), Err(1), "{bad}");
        }
    }

    #[test]
    fn uuid_of_a_text_is_always_the_same() {
        assert_eq!(of_text("Admin"), of_text("Admin"));
        assert_ne!(of_text("Admin"), of_text("admin"));
        assert!(uuid::Uuid::parse_str(&of_text("")).is_ok());
    }
}
