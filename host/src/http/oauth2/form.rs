//! The form of a request to the token endpoint, read strictly: what two parsers could read in
//! two ways is refused, so that nobody behind or before us sees another request.
//!
//! Parameters stand in the body alone (RFC 6749 section 3.2): what stands in the query stands
//! in logs and histories, too.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use url::form_urlencoded;
use zeroize::{Zeroize, Zeroizing};

use super::error::Error;
use crate::http::body::{self, Unread};

/// Parameters that may be repeated (RFC 8693 section 2.1, RFC 8707 section 2).
const REPEATED: [&str; 2] = ["audience", "resource"];

/// Parameters and their values, none of them empty: a parameter without a value counts as left
/// out (RFC 6749 section 3.2). Overwritten when it is dropped; `Debug` shows names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form(BTreeMap<String, Vec<String>>);

/// Reads a form.
///
/// # Errors
/// `invalid_request`.
pub async fn read(head: &Parts, body: Body) -> Result<Form, Error> {
    if head.uri.query().is_some() {
        return Err(Error::invalid_request(
            "parameters must be in the body, not in the query",
        ));
    }
    if !is_form(&head.headers) {
        return Err(Error::invalid_request(
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let raw = Zeroizing::new(body::bytes(body).await.map_err(unread)?);
    Form::parse(&raw)
}

impl Form {
    /// Parses a body.
    ///
    /// # Errors
    /// `invalid_request`: an unfinished escape, text that is no UTF-8 or has a NUL, a parameter
    /// that stands there twice and may not.
    pub fn parse(raw: &[u8]) -> Result<Form, Error> {
        if !is_escaped(raw) {
            return Err(Error::invalid_request("the body has an unfinished escape"));
        }
        let mut form = Form::default();
        for (name, value) in form_urlencoded::parse(raw) {
            let (name, value) = (name.into_owned(), Zeroizing::new(value.into_owned()));
            // The parser writes the replacement character where there is no UTF-8.
            let is_text = |text: &str| !text.contains(['\0', char::REPLACEMENT_CHARACTER]);
            if !is_text(&name) || !is_text(&value) {
                return Err(Error::invalid_request(
                    "the body must be UTF-8 without NUL characters",
                ));
            }
            let repeated = REPEATED.contains(&name.as_str());
            let values = match form.0.entry(name) {
                Entry::Vacant(entry) => entry.insert(Vec::new()),
                Entry::Occupied(entry) if repeated => entry.into_mut(),
                Entry::Occupied(_) => {
                    return Err(Error::invalid_request("a parameter is repeated"));
                }
            };
            if !value.is_empty() {
                values.push(value.to_string());
            }
        }
        Ok(form)
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    /// All values of a parameter that may be repeated.
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// The value of a parameter that must be there.
    ///
    /// # Errors
    /// `invalid_request`, with its name.
    pub fn require(&self, name: &'static str) -> Result<&str, Error> {
        self.get(name)
            .ok_or_else(|| Error::invalid_request(format!("{name} is missing")))
    }
}

impl Drop for Form {
    fn drop(&mut self) {
        self.0.values_mut().for_each(Zeroize::zeroize);
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Any charset is let through: what is no UTF-8 is refused in any case.
fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    let essence = value.unwrap_or_default().split(';').next();
    let essence = essence.unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Are two hexadecimal digits after each per cent sign?
fn is_escaped(raw: &[u8]) -> bool {
    let mut parts = raw.split(|byte| *byte == b'%');
    parts.next();
    parts.all(|part| {
        let digits = part.iter().take(2).filter(|byte| byte.is_ascii_hexdigit());
        digits.count() == 2
    })
}

fn unread(reason: Unread) -> Error {
    let (status, text) = match reason {
        Unread::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 65536 bytes",
        ),
        Unread::Late => (
            StatusCode::REQUEST_TIMEOUT,
            "the body did not arrive in time",
        ),
        Unread::Broken => (StatusCode::BAD_REQUEST, "the body cannot be read"),
    };
    Error::invalid_request(text).with_status(status)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A generator of numbers that is the same at each run (splitmix64).
    struct Seeded(u64);

    impl Seeded {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
        }

        fn text(&mut self, letters: &[&str]) -> String {
            let length = self.below(6);
            (0..length)
                .map(|_| letters[self.below(letters.len())])
                .collect()
        }
    }

    #[test]
    fn what_a_client_library_writes_is_read_as_it_was_meant() {
        let letters = [
            "a", "Z", "9", " ", "+", "&", "=", "%", "é", "🙂", "\r", "\n", "/", "%41",
        ];
        let mut random = Seeded(1);
        for _ in 0..20_000 {
            let pairs: Vec<_> = (0..random.below(5))
                .map(|at| {
                    (
                        format!("{at}{}", random.text(&letters)),
                        random.text(&letters),
                    )
                })
                .collect();
            let raw = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&pairs)
                .finish();
            let form = Form::parse(raw.as_bytes()).unwrap();
            for (name, value) in &pairs {
                let expected = (!value.is_empty()).then_some(value.as_str());
                assert_eq!(form.get(name), expected, "{raw}");
            }
            assert_eq!(form.0.len(), pairs.len());
        }
    }

    #[test]
    fn any_bytes_are_read_in_one_way_or_not_at_all() {
        let pieces: [&[u8]; 14] = [
            b"a",
            b"b",
            b"=",
            b"&",
            b"%",
            b"%61",
            b"%00",
            b"%ff",
            b"+",
            b"\xff",
            b"\xc3\xa9",
            b"\0",
            b";",
            b"audience",
        ];
        let mut random = Seeded(2);
        let (mut read, mut refused) = (0, 0);
        for _ in 0..50_000 {
            let length = random.below(12);
            let raw: Vec<u8> = (0..length)
                .flat_map(|_| pieces[random.below(pieces.len())].to_vec())
                .collect();
            let Ok(form) = Form::parse(&raw) else {
                refused += 1;
                continue;
            };
            read += 1;
            for (name, values) in &form.0 {
                assert!(values.len() <= 1 || name == "audience", "{raw:?}");
                for text in values.iter().chain([name]) {
                    assert!(
                        !text.contains(['\0', char::REPLACEMENT_CHARACTER]),
                        "{raw:?}"
                    );
                }
            }
            // What was read, written anew, is read again as the same.
            let pairs = form.0.iter().flat_map(|(name, values)| {
                let empty = values.is_empty().then_some((name.as_str(), ""));
                let values = values.iter().map(|value| (name.as_str(), value.as_str()));
                values.chain(empty)
            });
            let again = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(pairs)
                .finish();
            assert!(Form::parse(again.as_bytes()).unwrap() == form, "{raw:?}");
        }
        assert!(read > 1_000 && refused > 1_000, "{read} {refused}");
    }

    #[test]
    fn debug_shows_no_value() {
        let form = Form::parse(b"subject_token=canary&client_id=x").unwrap();
        let shown = format!("{form:?}");
        assert!(shown.contains("subject_token") && !shown.contains("canary"));
    }
}
