//! What a plugin must not tell: the secrets of its configuration, always, and the
//! credentials of a request while anything of its call is left. They are taken out of
//! its log lines, its panics and the texts of its failures.
//!
//! A plugin is trusted with these; this is for the author who logs a request once.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::sent::{Form, Sent, forms};
use crate::config::values::Secret;

/// What stands in place of a secret.
const HIDDEN: &str = "[secret]";

/// A secret shorter than this would shred every line: it is hidden as a whole word only.
const SHORT: usize = 4;

/// The boundary cuts texts at this length, and may have cut a secret in two.
const CUT: usize = 8 << 10;

/// The secrets that one backend knows.
pub(super) struct Secrets {
    configured: Vec<Form>,
    in_flight: Mutex<HashMap<u64, Arc<Sent>>>,
    next: AtomicU64,
}

impl Secrets {
    /// Those of the backend's configuration.
    pub(super) fn new(configured: &[Secret]) -> Self {
        let texts = configured.iter().map(Secret::expose);
        Secrets {
            configured: texts.flat_map(forms).collect(),
            in_flight: Mutex::default(),
            next: AtomicU64::new(0),
        }
    }

    #[cfg(test)]
    pub(super) fn none() -> Self {
        Secrets::new(&[])
    }

    /// Hides what was sent, until it is forgotten by this number.
    pub(super) fn hold(&self, sent: Sent) -> u64 {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if !sent.is_empty() {
            self.in_flight().insert(number, Arc::new(sent));
        }
        number
    }

    pub(super) fn forget(&self, number: u64) {
        // Wiped outside of the lock.
        let sent = self.in_flight().remove(&number);
        drop(sent);
    }

    /// The text without secrets.
    pub(super) fn hide<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let in_flight: Vec<Arc<Sent>> = self.in_flight().values().cloned().collect();
        let text = self.uncut(text, &in_flight);
        let sent = in_flight.iter().flat_map(|sent| sent.forms());
        let known = self.configured.iter().chain(sent);
        let mut found: Vec<&str> = known
            .map(|form| form.as_str())
            .filter(|form| find(text, form, 0).is_some())
            .collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|form| Reverse(form.len()));
        found.dedup();
        Cow::Owned(replace(text, &found))
    }

    /// The text up to where it was cut in the middle of a secret.
    fn uncut<'a>(&self, text: &'a str, in_flight: &[Arc<Sent>]) -> &'a str {
        if text.len() < CUT {
            return text;
        }
        // Of a character that was cut, too, this is left.
        let whole = text.trim_end_matches('\u{fffd}');
        let begun = |form: &str| {
            (SHORT..form.len())
                .rev()
                .find(|end| form.is_char_boundary(*end) && whole.ends_with(&form[..*end]))
        };
        let sent = in_flight.iter().flat_map(|sent| sent.forms());
        let known = self.configured.iter().chain(sent);
        let most = known.filter_map(|form| begun(form)).max();
        most.map_or(text, |begun| &whole[..whole.len() - begun])
    }

    fn in_flight(&self) -> MutexGuard<'_, HashMap<u64, Arc<Sent>>> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// Where a form stands in a text, from a place on; a short one as a whole word.
fn find(text: &str, form: &str, from: usize) -> Option<usize> {
    let mut places = text[from..].match_indices(form).map(|(at, _)| from + at);
    if form.chars().count() >= SHORT {
        return places.next();
    }
    let part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    places.find(|at| {
        !part(text[..*at].chars().next_back()) && !part(text[at + form.len()..].chars().next())
    })
}

/// Replaces the forms, the longest at each place, in one pass.
fn replace(text: &str, forms: &[&str]) -> String {
    let mut hidden = String::with_capacity(text.len());
    let mut at = 0;
    loop {
        // Of equal places the first is taken: the longest form.
        let next = forms
            .iter()
            .filter_map(|form| Some((find(text, form, at)?, form.len())))
            .min_by_key(|(start, _)| *start);
        let Some((start, length)) = next else {
            hidden.push_str(&text[at..]);
            return hidden;
        };
        hidden.push_str(&text[at..start]);
        hidden.push_str(HIDDEN);
        at = start + length;
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use countersign_abi::{Call, Request};
    use serde_json::json;

    use super::*;

    fn sent(authorization: &str, body: &str) -> Sent {
        Sent::from(&Request {
            headers: [("authorization", authorization), ("accept", "plain")]
                .into_iter()
                .collect(),
            body: body.into(),
            ..Request::default()
        })
    }

    #[test]
    fn configured_secret_is_hidden_always_and_every_time() {
        let secrets = Secrets::new(&[Secret::from("hunter2".to_owned())]);
        assert_eq!(
            secrets.hide("a hunter2, ahunter2b"),
            "a [secret], a[secret]b"
        );
        assert!(matches!(secrets.hide("nothing"), Cow::Borrowed("nothing")));
    }

    #[test]
    fn credentials_of_a_request_are_hidden_while_it_flies() {
        let secrets = Secrets::none();
        let basic = format!("Basic {}", BASE64_STANDARD.encode("ada:open sesame"));
        let body = r#"{"username":"ada","password":"hun\"ter\n2","grant":{"access_token":"tok-1"},"note":"plain"}"#;
        let number = secrets.hold(sent(&basic, body));
        for text in [
            "hun\"ter\n2",
            r#"hun\"ter\n2"#,
            r#"hun\\\"ter\\n2"#,
            r#"hun\\\\\\\"ter\\\\n2"#,
            "tok-1",
            &basic,
            &basic[6..],
            "ada:open sesame",
            "open sesame",
        ] {
            let line = format!("before {text} after");
            assert_eq!(secrets.hide(&line), "before [secret] after", "{text}");
        }
        assert_eq!(secrets.hide("ada plain"), "ada plain");
        secrets.forget(number);
        assert_eq!(secrets.hide("open sesame"), "open sesame");
        assert!(secrets.in_flight().is_empty());
    }

    #[test]
    fn bearer_token_is_hidden_with_and_without_its_scheme() {
        let secrets = Secrets::none();
        secrets.hold(sent("Bearer abc.def", ""));
        assert_eq!(secrets.hide("Bearer abc.def|abc.def"), "[secret]|[secret]");
    }

    #[test]
    fn short_secret_is_hidden_as_a_word_and_shreds_nothing() {
        let secrets = Secrets::new(&[Secret::from("e".to_owned())]);
        assert_eq!(
            secrets.hide("the letter e; \"e\" e1"),
            "the letter [secret]; \"[secret]\" e1"
        );
    }

    #[test]
    fn secret_that_was_cut_at_the_end_of_a_long_line_is_hidden() {
        let secrets = Secrets::new(&[Secret::from("hunter2-h\u{e9}".to_owned())]);
        for (end, kept) in [("hunter2", ""), ("hunter2-h\u{fffd}", ""), ("hun", "hun")] {
            let line = "x".repeat(CUT) + end;
            assert_eq!(secrets.hide(&line), "x".repeat(CUT) + kept, "{end}");
        }
        assert_eq!(secrets.hide("hunter2"), "hunter2", "a short line is whole");
    }

    #[test]
    fn longest_secret_wins_and_what_was_put_in_place_stays() {
        let of = |text: &str| Secret::from(text.to_owned());
        let secrets = Secrets::new(&[of("secret"), of("pass"), of("password")]);
        assert_eq!(
            secrets.hide("password pass secret"),
            "[secret] [secret] [secret]"
        );
    }

    #[test]
    fn secrets_among_an_operations_arguments_are_hidden() {
        let secrets = Secrets::none();
        let arguments =
            json!({ "op": "user_passwd", "password": "new-one", "private": { "x": ["deep"] } });
        let call = Call {
            arguments,
            ..Call::default()
        };
        secrets.hold(Sent::from(&call));
        assert_eq!(
            secrets.hide("user_passwd new-one deep"),
            "user_passwd [secret] [secret]"
        );
    }
}
