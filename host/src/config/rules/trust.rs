//! Other issuers: each is one, is not ourselves, and its keys cannot be replaced on the way.

use serde_json::{Map, Value};

use super::Rules;
use crate::config::formats;
use crate::config::key::KeyPath;

impl Rules<'_> {
    pub(super) fn trust(&mut self) {
        let entries = self.get("trust").and_then(Value::as_array);
        let entries: Vec<_> = entries
            .into_iter()
            .flatten()
            .map(Value::as_object)
            .collect();
        for (i, entry) in entries.iter().enumerate() {
            let Some(entry) = entry else { continue };
            let key = |name: &str| KeyPath::parse("trust").child(i.to_string()).child(name);
            self.trusted_name(&key("issuer"), text(entry, "issuer"));
            self.way_to_keys(&key("jwks_url"), entry);
            let mut before = entries[..i].iter().flatten();
            if before.clone().any(|other| is_taken_for(entry, other)) {
                self.error_at(
                    &key("issuer"),
                    "its users would be called like those of an issuer before, whose name differs in https:// alone",
                    "see who issues the tokens: `countersign token decode` shows `iss`; leave the other one out",
                );
            }
            if before.any(|other| is_another(entry, other)) {
                self.error_at(
                    &key("issuer"),
                    "this issuer is named before, with other settings",
                    "entries of one issuer may differ in jwks_url alone: write all its audiences, algorithms and claims into each",
                );
            }
        }
    }

    fn trusted_name(&mut self, key: &KeyPath, issuer: &str) {
        if issuer.contains('@') {
            self.error_at(
                key,
                "its users are called SUB@ISSUER, so an issuer may not hold an @",
                "see who issues the tokens: `countersign token decode` shows `iss`",
            );
        }
        if !issuer.is_empty() && issuer == self.our_issuer() {
            self.error_at(
                key,
                "this is our own issuer, whose tokens are verified with our own keys",
                "leave the entry out: our own tokens are accepted anyway",
            );
        }
    }

    /// As far as the tree says it: without it, it is made from the address that is bound.
    fn our_issuer(&self) -> &str {
        match self.text("tokens.issuer") {
            "" => self.text("server.public_url").trim_end_matches('/'),
            issuer => issuer,
        }
    }

    fn way_to_keys(&mut self, key: &KeyPath, entry: &Map<String, Value>) {
        let url = text(entry, "jwks_url");
        let is_plain = url.starts_with("http://")
            && !formats::http_host(url).is_some_and(formats::is_loopback);
        if !is_plain {
            return;
        }
        let danger = "keys that are fetched over plain HTTP can be replaced on the way";
        match entry.get("plain_http").and_then(Value::as_bool) {
            Some(true) => self.notice_at(key, danger, "use https://"),
            _ => self.error_at(
                key,
                danger,
                "use https://, or set plain_http: true in this entry where the network is trusted",
            ),
        }
    }
}

/// Do two entries of one issuer differ in more than where the keys are?
fn is_another(entry: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let named = |entry: &Map<String, Value>| text(entry, "issuer").to_owned();
    let rest = |entry: &Map<String, Value>| {
        let mut rest = entry.clone();
        for place in ["jwks_url", "tls", "plain_http"] {
            rest.remove(place);
        }
        rest
    };
    named(entry) == named(other) && rest(entry) != rest(other)
}

/// Users are called SUB@ISSUER, without the https:// of the issuer.
fn is_taken_for(entry: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let (name, other) = (text(entry, "issuer"), text(other, "issuer"));
    let bare = |name: &str| name.strip_prefix("https://").unwrap_or(name).to_owned();
    name != other && bare(name) == bare(other)
}

fn text<'a>(entry: &'a Map<String, Value>, name: &str) -> &'a str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}
