//! Rules about what tokens say: audiences, reserved claims, templates.

use serde_json::Value;

use super::Rules;
use crate::config::key::KeyPath;
use crate::config::shapes::TokenType;
use crate::config::template::{self, Part};
use crate::config::values::duration;

/// Claims that the host alone sets.
const RESERVED_CLAIMS: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "cnf"];

impl<'a> Rules<'a> {
    pub(super) fn tokens(&mut self) {
        if self.get("tokens.audience").and_then(Value::as_str) == Some("") {
            self.error(
                "tokens.audience",
                "a token without an audience is accepted by nobody who checks it",
                "name the audience; Airflow's is apache-airflow",
            );
        }
        let time = |key| duration::parse(self.text(key));
        if time("tokens.refresh.lifetime") > time("tokens.refresh.absolute") {
            self.error(
                "tokens.refresh.lifetime",
                "this is longer than tokens.refresh.absolute, after which no refresh token is good",
                "lower it, or raise tokens.refresh.absolute",
            );
        }
        let tokens = KeyPath::parse("tokens");
        let typ = self.text("tokens.typ");
        self.claims(self.get("tokens.claims"), &tokens, "tokens.audience", typ);
        self.audiences();
    }

    fn audiences(&mut self) {
        let Some(audiences) = self.get("tokens.audiences").and_then(Value::as_object) else {
            return;
        };
        let mut seen = vec![("tokens.audience".to_owned(), self.text("tokens.audience"))];
        for (name, audience) in audiences {
            let key = KeyPath::parse("tokens.audiences").child(name);
            if name == "countersign" {
                self.error_at(
                    &key,
                    "this name is reserved",
                    "it is the audience of the server's own API: choose another name",
                );
            }
            let text = |part: &str| audience.get(part).and_then(Value::as_str);
            if text("keys") == Some("own") && !is_plain(name) {
                self.error_at(
                    &key.child("keys"),
                    "an audience with a key ring of its own has its keys at /jwks/NAME.json and in a folder of this name",
                    "name it with letters, digits, - and _ alone, at most 64",
                );
            }
            let aud = text("aud").filter(|aud| !aud.is_empty()).unwrap_or(name);
            if let Some((other, _)) = seen.iter().find(|(_, known)| *known == aud) {
                let message = format!(
                    "this is the aud of {other}, too: a consumer of one accepts tokens of the other"
                );
                self.notice_at(&key, &message, "give each audience an aud of its own");
            }
            seen.push((key.to_string(), aud));
            let time = |part: &str| duration::parse(text(part)?);
            let usual = time("lifetime").or_else(|| duration::parse(self.text("tokens.lifetime")));
            if let (Some(most), Some(usual)) = (time("max_lifetime"), usual)
                && most < usual
            {
                self.error_at(
                    &key.child("max_lifetime"),
                    "this is less than the audience's lifetime",
                    "raise it, or lower the lifetime (absent = tokens.lifetime)",
                );
            }
            let aud_key = key.child("aud").to_string();
            let typ = text("typ").unwrap_or_default();
            self.claims(audience.get("claims"), &key, &aud_key, typ);
        }
    }

    /// The templates of one audience, which stand at `above.claims`; its tokens are of this type.
    fn claims(&mut self, claims: Option<&'a Value>, above: &KeyPath, aud: &str, typ: &str) {
        let Some(claims) = claims.and_then(Value::as_object) else {
            return;
        };
        let above = above.child("claims");
        for (name, template) in claims {
            let key = above.child(name);
            if name == "sub" {
                self.notice_at(
                    &key,
                    "this template decides who every token is about, whichever backend answered",
                    "make sure that no two backends can give the same text for different people",
                );
            }
            if RESERVED_CLAIMS.contains(&name.as_str()) {
                let help = reserved_help(name, aud);
                self.error_at(&key, "this claim is set by the host alone", &help);
            }
            if name == "client_id" && typ == TokenType::AccessToken.name() {
                self.error_at(
                    &key,
                    "an access token says here which client asked for it",
                    "leave it out, or write typ: JWT",
                );
            }
            let names = placeholders(template);
            for (message, help) in names.iter().filter_map(|name| template::problem(name)) {
                self.error_at(&key, &message, &help);
            }
        }
    }
}

/// May it be a part of a path, and the name of a folder?
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= 64 && name.chars().all(plain)
}

fn reserved_help(claim: &str, aud: &str) -> String {
    match claim {
        "iss" => "set tokens.issuer".into(),
        "aud" => format!("set {aud}"),
        "exp" => "set tokens.lifetime, or the audience's".into(),
        "cnf" => "leave it out: a token is bound to the key that its client proves to have".into(),
        _ => format!("leave {claim} out: every token has it"),
    }
}

/// Every placeholder of a claim's template, however deep it stands.
fn placeholders(template: &Value) -> Vec<String> {
    match template {
        Value::String(text) => template::parse(text)
            .into_iter()
            .filter_map(|part| match part {
                Part::Placeholder(name) => Some(name),
                Part::Text(_) => None,
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(placeholders).collect(),
        Value::Object(members) => members.values().flat_map(placeholders).collect(),
        _ => Vec::new(),
    }
}
