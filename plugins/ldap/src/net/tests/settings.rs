//! Settings that cannot be meant are refused with the key's name.

use super::*;

fn refusal(change: Value) -> String {
    let mut settings = json!({ "url": "ldaps://ldap.example.com" });
    for (key, value) in change.as_object().unwrap() {
        settings[key] = value.clone();
    }
    let error = open(settings).map(drop).unwrap_err();
    assert_eq!(error.kind(), countersign_sdk::Kind::Invalid);
    assert!(!error.detail().contains("canary"), "{error}");
    error.detail().to_owned()
}

#[tokio::test]
async fn wrong_settings_are_refused_by_their_key() {
    let wrong = [
        (json!({ "url": [] }), "url:"),
        (json!({ "url": "ldap.example.com" }), "url:"),
        (
            json!({ "url": "http://ldap.example.com" }),
            "unknown scheme",
        ),
        (json!({ "url": "ldaps://" }), "url:"),
        (json!({ "url": "ldaps://a:0" }), "url:"),
        (json!({ "url": "ldaps://a:70000" }), "url:"),
        (json!({ "url": "ldaps://a/dc=example" }), "search.base"),
        (json!({ "url": "ldaps://a?x" }), "url:"),
        (json!({ "url": "ldaps://me:canary@a" }), "bind_dn"),
        (json!({ "url": "ldaps://me:can ary:canary@a b" }), "url:"),
        (json!({ "url": "ldaps://exämple.com" }), "xn--"),
        (json!({ "url": ["ldaps://a", "ldaps://A:636"] }), "twice"),
        (json!({ "url": "ldapi://run" }), "%2F"),
        (json!({ "url": "ldaps+srv://a:636" }), "domain alone"),
        (json!({ "url": "ldap://ldap.example.com" }), "plain_text"),
        (json!({ "url": "ldap+srv://example.com" }), "plain_text"),
        (json!({ "start_tls": true }), "start_tls:"),
        (
            json!({ "url": "ldapi://%2Frun%2Fldapi", "start_tls": true }),
            "start_tls:",
        ),
        (json!({ "bind_dn": "cn=a" }), "bind_password:"),
        (
            json!({ "bind_dn": "cn=a", "bind_password": "" }),
            "bind_password:",
        ),
        (json!({ "sasl_external": true }), "tls.certificate"),
        (
            json!({ "tls": { "ca": "/nowhere/ca.pem" } }),
            "tls.ca: /nowhere/ca.pem",
        ),
        (json!({ "tls": { "ca": "/dev/null" } }), "tls.ca: /dev/null"),
        (
            json!({ "tls": { "private_key": "canary" } }),
            "tls.certificate:",
        ),
        (
            json!({ "tls": { "certificate": "/dev/null" } }),
            "tls.private_key:",
        ),
    ];
    for (change, expected) in wrong {
        let said = refusal(change.clone());
        assert!(said.contains(expected), "{change}: {said}");
    }
}

#[tokio::test]
async fn servers_are_named_as_they_are_reached() {
    let right = [
        ("ldap://localhost", "ldap://localhost:389"),
        ("ldap://127.0.0.1:3890/", "ldap://127.0.0.1:3890"),
        ("ldap://[::1]", "ldap://[::1]:389"),
        ("ldaps://LDAP.Example.COM.", "ldaps://ldap.example.com:636"),
        ("ldapi://%2Frun%2Fslapd", "ldapi://%2Frun%2Fslapd"),
        ("ldaps+srv://example.com", "ldaps+srv://example.com"),
    ];
    for (url, name) in right {
        let address = super::super::address::Address::parse(url).unwrap();
        assert_eq!(address.to_string(), name);
        open(json!({ "url": url })).unwrap();
    }
}

#[tokio::test]
async fn durations_are_those_that_the_host_takes() {
    let right = [
        ("250ms", 250),
        ("1d", 86_400_000),
        ("1h 30m", 5_400_000),
        (" 2min ", 120_000),
    ];
    for (text, millis) in right {
        let settings = json!({ "url": "ldaps://a", "pool": { "idle": text } });
        let config: crate::config::Config = serde_json::from_value(settings).unwrap();
        assert_eq!(config.pool.idle, Duration::from_millis(millis), "{text}");
    }
    for text in ["5", "0s", "-1s", "s", "", "5 parsecs"] {
        let settings = json!({ "url": "ldaps://a", "timeouts": { "connect": text } });
        let config = serde_json::from_value::<crate::config::Config>(settings);
        let error = config.map(drop).unwrap_err().to_string();
        assert!(error.contains("above zero, such as"), "{text}: {error}");
    }
}

#[tokio::test]
async fn wrong_servers_account_and_files_come_all_at_once() {
    let told = refusal(json!({
        "url": ["http://a", "ldap://b.example.com", "ldaps://c"],
        "bind_dn": "cn=a",
        "tls": { "ca": "/nowhere/ca.pem" },
    }));
    for reason in [
        "unknown scheme",
        "plain_text",
        "bind_password:",
        "tls.ca: /nowhere/ca.pem",
    ] {
        assert_eq!(told.matches(reason).count(), 1, "{reason} in {told}");
    }
}
