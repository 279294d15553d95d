#![allow(clippy::unwrap_used, clippy::expect_used)]
use countersign_verify::Algorithm;
use serde_json::{Value, json};

use super::*;
use crate::settings::Opaque;

/// The example that operators start from.
fn example() -> Value {
    json!({
        "provider": "keycloak",
        "issuer": "https://sso.example.com/realms/main",
        "audiences": ["airflow"],
        "algorithms": ["RS256"],
        "client_id": "airflow",
        "client_secret": "hush",
        "claims": {
            "username": "preferred_username", "email": "email", "first_name": "given_name",
            "last_name": "family_name", "groups": "resource_access.airflow.roles"
        },
        "allow_http": false
    })
}

fn with(more: Value) -> Value {
    let mut config = example();
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(config.as_object_mut().unwrap().remove(key)),
            value => config[key] = value.clone(),
        }
    }
    config
}

fn checked(config: Value) -> Result<Settings> {
    settings(serde_json::from_value(config).unwrap())
}

fn wrong(more: Value) -> String {
    let refused = checked(with(more)).err().expect("is refused");
    refused.detail().to_owned()
}

#[test]
fn example_suffices() {
    let made = checked(example()).unwrap();
    assert_eq!(made.issuer, "https://sso.example.com/realms/main");
    assert_eq!(
        made.endpoints.discovery.unwrap().as_str(),
        "https://sso.example.com/realms/main/.well-known/openid-configuration"
    );
    assert_eq!(made.algorithms, [Algorithm::RS256]);
    assert_eq!(made.opaque, Opaque::Introspection);
    let client = made.client.unwrap();
    assert_eq!(client.scopes, ["openid", "profile", "email"]);
    assert!(client.secret.is_some() && !client.secret_in_body);
    assert_eq!(
        made.reading.groups.unwrap().to_string(),
        "resource_access.airflow.roles"
    );
}

#[test]
fn empty_texts_are_as_if_they_were_not_there() {
    let made = checked(with(
        json!({ "client_id": "", "client_secret": "", "tenant": "", "endpoints": { "jwks": "" }, "tls": { "ca": "" } }),
    ))
    .unwrap();
    assert!(made.client.is_none() && made.authorities.is_none());
    assert_eq!(made.opaque, Opaque::Off);
}

#[test]
fn each_mistake_is_told_by_its_key_and_remedy() {
    for (more, expected) in [
        (
            json!({ "issuer": null }),
            "issuer: expected the provider's issuer, found none",
        ),
        (
            json!({ "issuer": "sso.example.com" }),
            "issuer: expected an https:// URL",
        ),
        (
            json!({ "issuer": "ldap://sso.example.com" }),
            "issuer: expected an https:// URL",
        ),
        (
            json!({ "issuer": "https://sso.example.com/ realms" }),
            "issuer: expected a URL without blanks",
        ),
        (
            json!({ "issuer": "http://sso.example.com/realms/main" }),
            "`allow_http: true`",
        ),
        (
            json!({ "issuer": "http://127.0.0.1:8080" }),
            "`allow_http: true`",
        ),
        (
            json!({ "issuer": "https://ada:pw@sso.example.com" }),
            "without name and password",
        ),
        (
            json!({ "issuer": "https://sso.example.com?x=1" }),
            "without a query",
        ),
        (
            json!({ "issuer": "https://sso.example.com#x" }),
            "without a fragment",
        ),
        (
            json!({ "endpoints": { "jwks": "http://sso.example.com/keys" } }),
            "endpoints.jwks: expected https://",
        ),
        (
            json!({ "discovery_url": "no url" }),
            "discovery_url: expected a URL without blanks",
        ),
        (
            json!({ "discovery_url": "" }),
            "endpoints.jwks: expected a URL, found none",
        ),
        (
            json!({ "discovery_url": "" }),
            "endpoints.token: expected a URL, found none",
        ),
        (
            json!({ "provider": "custom", "algorithms": [] }),
            "algorithms: expected the algorithms",
        ),
        (json!({ "algorithms": ["none"] }), "algorithms: found none"),
        (
            json!({ "algorithms": ["HS256"] }),
            "algorithms: found HS256: whoever can check",
        ),
        (
            json!({ "algorithms": ["RS256", "hs512"] }),
            "algorithms: found HS512",
        ),
        (
            json!({ "algorithms": ["rs256"] }),
            "found \"rs256\"; meant is RS256",
        ),
        (
            json!({ "algorithms": ["RS1"] }),
            "expected some of RS256 RS384 RS512 PS256 ES256 ES384 EdDSA, found \"RS1\"",
        ),
        (
            json!({ "audiences": [] }),
            "audiences: expected the values of `aud`",
        ),
        (
            json!({ "audiences": ["a", " "] }),
            "audiences: expected names",
        ),
        (
            json!({ "client_id": "" }),
            "client_id: expected the name that `client_secret` belongs to",
        ),
        (
            json!({ "client_secret": null, "opaque": "introspection" }),
            "opaque: introspection needs",
        ),
        (
            json!({ "scopes": ["profile"] }),
            "scopes: expected openid among them",
        ),
        (
            json!({ "scopes": ["openid profile"] }),
            "scopes: expected one scope for each entry",
        ),
        (
            json!({ "parameters": { "redirect_uri": "https://evil.example" } }),
            "parameters: each login has its own `redirect_uri`",
        ),
        (
            json!({ "client_id": "", "client_secret": "", "parameters": { "state": "x", "nonce": "y", "hd": "z" } }),
            "parameters: each login has its own `nonce`, `state`;",
        ),
        (
            json!({ "algorithms": ["rs256", "HS512", "RS256"] }),
            "meant is RS256, and found HS512",
        ),
        (
            json!({ "email_domains": ["a.example", "b.example.", "@c.example"] }),
            "found \"b.example.\" and \"@c.example\"",
        ),
        (
            json!({ "provider": "azure", "issuer": null, "tenant": "c0ffee00-0000-4000-8000-000000000001",
                "client_secret": "", "opaque": "introspection", "endpoints": { "introspection": "https://i.example" } }),
            "opaque: introspection needs `client_id` and `client_secret`",
        ),
        (
            json!({ "provider": "auth0", "issuer": "https://example.eu.auth0.com" }),
            "issuer: expected a slash at its end",
        ),
        (
            json!({ "provider": "authentik", "issuer": "https://id.example.com/application/o/airflow" }),
            "issuer: expected a slash at its end",
        ),
        (
            json!({ "claims": { "groups": "roles[" } }),
            "claims.groups: expected a JMESPath expression",
        ),
        (
            json!({ "claims": { "groups": "a.b[?c=='d']]" } }),
            "column 13",
        ),
        (
            json!({ "claims": { "attributes": { "x": "a b" } } }),
            "claims.attributes.x: expected a JMESPath",
        ),
        (
            json!({ "required": { "a[": "x" } }),
            "required: expected a JMESPath expression",
        ),
        (
            json!({ "email_domains": ["@example.com"] }),
            "email_domains: expected domains without @",
        ),
        (
            json!({ "principal_claims": ["email"] }),
            "claims.username: `principal_claims` says the same",
        ),
        (
            json!({ "claims": {}, "principal_claims_mapping": ["username:sub"] }),
            "found none for email",
        ),
        (
            json!({ "tenant": "x" }),
            "tenant: is no key of this `provider`",
        ),
        (
            json!({ "domain": "x" }),
            "domain: is no key of this `provider`",
        ),
        (
            json!({ "leeway": "1h" }),
            "leeway: expected 0s to 5m, found 1h",
        ),
        (
            json!({ "timeout": "0s" }),
            "timeout: expected 1ms to 1m, found 0s",
        ),
        (
            json!({ "cache": { "fresh": "10s" } }),
            "cache.fresh: expected 1m to 7days, found 10s",
        ),
        (
            json!({ "cache": { "opaque": "2h" } }),
            "cache.opaque: expected 0s to 1h, found 2h",
        ),
        (
            json!({ "tls": { "ca": "/nowhere/ca.pem" } }),
            "tls.ca: cannot read /nowhere/ca.pem",
        ),
        (
            json!({ "tls": { "ca": "/dev/null" } }),
            "tls.ca: expected certificates in PEM",
        ),
    ] {
        let told = wrong(more.clone());
        assert!(told.contains(expected), "{more}: {told}");
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret() {
    let told = wrong(json!({
        "issuer": "https://ada:pw-of-ada@sso.example.com", "audiences": [], "algorithms": ["none"], "leeway": "1h",
        "client_id": "", "client_secret": "hush-hush"
    }));
    for key in [
        "issuer: ",
        "audiences: ",
        "algorithms: ",
        "leeway: ",
        "client_id: ",
    ] {
        assert!(told.contains(key), "{key}{told}");
    }
    assert!(
        !told.contains("hush-hush") && !told.contains("pw-of-ada"),
        "{told}"
    );
}

#[test]
fn http_is_taken_when_told_so() {
    let http = json!({ "issuer": "http://127.0.0.1:8080", "allow_http": true });
    let made = checked(with(http)).unwrap();
    assert!(made.plain_http);
    assert_eq!(made.endpoints.discovery.unwrap().scheme(), "http");
}

#[test]
fn nothing_is_discovered_where_all_is_written() {
    let made = checked(with(json!({
        "discovery_url": "", "client_id": "", "client_secret": "",
        "endpoints": { "jwks": "https://sso.example.com/keys" }
    })))
    .unwrap();
    assert!(made.endpoints.discovery.is_none() && made.endpoints.jwks.is_some());
}

#[test]
fn schema_tells_the_defaults_that_hold() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let told = |at: &str| {
        let text = schema.pointer(at).and_then(Value::as_str).expect(at);
        humantime::parse_duration(text).unwrap()
    };
    let config: Config = serde_json::from_value(json!({})).unwrap();
    assert_eq!(told("/properties/leeway/default"), config.leeway);
    assert_eq!(told("/properties/timeout/default"), config.timeout);
    let cache = |key| told(&format!("/$defs/Cache/properties/{key}/default"));
    assert_eq!(cache("refetch"), config.cache.refetch);
    assert_eq!(cache("fresh"), config.cache.fresh);
    assert_eq!(cache("stale"), config.cache.stale);
    assert_eq!(cache("opaque"), config.cache.opaque);
    // The host's name of it: `duration` is ISO 8601's.
    assert_eq!(schema["properties"]["leeway"]["format"], "duration-text");
}

#[test]
fn schema_names_every_provider() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let told = schema["$defs"]["Preset"].to_string();
    for provider in [
        "custom",
        "custom-oidc",
        "google",
        "azure",
        "okta",
        "auth0",
        "keycloak",
        "authentik",
        "github",
        "gitlab",
        "aws-cognito",
    ] {
        assert!(
            told.contains(&format!("\"{provider}\"")),
            "{provider}: {told}"
        );
    }
}

#[test]
fn secret_is_told_to_be_one() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let secret = schema["properties"]["client_secret"].to_string();
    assert!(secret.contains("\"writeOnly\":true"), "{secret}");
}
