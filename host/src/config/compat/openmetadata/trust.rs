//! `publicKeyUrls` → trust entries: issuer = authority, audience = clientId.
//! OpenMetadata checks neither; without both an entry would let any token of
//! that issuer pass, and stays inactive.

use serde_json::{Value, json};

use super::leftover::is_placeholder;
use super::mapping::{Mapping, auth};
use crate::config::formats;
use crate::config::key::KeyPath;
use crate::config::layer::{Mark, Text};
use crate::config::report::{Finding, Notice};
use crate::config::shapes::Trust;

/// Paths under which this server publishes its own keys.
const OWN_JWKS: [&str; 3] = [
    "/.well-known/jwks.json",
    "/api/v1/config/jwks",
    "/api/v1/system/config/jwks",
];

impl Mapping<'_> {
    /// Adds a trust entry for each URL that is not our own.
    pub(super) fn trust(&mut self) {
        let authority = self.text(&auth("authority")).unwrap_or_default();
        let client = self.text(&auth("clientId")).unwrap_or_default();
        let algorithms = self.trusted_algorithms();
        let claims = self.list(&auth("jwtPrincipalClaims"));
        let claims = if claims.is_empty() {
            Trust::default_principal_claims()
        } else {
            claims
        };
        let urls = auth("publicKeyUrls");
        for (i, url) in self.list(&urls).into_iter().enumerate() {
            let key = urls.child(i.to_string());
            let place = self.origin(&key).place;
            if is_placeholder(&url) {
                continue;
            }
            if formats::http_host(&url).is_none() {
                self.said.findings.push(Finding::new(
                    place,
                    format!("`{key}`: expected an http:// or https:// URL, found text"),
                ));
            } else if self.is_own(&url) {
                let notice = Notice::new(
                    place,
                    format!("`{key}` is this server's own JWKS: it is never fetched"),
                );
                self.said
                    .notices
                    .push(notice.help("our own keys are always trusted"));
            } else if authority.is_empty() || client.is_empty() {
                let notice = Notice::new(
                    place,
                    format!(
                        "`{key}` is inactive: without authority and clientId any token of that issuer would pass"
                    ),
                );
                self.said.notices.push(notice.help("set authenticationConfiguration.authority and .clientId, or write a trust entry"));
            } else if url.starts_with("http://")
                && !formats::http_host(&url).is_some_and(formats::is_loopback)
            {
                let notice = Notice::new(
                    place,
                    format!(
                        "`{key}` is inactive: keys that are fetched over plain HTTP can be replaced on the way"
                    ),
                );
                self.said.notices.push(notice.help(
                    "use https://, or write a trust entry with plain_http: true where the network is trusted",
                ));
            } else {
                let entry = json!({
                    "issuer": authority, "jwks_url": url, "audiences": [client],
                    "algorithms": algorithms, "principal_claims": claims,
                });
                self.add_trust(&key, entry);
            }
        }
    }

    fn trusted_algorithms(&mut self) -> Value {
        let key = auth("tokenValidationAlgorithm");
        if self.text(&key).as_deref() == Some("ES512") {
            let place = self.origin(&key).place;
            let notice = Notice::new(
                place,
                format!("`{key}`: ES512 is not verified here; RS256 is used"),
            );
            self.said.notices.push(notice);
        }
        self.algorithms()
    }

    /// What tokens may be signed with.
    pub(super) fn algorithms(&self) -> Value {
        match self.text(&auth("tokenValidationAlgorithm")) {
            Some(name) if name != "ES512" => json!([name]),
            _ => json!(["RS256"]),
        }
    }

    /// Appends a trust entry, unless a native one says it already.
    fn add_trust(&mut self, from: &KeyPath, entry: Value) {
        let list = KeyPath::root().child("trust");
        let native = self
            .value
            .get("trust")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let same = |field: &str| {
            native
                .iter()
                .position(|other| other.get(field) == entry.get(field))
        };
        match same("jwks_url") {
            // A native entry may say more, such as from which groups its users get roles.
            Some(i) if is_part_of(&entry, &native[i]) => {}
            Some(i) if self.origin(&list.child(i.to_string())) != self.origin(from) => {
                self.differ(from, &list.child(i.to_string()));
            }
            _ => {
                let origin = self.origin(from);
                if let Some(Value::Array(items)) = self.value.get_mut("trust") {
                    items.push(entry);
                    let key = list.child((items.len() - 1).to_string());
                    self.marks.lay(
                        key,
                        Mark {
                            origin,
                            text: Text::Fixed,
                        },
                        true,
                    );
                }
            }
        }
    }

    fn is_own(&self, url: &str) -> bool {
        let Some(rest) = url.split_once("://").map(|(_, rest)| rest) else {
            return false;
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = format!("/{}", path.trim_end_matches('/'));
        let public = self
            .text(&KeyPath::parse("server.public_url"))
            .unwrap_or_default();
        let listen = self
            .text(&KeyPath::parse("server.listen"))
            .unwrap_or_default();
        let ours = public
            .split_once("://")
            .map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
        // OpenMetadata's own default names the server itself by localhost, whatever its port.
        let here = formats::http_host(url).is_some_and(formats::is_loopback)
            || authority == ours
            || authority == listen;
        here && OWN_JWKS.iter().any(|own| path.ends_with(own))
    }
}

fn is_part_of(part: &Value, whole: &Value) -> bool {
    let members = part.as_object().into_iter().flatten();
    members
        .into_iter()
        .all(|(name, value)| whole.get(name) == Some(value))
}
