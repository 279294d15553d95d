//! What comes from a plugin becomes plain Rust: the length is looked at first, then
//! the bytes. A text that crosses is bytes that somebody else calls UTF-8, and to
//! believe that is undefined behaviour; a list may be as long as memory.

use abi_stable::std_types::{RString, RVec};

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

/// The answer of an optional operation.
pub(crate) fn json(answer: RString) -> Result<String, Failure> {
    text("the answer", answer, JSON)
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
        assert!(json(long(JSON)).unwrap_err().detail.contains("the answer"));
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
        assert!(json(not_utf8()).is_err());
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
