//! What a call sends to a plugin, and the credentials in it, in every form in which a
//! plugin may come to say them.

use std::sync::OnceLock;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use countersign_abi::{Call, Request};
use serde_json::Value;
use zeroize::Zeroizing;

/// So many secrets of one request are looked for.
const MOST: usize = 64;

/// So many times one inside the other.
const ESCAPED: usize = 3;

/// Members of a body whose names hold one of these are credentials.
const WORDS: [&str; 9] = [
    "pass",
    "pwd",
    "secret",
    "token",
    "credential",
    "assertion",
    "code",
    "verifier",
    "private",
];

/// The headers that carry credentials.
const HEADERS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

/// A text that must not be told, as it may come along.
pub(super) type Form = Zeroizing<String>;

/// What a call sent to the plugin. Taken apart only if the plugin says something meanwhile.
#[derive(Default)]
pub(super) struct Sent {
    body: Zeroizing<Vec<u8>>,
    headers: Vec<Zeroizing<Vec<u8>>>,
    forms: OnceLock<Vec<Form>>,
}

impl Sent {
    pub(super) fn is_empty(&self) -> bool {
        self.body.is_empty() && self.headers.is_empty()
    }

    /// The credentials in it.
    pub(super) fn forms(&self) -> &[Form] {
        self.forms.get_or_init(|| {
            let mut texts = Vec::new();
            if let Ok(body) = serde_json::from_slice(&self.body) {
                members(&body, false, &mut texts);
            }
            for header in &self.headers {
                credentials(&String::from_utf8_lossy(header), &mut texts);
            }
            texts.iter().flat_map(|text| forms(text)).collect()
        })
    }
}

impl From<&Request> for Sent {
    fn from(request: &Request) -> Self {
        let secret = request
            .headers
            .iter()
            .filter(|(name, _)| HEADERS.contains(name));
        Sent {
            headers: secret.map(|(_, value)| value.to_vec().into()).collect(),
            body: request.body.clone().into(),
            forms: OnceLock::new(),
        }
    }
}

impl From<&Call> for Sent {
    fn from(call: &Call) -> Self {
        let body = match &call.arguments {
            Value::Object(members) if members.is_empty() => Vec::new(),
            Value::Null => Vec::new(),
            arguments => arguments.to_string().into_bytes(),
        };
        Sent {
            body: body.into(),
            ..Sent::default()
        }
    }
}

/// The texts of a body that are credentials by the names of their members.
fn members(value: &Value, secret: bool, found: &mut Vec<Form>) {
    match value {
        Value::Object(members_) => {
            for (name, value) in members_ {
                let name = name.to_ascii_lowercase();
                let named = WORDS.iter().any(|word| name.contains(word));
                members(value, secret || named, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, secret, found)),
        Value::String(text) if secret => add(text, found),
        Value::Number(number) if secret => add(&number.to_string(), found),
        _ => {}
    }
}

/// A header's value, its part after the scheme, and what Basic holds (RFC 7617).
fn credentials(value: &str, found: &mut Vec<Form>) {
    add(value, found);
    let Some((scheme, rest)) = value.split_once(' ') else {
        return;
    };
    add(rest.trim(), found);
    if scheme.eq_ignore_ascii_case("basic")
        && let Ok(decoded) = BASE64_STANDARD.decode(rest.trim())
    {
        let decoded = Zeroizing::new(decoded);
        let pair = String::from_utf8_lossy(&decoded);
        add(&pair, found);
        if let Some((_, password)) = pair.split_once(':') {
            add(password, found);
        }
    }
}

fn add(text: &str, found: &mut Vec<Form>) {
    if !text.is_empty() && found.len() < MOST {
        found.push(Zeroizing::new(text.to_owned()));
    }
}

/// A secret as it is, and as it comes out of JSON and `{:?}`, each inside the other: a
/// request's body is JSON, its debug text is escaped again, and a log line's fields are JSON.
/// One without special characters has one form.
pub(super) fn forms(text: &str) -> Vec<Form> {
    let inside = |quoted: String| quoted[1..quoted.len() - 1].to_owned();
    let mut forms: Vec<Form> = vec![Zeroizing::new(text.to_owned())];
    let mut first = 0;
    for _ in 0..ESCAPED {
        let last = forms.len();
        for index in first..last {
            let form = forms[index].clone();
            let json = inside(Value::from(form.as_str()).to_string());
            let debug = inside(format!("{:?}", form.as_str()));
            for escaped in [json, debug].map(Zeroizing::new) {
                if !forms.contains(&escaped) {
                    forms.push(escaped);
                }
            }
        }
        first = last;
    }
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn request_of_many_secrets_costs_a_bounded_number() {
        let many: Vec<String> = (0..MOST * 3).map(|n| format!("value-{n}")).collect();
        let held = Sent::from(&Request {
            body: json!({ "tokens": many }).to_string().into(),
            ..Request::default()
        });
        assert!(held.forms().len() <= MOST);
    }
}
