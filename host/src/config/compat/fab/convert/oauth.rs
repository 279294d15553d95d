//! AUTH_OAUTH: each provider as a comment, since this version has no plugin for it. Comments
//! hold no secrets: only members that are known to be none show their values.

use super::{Source, document};
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{At, Default, Value};

/// Members whose values are no secrets. Of others nobody knows: `access_token_headers` holds
/// the client's password in many a file.
const SHOWN: [&str; 32] = [
    "access_token_method",
    "access_token_url",
    "api_base_url",
    "audience",
    "authorize_url",
    "client_id",
    "code_challenge_method",
    "domain",
    "grant_type",
    "icon",
    "introspection_endpoint",
    "issuer",
    "jwks_uri",
    "name",
    "prompt",
    "realm",
    "redirect_uri",
    "request_token_url",
    "resource",
    "response_mode",
    "response_type",
    "revocation_endpoint",
    "scope",
    "server_metadata_url",
    "signature_method",
    "tenant_id",
    "token_endpoint",
    "token_endpoint_auth_method",
    "token_key",
    "userinfo_endpoint",
    "verify",
    "whitelist",
];

pub(super) fn convert(source: &mut Source<'_>, backends: &mut Map) {
    const KEY: &str = "OAUTH_PROVIDERS";
    const LATER: &str =
        "this version has no oauth plugin; its keys stand as comments in the converted file";
    for key in ["AUTH_OAUTH_ROLE_KEYS", "OAUTH_SAVE_TOKEN"] {
        if let Some(at) = source.take(key) {
            source.lacking(key, at, at.value.kind(), LATER);
        }
    }
    let Some(at) = source.take(KEY) else { return };
    let Value::List(providers) = &at.value else {
        return source.lacking(KEY, at, at.value.kind(), LATER);
    };
    backends.comment("AUTH_OAUTH: no plugin of this version logs users of these providers in.");
    backends.comment("providers:");
    for provider in providers {
        let Value::Dict(members) = &provider.value else {
            source.lacking(KEY, provider, provider.value.kind(), LATER);
            continue;
        };
        let named = members
            .iter()
            .find_map(|(key, value)| match (&key.value, &value.value) {
                (Value::Text(key), Value::Text(name)) if key == "name" => Some(name.as_str()),
                _ => None,
            });
        let name: String = named
            .unwrap_or("(without a name)")
            .chars()
            .filter(|c| !c.is_control())
            .take(64)
            .collect();
        let what = format!("the provider \"{name}\"");
        source.lacking(KEY, provider, &what, LATER);
        let mut first = true;
        write(source, &name, members, 2, &mut first, backends);
    }
}

/// The members of a provider, line by line.
fn write(
    source: &mut Source<'_>,
    provider: &str,
    members: &[(At, At)],
    depth: usize,
    first: &mut bool,
    to: &mut Map,
) {
    for (key, at) in members {
        let Value::Text(name) = &key.value else {
            source.lacking(
                "OAUTH_PROVIDERS",
                key,
                &format!("a key of \"{provider}\" that is {}", key.value.kind()),
                "",
            );
            continue;
        };
        let mut begin = "  ".repeat(depth);
        if std::mem::take(first) {
            begin.replace_range(begin.len().saturating_sub(2).., "- ");
        }
        let shown = document::text(name);
        match &at.value {
            Value::Dict(inner) => {
                to.comment(format!("{begin}{shown}:"));
                write(source, provider, inner, depth + 1, &mut false, to);
            }
            value => {
                let value = scalar(source, provider, name, at.line, value);
                to.comment(format!("{begin}{shown}: {value}"));
            }
        }
    }
}

fn scalar(
    source: &mut Source<'_>,
    provider: &str,
    name: &str,
    line: usize,
    value: &Value,
) -> String {
    let shown = SHOWN.contains(&name);
    let mut hide = |variable: String| {
        let at = At {
            line,
            value: Value::None,
        };
        let key = format!("OAUTH_PROVIDERS \"{provider}\" {name}");
        let what = "a secret in the file, or what may be one: it was not written out";
        source.lacking(&key, &at, what, "put it into a variable or a file");
        format!("{{ env: {variable} }}")
    };
    match value {
        Value::None => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Env(env) => match &env.default {
            Default::Text(text)
                if !text.is_empty() && (!shown || without_secrets(text) != *text) =>
            {
                hide(env.name.clone())
            }
            _ if shown => {
                document::variable(env).unwrap_or_else(|| format!("\"${{{}}}\"", env.name))
            }
            _ => format!("{{ env: {} }}", env.name),
        },
        Value::Int(_) | Value::Text(_) | Value::List(_) if !shown => hide(variable(provider, name)),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => document::text(&without_secrets(text)),
        Value::List(items) => {
            let mut shown = Vec::new();
            for item in items {
                shown.push(match &item.value {
                    Value::Dict(_) | Value::List(_) => "…".to_owned(),
                    other => scalar(source, provider, name, item.line, other),
                });
            }
            format!("[{}]", shown.join(", "))
        }
        other => {
            let at = At {
                line,
                value: Value::None,
            };
            let key = format!("OAUTH_PROVIDERS \"{provider}\" {name}");
            let help = match other {
                Value::Other(other) => other.help.as_str(),
                _ => "",
            };
            source.lacking(&key, &at, other.kind(), help);
            "…".to_owned()
        }
    }
}

/// A variable's name for a secret.
fn variable(provider: &str, name: &str) -> String {
    let letters = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("OAUTH_{provider}_{name}")
        .to_ascii_uppercase()
        .chars()
        .map(letters)
        .collect()
}

/// A url may hold a password before its host, or in its query.
fn without_secrets(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (rest, query) = match rest.split_once(['?', '#']) {
        Some((rest, _)) => (rest, "?[secret]"),
        None => (rest, ""),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://[secret]{}{query}", &rest[at..]),
        None => format!("{scheme}://{rest}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_told_without_its_secrets() {
        for (url, told) in [
            ("https://a:b@c/d@e", "https://[secret]@c/d@e"),
            ("https://c/d@e", "https://c/d@e"),
            ("https://c/d?code=x", "https://c/d?[secret]"),
            ("https://a@c?x", "https://[secret]@c?[secret]"),
            ("a@b", "a@b"),
        ] {
            assert_eq!(without_secrets(url), told);
        }
    }
}
