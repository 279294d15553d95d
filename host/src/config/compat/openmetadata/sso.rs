//! OpenMetadata's single sign-on → a backend of the oauth plugin: the provider's name is the
//! preset's, and with `_` for `-` the backend's id. What is written natively for that backend
//! stays, and fills what the block cannot say; where the two differ it is an error.

use serde_json::{Value, json};

use super::leftover::is_placeholder;
use super::mapping::{Mapping, auth};
use crate::config::compat::entra;
use crate::config::key::KeyPath;
use crate::config::layer::Mark;
use crate::config::origins::Table;
use crate::config::report::Notice;

/// OpenMetadata's providers of single sign-on; the plugin's presets have their names.
const PROVIDERS: [&str; 6] = [
    "auth0",
    "aws-cognito",
    "azure",
    "custom-oidc",
    "google",
    "okta",
];

/// The backend that a block means.
struct Meant {
    id: String,
    provider: &'static str,
}

/// The plugin of a backend that is made of the block must be asked for its schema like any other.
pub(super) fn announce(value: &mut Value, marks: &mut Table<Mark>) {
    let Some(meant) = meant(value) else { return };
    let provider = marks.nearest(&auth("provider")).cloned();
    let Some(backends) = value.get_mut("backends").and_then(Value::as_object_mut) else {
        return;
    };
    if backends.contains_key(&meant.id) {
        return;
    }
    backends.insert(meant.id.clone(), json!({ "plugin": "oauth" }));
    if let Some(mark) = provider {
        marks.lay(KeyPath::parse("backends").child(meant.id), mark, true);
    }
}

/// None without the three that a backend cannot be without.
fn meant(value: &Value) -> Option<Meant> {
    let block = value.get("authenticationConfiguration")?;
    let provider = block["provider"].as_str()?;
    let provider = PROVIDERS.into_iter().find(|known| *known == provider)?;
    let authority = written(&block["authority"])?;
    written(&block["clientId"]).or_else(|| written(&block["oidcConfiguration"]["id"]))?;
    let backends = value.get("backends").and_then(Value::as_object)?;
    let native = backends.iter().find(|(_, backend)| {
        backend["plugin"] == "oauth" && backend["config"]["issuer"] == authority
    });
    let id = native.map_or_else(|| provider.replace('-', "_"), |(id, _)| id.clone());
    Some(Meant { id, provider })
}

impl Mapping<'_> {
    /// Makes the backend, or fills the one that is there.
    pub(super) fn sign_on(&mut self) {
        let provider = self.text(&auth("provider")).unwrap_or_default();
        if provider == "saml" {
            let help =
                "put a proxy in front that speaks SAML, or let the provider speak OpenID Connect";
            return self.nobody("there is no plugin for SAML", help);
        }
        if !PROVIDERS.contains(&provider.as_str()) {
            return;
        }
        let Some(meant) = meant(self.value) else {
            let help = "set authenticationConfiguration.authority and .clientId, or write a backend of the oauth plugin";
            return self.nobody("authority and clientId are needed", help);
        };
        self.take(&["authority", "clientId", "provider"]);
        let backend = Backend {
            key: KeyPath::parse("backends").child(meant.id.as_str()),
        };
        let from = auth("provider");
        self.give(&from, backend.at("plugin"), json!("oauth"));
        let preset = match meant.provider {
            "custom-oidc" => "custom",
            other => other,
        };
        self.give(&from, backend.at("config.provider"), json!(preset));
        self.issuer(&meant, &backend);
        self.client(&backend);
        let roles = authorizer("useRolesFromProvider");
        let by_roles = self.flag(&roles) == Some(true);
        self.taken.insert(roles);
        self.claims(&backend, by_roles);
        self.domains(&backend);
        self.roles(&backend, by_roles);
        self.sessions();
        self.flow(&backend);
    }

    /// Entra has one issuer for each tenant and version of tokens: the preset makes them.
    fn issuer(&mut self, meant: &Meant, backend: &Backend) {
        let from = auth("authority");
        let authority = self.text(&from).unwrap_or_default();
        let tenant = oidc("tenant");
        if meant.provider == "azure" {
            let (host, named) = parted(&authority);
            if let Some(host) = entra::national(host) {
                self.give(&from, backend.at("config.domain"), json!(host));
            }
            let (from, tenant) = match self.text(&tenant) {
                Some(tenant) => (oidc("tenant"), tenant),
                None => (from, named.to_owned()),
            };
            self.take_oidc("tenant");
            return self.give(&from, backend.at("config.tenant"), json!(tenant));
        }
        // Auth0's issuers end in a slash, which OpenMetadata's guide leaves out.
        let issuer = match meant.provider {
            "auth0" => format!("{}/", authority.trim_end_matches('/')),
            _ => authority.clone(),
        };
        self.give(&from, backend.at("config.issuer"), json!(issuer));
        let usual = format!(
            "{}/.well-known/openid-configuration",
            authority.trim_end_matches('/')
        );
        if let Some(discovery) = self.text(&oidc("discoveryUri"))
            && discovery != usual
        {
            let to = backend.at("config.discovery_url");
            self.give(&oidc("discoveryUri"), to, json!(discovery));
        }
        self.take_oidc("discoveryUri");
    }

    fn client(&mut self, backend: &Backend) {
        let (public, confidential) = (auth("clientId"), oidc("id"));
        let mut audiences: Vec<String> = Vec::new();
        for from in [&confidential, &public] {
            if let Some(id) = self.text(from).filter(|id| !audiences.contains(id)) {
                if audiences.is_empty() {
                    self.give(from, backend.at("config.client_id"), json!(id));
                }
                audiences.push(id);
            }
        }
        self.give(&public, backend.at("config.audiences"), json!(audiences));
        let from = auth("tokenValidationAlgorithm");
        let algorithms = self.algorithms();
        self.give(&from, backend.at("config.algorithms"), algorithms);
        if let Some(secret) = self.text(&oidc("secret")) {
            self.give(
                &oidc("secret"),
                backend.at("config.client_secret"),
                json!(secret),
            );
        } else if self.text(&auth("clientType")).as_deref() == Some("confidential") {
            let place = self.origin(&auth("clientType")).place;
            let notice = Notice::new(
                place,
                "`authenticationConfiguration.clientType` is confidential, and there is no `oidcConfiguration.secret`",
            );
            self.said.notices.push(notice.help(
                "set OIDC_CLIENT_SECRET, unless the provider takes this client without a password",
            ));
        }
        let from = oidc("clientAuthenticationMethod");
        match self.text(&from).as_deref() {
            Some(method @ ("client_secret_basic" | "client_secret_post")) => {
                let to = backend.at("config.client_authentication");
                self.give(&from, to, json!(method));
            }
            Some(_) => {
                let message = format!("`{from}`: client_secret_basic is used");
                let notice = Notice::new(self.origin(&from).place, message);
                let help = "client_secret_basic and client_secret_post are known here";
                self.said.notices.push(notice.help(help));
            }
            None => {}
        }
        self.take(&["clientType", "tokenValidationAlgorithm"]);
        for key in ["id", "secret", "clientAuthenticationMethod"] {
            self.take_oidc(key);
        }
    }

    fn nobody(&mut self, why: &str, help: &str) {
        let key = auth("provider");
        let provider = self.text(&key).unwrap_or_default();
        let notice = Notice::new(
            self.origin(&key).place,
            format!("`{key}`: {provider} lets nobody in here: {why}"),
        );
        self.said.notices.push(notice.help(help));
    }
}

/// Where the backend is.
pub(super) struct Backend {
    pub(super) key: KeyPath,
}

impl Backend {
    pub(super) fn at(&self, key: &str) -> KeyPath {
        key.split('.')
            .fold(self.key.clone(), |key, segment| key.child(segment))
    }
}

pub(super) fn oidc(key: &str) -> KeyPath {
    auth("oidcConfiguration").child(key)
}

pub(super) fn authorizer(key: &str) -> KeyPath {
    KeyPath::root().child("authorizerConfiguration").child(key)
}

fn written(value: &Value) -> Option<&str> {
    let text = value.as_str()?;
    Some(text).filter(|text| !text.is_empty() && !is_placeholder(text))
}

/// `https://login.microsoftonline.com/TENANT`, with or without what follows: host and tenant.
fn parted(authority: &str) -> (&str, &str) {
    let rest = authority
        .split_once("://")
        .map_or(authority, |(_, rest)| rest);
    let mut parts = rest.split('/');
    (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    )
}

#[cfg(test)]
#[path = "sso_tests.rs"]
mod tests;
