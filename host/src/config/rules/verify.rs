//! The identity headers of `server.verify`: each says one thing, and none is one that means
//! something else to a proxy or a service.

use serde_json::Value;

use super::Rules;
use crate::config::key::KeyPath;

/// Names that a proxy copies at its own peril, and beginnings of such names.
const OTHERS: [&str; 18] = [
    "accept",
    "authorization",
    "cache-control",
    "connection",
    "content-",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "proxy-",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "x-request-id",
];

impl Rules<'_> {
    pub(super) fn verify(&mut self) {
        let names = self.get("server.verify.headers").and_then(Value::as_object);
        let mut seen: Vec<(String, &str)> = Vec::new();
        for (key, name) in names.into_iter().flatten() {
            let name = name.as_str().unwrap_or_default().to_ascii_lowercase();
            if name.is_empty() {
                continue;
            }
            let place = KeyPath::parse("server.verify.headers").child(key);
            let is_other = OTHERS.iter().any(|other| match other.ends_with('-') {
                true => name.starts_with(other),
                false => name == *other,
            });
            if is_other {
                self.error_at(
                    &place,
                    "this header means something else to proxies and services",
                    "choose a name of its own, such as X-Auth-User or Remote-User",
                );
            }
            if name.contains('_') {
                self.notice_at(
                    &place,
                    "many proxies drop headers with an underscore, so that the client's own could be left in its place",
                    "write it with hyphens",
                );
            }
            if let Some((_, other)) = seen.iter().find(|(known, _)| *known == name) {
                let message = format!("`server.verify.headers.{other}` has the same name");
                self.error_at(
                    &place,
                    &message,
                    "give each a name of its own, or leave it empty",
                );
            }
            seen.push((name, key));
        }
    }
}
