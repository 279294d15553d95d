//! The provider's client that Airflow was, which is now ours: its id, its secret, and what it
//! asks for. PKCE and the check of signatures are no choice.

use super::provider::{Provider, list};
use super::{Preset, Source};
use crate::config::compat::fab::document::{self, Map};
use crate::config::compat::fab::value::{Default, Env, Value};

/// Endpoints: authlib's names and ours.
const ENDPOINTS: [(&str, &str); 6] = [
    ("jwks_uri", "jwks"),
    ("authorize_url", "authorization"),
    ("access_token_url", "token"),
    ("userinfo_endpoint", "userinfo"),
    ("introspection_endpoint", "introspection"),
    ("end_session_endpoint", "end_session"),
];

pub(super) fn convert(
    source: &mut Source<'_>,
    provider: &mut Provider<'_>,
    preset: Preset,
    config: &mut Map,
) {
    let id = provider
        .app("client_id")
        .and_then(|at| provider.text(source, "client_id", at, "client_id"));
    let id = id.unwrap_or_else(|| provider.undecided(source, "client_id", "missing, or not known"));
    let audience = format!("[{}]", document::inside(id.clone()));
    config.put("client_id", id, "");
    secret(source, provider, config);
    if ![Preset::Github, Preset::Google].contains(&preset) {
        config.put(
            "audiences",
            audience,
            "ID tokens of this client; FAB asks for none",
        );
    }
    if preset == Preset::Custom {
        config.put("algorithms", "[RS256]", "");
    }
    method(source, provider, config);
    scopes(source, provider, preset, config);
    parameters(source, provider, config);
    endpoints(source, provider, preset, config);
    always(source, provider);
}

/// A secret that stands in the file stays there: what we write may be read by others.
fn secret(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    let Some(at) = provider.app("client_secret") else {
        return;
    };
    let key = provider.key("client_secret");
    let own = provider.variable("CLIENT_SECRET");
    let name = match &at.value {
        Value::None => return,
        Value::Text(text) if text.is_empty() => return,
        Value::Env(Env { name, default }) => {
            if matches!(default, Default::Text(text) if !text.is_empty()) {
                let what = format!("the default of the variable {name} is a secret");
                let help = format!("set {name}: the default was not written out");
                source.lacking(&key, at, &what, &help);
            }
            name.as_str()
        }
        other => {
            let what = match other {
                Value::Text(_) => "a secret in the file, which was not written out",
                other => other.kind(),
            };
            let help = format!(
                "set {own} to it in the environment of countersign, or name a file: {{ file: … }}"
            );
            source.lacking(&key, at, what, &help);
            own.as_str()
        }
    };
    config.put(
        "client_secret",
        format!("{{ env: {name} }}"),
        "or { file: … }",
    );
}

/// How the secret is sent.
fn method(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    for member in [
        "client_kwargs.token_endpoint_auth_method",
        "token_endpoint_auth_method",
    ] {
        let Some(at) = provider.app(member) else {
            continue;
        };
        match &at.value {
            Value::Text(text) if text == "client_secret_post" => {
                config.put("client_authentication", text, "token_endpoint_auth_method");
            }
            Value::Text(text) if text == "client_secret_basic" || text == "none" => {}
            other => {
                let help = "client_secret_basic and client_secret_post are known here";
                source.lacking(&provider.key(member), at, other.kind(), help);
            }
        }
    }
}

fn scopes(source: &mut Source<'_>, provider: &mut Provider<'_>, preset: Preset, config: &mut Map) {
    let Some(at) = provider.app("client_kwargs.scope") else {
        return;
    };
    let key = provider.key("scope");
    let to = format!("backends.{}.config.scopes", provider.id);
    let Value::Text(text) = &at.value else {
        if at.value != Value::None {
            source.by_hand(&key, at, at.value.kind(), &to);
        }
        return;
    };
    let mut scopes: Vec<&str> = text.split_whitespace().collect();
    if preset == Preset::Azure {
        // Entra's older endpoints took names of claims for scopes; its newer ones refuse them.
        let known = ["openid", "profile", "email", "offline_access"];
        scopes.retain(|scope| known.contains(scope) || scope.contains(['/', '.']));
    }
    if preset != Preset::Github && !scopes.contains(&"openid") {
        scopes.insert(0, "openid");
        let what = "without openid, which is added: an ID token says who it is";
        source.note(&key, at, what, "");
    }
    config.put("scopes", list(&scopes), "");
}

fn parameters(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    let Some(at) = provider.app("authorize_params") else {
        return;
    };
    let key = provider.key("authorize_params");
    let to = format!("backends.{}.config.parameters", provider.id);
    let Value::Dict(pairs) = &at.value else {
        if at.value != Value::None {
            source.by_hand(&key, at, at.value.kind(), &to);
        }
        return;
    };
    let mut parameters = Map::default();
    for (name, value) in pairs {
        match (&name.value, &value.value) {
            (Value::Text(name), Value::Text(text)) if is_parameter(name) => {
                parameters.put(name, document::text(text), "");
            }
            _ => source.by_hand(&key, value, value.value.kind(), &to),
        }
    }
    config.map("parameters", parameters, "");
}

/// What providers call their parameters; other texts may be no keys of YAML.
fn is_parameter(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && name.chars().all(plain)
}

/// Where there is an issuer its document says where all else is.
fn endpoints(
    source: &mut Source<'_>,
    provider: &mut Provider<'_>,
    preset: Preset,
    config: &mut Map,
) {
    if preset != Preset::Custom {
        return provider.discover(&ENDPOINTS.map(|(member, _)| member));
    }
    let mut endpoints = Map::default();
    for (member, name) in ENDPOINTS {
        let Some(at) = provider.app(member) else {
            continue;
        };
        if let Some(url) = provider.text(source, member, at, &format!("endpoints.{name}")) {
            endpoints.put(name, url, member);
        }
    }
    config.map("endpoints", endpoints, "");
}

/// What is no choice.
fn always(source: &mut Source<'_>, provider: &mut Provider<'_>) {
    for member in ["client_kwargs.verify_signature", "client_kwargs.verify"] {
        let Some(at) = provider.app(member) else {
            continue;
        };
        if at.value.truth() == Some(true) {
            continue;
        }
        let (what, help) = match member {
            "client_kwargs.verify" => (
                "certificates that are not checked, or by a file of their own",
                "name their authority in tls.ca",
            ),
            _ => (
                "it is never skipped: every token's signature is checked",
                "",
            ),
        };
        match member {
            "client_kwargs.verify" => source.lacking(&provider.key(member), at, what, help),
            _ => source.note(&provider.key(member), at, what, help),
        }
    }
    for member in [
        "client_kwargs.code_challenge_method",
        "code_challenge_method",
    ] {
        if let Some(at) = provider.app(member)
            && at.value != Value::Text("S256".to_owned())
        {
            source.note(
                &provider.key(member),
                at,
                "PKCE is always used, with S256",
                "",
            );
        }
    }
}
