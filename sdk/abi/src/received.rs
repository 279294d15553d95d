//! What comes from a plugin becomes plain Rust: the length is looked at first, then
//! the bytes. A text that crosses is bytes that somebody else calls UTF-8, and to
//! believe that is undefined behaviour; a list may be as long as memory.

use abi_stable::std_types::{RString, RVec};
use serde_json::{Map, Value};

use crate::types::{Code, Failure, FfiFailure, FfiUser, User};

/// Names and addresses, each role, each group.
const NAME: usize = 1 << 10;

/// Roles, and groups.
const ENTRIES: usize = 1_000;

/// The attributes of a user, as JSON.
const ATTRIBUTES: usize = 64 << 10;

/// Log lines and the texts of failures; more is cut off.
const LINE: usize = 8 << 10;

/// The answer of an optional operation.
const JSON: usize = 16 << 20;

/// The schema of a plugin's configuration.
const SCHEMA: usize = 1 << 20;

/// "Try again" later than in an hour is a lock-out.
const LONGEST_RETRY_MILLIS: u64 = 60 * 60 * 1000;

impl TryFrom<FfiUser> for User {
    type Error = Failure;

    fn try_from(user: FfiUser) -> Result<Self, Failure> {
        Ok(User {
            id: text("the user's id", user.id, NAME)?,
            username: text("the username", user.username, NAME)?,
            email: text("the user's email", user.email, NAME)?,
            first_name: text("the user's first name", user.first_name, NAME)?,
            last_name: text("the user's last name", user.last_name, NAME)?,
            roles: list("roles", "a role", user.roles)?,
            groups: list("groups", "a group", user.groups)?,
            attributes_json: text("the user's attributes", user.attributes_json, ATTRIBUTES)?,
        })
    }
}

impl From<FfiFailure> for Failure {
    fn from(failure: FfiFailure) -> Self {
        Failure {
            code: Code::from_number(failure.code),
            public: line(failure.public.as_bytes()),
            detail: line(failure.detail.as_bytes()),
            retry_after_millis: failure.retry_after_millis.min(LONGEST_RETRY_MILLIS),
            subject: line(failure.subject.as_bytes()),
        }
    }
}

/// A user in the answer of an optional operation: the limits are the same.
impl TryFrom<Value> for User {
    type Error = Failure;

    fn try_from(user: Value) -> Result<Self, Failure> {
        let Value::Object(mut user) = user else {
            return Err(broken("the user is no object".into()));
        };
        let user = FfiUser::from(User {
            id: word(&mut user, "id")?,
            username: word(&mut user, "username")?,
            email: word(&mut user, "email")?,
            first_name: word(&mut user, "first_name")?,
            last_name: word(&mut user, "last_name")?,
            roles: words(&mut user, "roles")?,
            groups: words(&mut user, "groups")?,
            attributes_json: match user.remove("attributes") {
                None | Some(Value::Null) => String::new(),
                Some(attributes) => attributes.to_string(),
            },
        });
        let user = User::try_from(user)?;
        if user.id.is_empty() {
            return Err(broken("the user's id is empty".into()));
        }
        Ok(user)
    }
}

/// The answer of an optional operation.
pub(crate) fn json(answer: RString) -> Result<Value, Failure> {
    serde_json::from_str(&text("the answer", answer, JSON)?)
        .map_err(|_| broken("the answer is not JSON".into()))
}

/// The schema of a plugin's configuration.
pub(crate) fn schema(schema: RString) -> Result<String, Failure> {
    text("the schema", schema, SCHEMA)
}

/// A text for a log: cut, and what is not UTF-8 replaced.
pub(crate) fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(LINE)]).into_owned()
}

fn text(name: &str, text: RString, most: usize) -> Result<String, Failure> {
    if text.len() > most {
        return Err(broken(format!("{name} is longer than {most} bytes")));
    }
    String::from_utf8(text.into_bytes().into_vec())
        .map_err(|_| broken(format!("{name} is not UTF-8")))
}

fn word(user: &mut Map<String, Value>, key: &str) -> Result<String, Failure> {
    match user.remove(key) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(broken(format!("the user's {key} is no text"))),
    }
}

fn words(user: &mut Map<String, Value>, key: &str) -> Result<Vec<String>, Failure> {
    let wrong = || broken(format!("the user's {key} are no list of texts"));
    let entries = match user.remove(key) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(wrong()),
    };
    let text = |entry| match entry {
        Value::String(text) => Ok(text),
        _ => Err(wrong()),
    };
    entries.into_iter().map(text).collect()
}

fn list(names: &str, name: &str, entries: RVec<RString>) -> Result<Vec<String>, Failure> {
    if entries.len() > ENTRIES {
        return Err(broken(format!("more than {ENTRIES} {names}")));
    }
    entries
        .into_iter()
        .map(|entry| text(name, entry, NAME))
        .collect()
}

fn broken(what: String) -> Failure {
    Failure::new(Code::Fault, format!("the plugin broke its promise: {what}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn not_utf8() -> RString {
        // SAFETY: it is not UTF-8, which is the point; it is only read as bytes.
        unsafe { RString::from_utf8_unchecked(RVec::from(vec![0xff, 0xfe])) }
    }

    fn refused(change: impl FnOnce(&mut FfiUser)) -> String {
        let mut user = FfiUser::from(User::default());
        change(&mut user);
        let failure = User::try_from(user).unwrap_err();
        assert_eq!(failure.code, Code::Fault);
        failure.detail
    }

    #[test]
    fn p11_user_within_the_limits_is_read() {
        let user = User {
            id: "x".repeat(NAME),
            roles: vec!["y".repeat(NAME); ENTRIES],
            ..User::default()
        };
        assert_eq!(User::try_from(FfiUser::from(user.clone())), Ok(user));
    }

    #[test]
    fn p11_text_beyond_its_limit_is_a_fault_that_names_it() {
        let long = |length: usize| RString::from("x".repeat(length + 1));
        assert!(refused(|user| user.id = long(NAME)).contains("id is longer than 1024"));
        assert!(refused(|user| user.roles = vec![long(NAME)].into()).contains("a role is longer"));
        assert!(refused(|user| user.attributes_json = long(ATTRIBUTES)).contains("attributes"));
        assert!(
            super::json(long(JSON))
                .unwrap_err()
                .detail
                .contains("the answer")
        );
        assert!(
            schema(long(SCHEMA))
                .unwrap_err()
                .detail
                .contains("the schema")
        );
    }

    #[test]
    fn p11_list_beyond_its_limit_is_a_fault_that_names_it() {
        let many = || vec![RString::from("x"); ENTRIES + 1].into();
        assert!(refused(|user| user.groups = many()).contains("more than 1000 groups"));
    }

    #[test]
    fn p11_text_that_is_not_utf8_is_a_fault_that_names_it() {
        assert!(refused(|user| user.email = not_utf8()).contains("email is not UTF-8"));
        assert!(refused(|user| user.groups = vec![not_utf8()].into()).contains("a group is not"));
        assert!(super::json(not_utf8()).is_err());
    }

    #[test]
    fn p11_user_in_json_is_read_under_the_same_limits() {
        let user = |value: Value| User::try_from(value).map_err(|failure| failure.detail);
        let known = user(json!({ "id": "7", "roles": ["a"], "attributes": { "x": 1 }, "new": 1 }));
        assert_eq!(
            known,
            Ok(User {
                id: "7".into(),
                roles: vec!["a".into()],
                attributes_json: r#"{"x":1}"#.into(),
                ..User::default()
            })
        );
        for (wrong, told) in [
            (json!("7"), "no object"),
            (json!({}), "id is empty"),
            (json!({ "id": 7 }), "id is no text"),
            (json!({ "id": "7", "groups": [1] }), "groups are no list"),
            (json!({ "id": "x".repeat(NAME + 1) }), "id is longer"),
        ] {
            let refused = user(wrong).unwrap_err();
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn p11_failure_is_cut_and_replaced_but_told() {
        let mut failure = FfiFailure::from(Failure {
            detail: "x".repeat(LINE + 1),
            retry_after_millis: u64::MAX,
            ..Failure::default()
        });
        failure.public = not_utf8();
        let failure = Failure::from(failure);
        assert_eq!(failure.detail.len(), LINE);
        assert_eq!(failure.public, "\u{fffd}\u{fffd}");
        assert_eq!(failure.retry_after_millis, LONGEST_RETRY_MILLIS);
    }
}
