//! The identity headers of `server.verify`: always all of them, so that none of the client's is
//! left where a proxy copies ours over its own.
//!
//! A header holds printable ASCII. What else a name or a role has, `%`, and in a role `,`, is
//! percent-encoded (RFC 3986 section 2.1): nobody's name makes a header, or a role of its own.

use axum::body::Body;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue, Response};

use crate::config::shapes::Verify;
use crate::token::accepted::Accepted;

/// Headers of each answer beside these: `Cache-Control`, `X-Request-Id`, and two of the server's.
const OTHERS: usize = 4;

const NOTHING: HeaderValue = HeaderValue::from_static("");

/// What the answers of `/auth/verify` say of a user, and in which headers.
#[derive(Debug, Default)]
pub struct Identity {
    headers: Vec<(HeaderName, Fact)>,
    audited: bool,
}

/// What one header says.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Subject,
    User,
    Email,
    Roles,
    Issuer,
}

impl Identity {
    /// From the configuration, which has been checked: what is no header's name is none.
    pub fn new(settings: &Verify) -> Self {
        let names = &settings.headers;
        let named = [
            (&names.subject, Fact::Subject),
            (&names.user, Fact::User),
            (&names.email, Fact::Email),
            (&names.roles, Fact::Roles),
            (&names.issuer, Fact::Issuer),
        ];
        let named = named.into_iter();
        Identity {
            headers: named
                .filter_map(|(name, fact)| Some((name.parse().ok()?, fact)))
                .collect(),
            audited: settings.audit_accepted,
        }
    }

    /// Does the audit log have a line for each token that was accepted?
    pub(super) fn is_audited(&self) -> bool {
        self.audited
    }

    /// The answer that lets a request pass.
    pub(super) fn answer(&self, accepted: &Accepted) -> Response<Body> {
        let mut answer = Response::new(Body::empty());
        let headers = answer.headers_mut();
        headers.reserve(self.headers.len() + OTHERS);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, fact) in &self.headers {
            headers.insert(name.clone(), fact.of(accepted));
        }
        answer
    }
}

impl Fact {
    fn of(self, accepted: &Accepted) -> HeaderValue {
        match self {
            Fact::Subject => text(&accepted.subject()),
            Fact::User => text(accepted.username()),
            Fact::Email => text(accepted.email()),
            Fact::Roles => list(accepted.roles()),
            Fact::Issuer => text(&accepted.verified.issuer),
        }
    }
}

fn text(text: &str) -> HeaderValue {
    if text.is_empty() {
        return NOTHING;
    }
    let value = match text.bytes().all(|byte| fits(byte) || byte == b',') {
        true => HeaderValue::from_str(text),
        false => HeaderValue::from_str(&encoded(text, ",")),
    };
    value.unwrap_or(NOTHING)
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> HeaderValue {
    let mut list = String::new();
    for item in items.filter(|item| !item.is_empty()) {
        if !list.is_empty() {
            list.push(',');
        }
        list.push_str(&encoded(item, ""));
    }
    match list.is_empty() {
        true => NOTHING,
        false => HeaderValue::try_from(list).unwrap_or(NOTHING),
    }
}

/// Printable ASCII; spaces only as `%20`, since those at the ends of a header get lost.
fn fits(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'%' && byte != b','
}

fn encoded(text: &str, also: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if fits(byte) || also.as_bytes().contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s17_no_name_makes_a_header_or_a_role_of_its_own() {
        for (name, shown) in [
            ("ada", "ada"),
            (
                "trust:7@idp.example/realms/a",
                "trust:7@idp.example/realms/a",
            ),
            ("Lovelace, Ada", "Lovelace,%20Ada"),
            ("a\r\nX-Auth-Roles: Admin", "a%0D%0AX-Auth-Roles:%20Admin"),
            (" a ", "%20a%20"),
            ("jörg", "j%C3%B6rg"),
            ("50%", "50%25"),
            ("", ""),
        ] {
            assert_eq!(text(name).to_str().ok(), Some(shown));
        }
        let roles = ["Op", "a,Admin", "", "Data Team"];
        let shown = list(roles.into_iter());
        assert_eq!(shown.to_str().ok(), Some("Op,a%2CAdmin,Data%20Team"));
        assert_eq!(list(std::iter::empty()), NOTHING);
    }
}
