//! How OpenMetadata's users come in: what of the login in the browser is the provider's, and
//! what is the session's. Where its files could make it weaker, they are told that they do not.

use serde_json::{Value, json};

use super::mapping::{Mapping, auth};
use super::sso::{Backend, oidc};
use crate::config::key::KeyPath;
use crate::config::report::Notice;

impl Mapping<'_> {
    /// The authorization request.
    pub(super) fn flow(&mut self, backend: &Backend) {
        if let Some(scope) = self.text(&oidc("scope")) {
            let scopes: Vec<&str> = scope.split_whitespace().collect();
            self.give(&oidc("scope"), backend.at("config.scopes"), json!(scopes));
        }
        self.parameters(backend);
        for (key, name) in [("prompt", "prompt"), ("maxAge", "max_age")] {
            let from = oidc(key);
            // OpenMetadata's file has 0 for "not asked".
            if let Some(text) = self.scalar(&from).filter(|text| text != "0") {
                let to = backend.at("config.parameters").child(name);
                self.give(&from, to, json!(text));
            }
            self.take_oidc(key);
        }
        if let Some(seconds) = self.seconds(&oidc("maxClockSkew")) {
            let to = backend.at("config.leeway");
            self.give(&oidc("maxClockSkew"), to, json!(seconds));
        }
        for key in ["scope", "customParams", "maxClockSkew"] {
            self.take_oidc(key);
        }
        let from = auth("providerName");
        if let Some(name) = self.text(&from) {
            self.give(&from, backend.at("title"), json!(name));
        }
        self.take(&["providerName"]);
        self.callback(backend);
        self.always();
        self.take(&["oidcConfiguration", "responseType"]);
        self.of_no_meaning();
    }

    fn parameters(&mut self, backend: &Backend) {
        let from = oidc("customParams");
        match self.at(&from).cloned() {
            Some(Value::Object(map)) => {
                for (name, value) in map {
                    let to = backend.at("config.parameters").child(name.as_str());
                    let text = value.as_str().map(str::to_owned);
                    let text = text.unwrap_or_else(|| value.to_string());
                    self.give(&from.child(name), to, json!(text));
                }
            }
            None | Some(Value::Null) => {}
            Some(other) if other == "" => {}
            Some(_) => {
                let message = format!("`{from}`: expected a map, found none");
                let notice = Notice::new(self.origin(&from).place, message);
                let help = "a map never comes from one variable: write its keys one by one";
                self.said.notices.push(notice.help(help));
            }
        }
    }

    /// OpenMetadata's own callback is not ours to answer.
    fn callback(&mut self, backend: &Backend) {
        let own = format!("{}/callback/{}", self.public_url(), backend.key.last());
        for from in [auth("callbackUrl"), oidc("callbackUrl")] {
            let Some(url) = self.text(&from) else {
                continue;
            };
            if url == own {
                continue;
            }
            if url == format!("{}/callback", self.public_url()) {
                let to = backend.at("callback_url");
                self.give(&from, to, json!(url));
                continue;
            }
            let message = format!("`{from}` is not this server's: `{own}` is used");
            let notice = Notice::new(self.origin(&from).place, message);
            let help = "register that URL at the provider; set server.public_url if it is another";
            self.said.notices.push(notice.help(help));
        }
        self.take(&["callbackUrl"]);
        self.take_oidc("callbackUrl");
    }

    /// What is no choice here, and what only says again what is said elsewhere.
    fn always(&mut self) {
        for (again, first) in [
            (oidc("type"), auth("provider")),
            (
                oidc("preferredJwsAlgorithm"),
                auth("tokenValidationAlgorithm"),
            ),
            (oidc("sessionExpiry"), auth("sessionExpiry")),
        ] {
            if self.scalar(&again) == self.scalar(&first) {
                self.taken.insert(again);
            }
        }
        for (from, weaker, told) in [
            (oidc("disablePkce"), "true", "PKCE is always used"),
            (oidc("useNonce"), "false", "a nonce is always used"),
        ] {
            if self.scalar(&from).as_deref() == Some(weaker) {
                let notice = Notice::new(self.origin(&from).place, format!("`{from}`: {told}"));
                self.said.notices.push(notice);
            }
            self.taken.insert(from);
        }
        for from in [auth("responseType"), oidc("responseType")] {
            if self.text(&from).is_some_and(|kind| kind != "code") {
                let message = format!("`{from}`: the authorization code flow is always used");
                let notice = Notice::new(self.origin(&from).place, message);
                self.said.notices.push(notice);
            }
            self.taken.insert(from);
        }
    }

    /// `server.login`, as long and as direct as OpenMetadata's sessions.
    pub(super) fn sessions(&mut self) {
        let from = auth("enableAutoRedirect");
        if let Some(redirects) = self.flag(&from) {
            let to = KeyPath::parse("server.login.auto_redirect");
            self.set(&from, &to, json!(redirects));
            self.take(&["enableAutoRedirect"]);
        }
        let to = KeyPath::parse("server.login.lifetime");
        for from in [auth("sessionExpiry"), oidc("sessionExpiry")] {
            if let Some(seconds) = self.seconds(&from) {
                self.set(&from, &to, json!(seconds));
                self.taken.insert(from);
                break;
            }
        }
    }

    /// What is left of `oidcConfiguration`.
    fn of_no_meaning(&mut self) {
        let block = auth("oidcConfiguration");
        let Some(Value::Object(map)) = self.at(&block) else {
            return;
        };
        let told = |name: &&String| {
            let key = block.child(name.as_str());
            !self.taken.contains(&key) && map.get(*name) != Some(&json!(""))
        };
        let left: Vec<&str> = map.keys().filter(told).map(String::as_str).collect();
        if left.is_empty() {
            return;
        }
        let message = format!(
            "`{block}`: these keys have no meaning here: {}",
            left.join(", ")
        );
        let notice = Notice::new(self.origin(&block).place, message);
        self.said.notices.push(notice);
    }

    /// A count of seconds as a duration.
    fn seconds(&self, key: &KeyPath) -> Option<String> {
        let seconds: u32 = self.scalar(key)?.parse().ok()?;
        (seconds > 0).then(|| format!("{seconds}s"))
    }

    fn public_url(&self) -> String {
        let text = |key: &str| self.text(&KeyPath::parse(key)).unwrap_or_default();
        let public = text("server.public_url");
        if !public.is_empty() {
            return public.trim_end_matches('/').to_owned();
        }
        let scheme = match text("server.tls.certificate").is_empty() {
            true => "http",
            false => "https",
        };
        format!("{scheme}://{}", text("server.listen"))
    }
}
