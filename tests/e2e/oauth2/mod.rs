//! The token endpoint over HTTP, with a backend that takes other people's tokens.

mod bearer;
pub(crate) mod bots;
mod credentials;
mod device;
mod dpop;
mod exchange;
mod hosts;
mod introspect;
mod looks;
mod metadata;
mod refresh;
mod refusals;
mod revoke;
mod stored;

use countersign_tests::{Answer, Folder, Server, artifacts, send};
use serde_json::Value;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const TYPE: &str = "urn:ietf:params:oauth:token-type:";

/// A default audience, one for access tokens, and one of little.
const AUDIENCES: &str = r#"
tokens:
  issuer: https://id.example
  claims: { asked: "{attributes.asked}", type: "{attributes.type}" }
  audiences:
    lake: { aud: "https://lake.example/api", algorithm: ES256, typ: at+jwt, lifetime: 10m, max_lifetime: 1h }
    sea: {}
"#;

fn server(folder: &Folder, more: &str) -> Server {
    folder.plugin(&artifacts::fixture("bearers"), "bearers");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  sso: {{ plugin: bearers, config: {{}} }}\n{AUDIENCES}{more}\n"
    );
    Server::start(folder, &config)
}

/// What a client library makes of parameters.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let escaped = |text: &str| {
        let bytes = text.bytes().map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        });
        bytes.collect::<String>()
    };
    let pairs = parameters.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn post(server: &Server, more: &[(&str, &str)], body: &str) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let headers = [&[kind][..], more].concat();
    send(
        server.address,
        "POST",
        "/oauth2/token",
        &headers,
        body.as_bytes(),
    )
}

/// An exchange of `subject`, an access token, with further parameters.
fn exchange(server: &Server, subject: &str, more: &[(&str, &str)]) -> Answer {
    let kind = format!("{TYPE}access_token");
    let usual = [
        ("grant_type", EXCHANGE),
        ("subject_token", subject),
        ("subject_token_type", kind.as_str()),
    ];
    let set = |name: &str| more.iter().any(|(other, _)| *other == name);
    let mut all: Vec<_> = usual.into_iter().filter(|(name, _)| !set(name)).collect();
    all.extend(more);
    post(server, &[], &form(&all))
}

/// Lines of the audit log.
fn audit(log: &str) -> Vec<Value> {
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    lines
        .filter(|line: &Value| line["target"] == "audit")
        .collect()
}
