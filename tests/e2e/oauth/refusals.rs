//! What Airflow's own example of a bearer login accepts, because it does not look at the signature, and all
//! that is near to it: 401, the same for each.

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server};
use serde_json::json;

use super::*;

#[test]
fn o20_token_that_is_not_sound_in_every_part_is_401() {
    let provider = Oidc::start();
    let stranger = Oidc::start();
    let folder = Folder::new();
    let server = start(&folder, &provider);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    claims(&server, &provider.token("amelia"));

    let mut bodies = Vec::new();
    for (what, forged) in [
        ("unsigned", json!({ "alg": "none" })),
        (
            "another audience",
            json!({ "claims": { "aud": "account" } }),
        ),
        ("no audience", json!({ "drop": ["aud"] })),
        ("expired", json!({ "claims": { "exp": now - 3_600 } })),
        ("without an end", json!({ "drop": ["exp"] })),
        ("not yet valid", json!({ "claims": { "nbf": now + 3_600 } })),
        (
            "another issuer",
            json!({ "claims": { "iss": stranger.issuer } }),
        ),
        ("no issuer", json!({ "drop": ["iss"] })),
        ("nobody's", json!({ "drop": ["sub"] })),
        ("the public key as a secret", json!({ "alg": "HS256" })),
        (
            "an algorithm that is not allowed",
            json!({ "alg": "ES256" }),
        ),
        ("a stranger's key", json!({ "foreignKey": true })),
        ("changed on the way", json!({ "tamper": { "sub": "bob" } })),
        (
            "an unknown extension",
            json!({ "header": { "crit": ["x"], "x": 1 } }),
        ),
    ] {
        let mut whole = json!({ "user": "amelia" });
        let parts = forged.as_object().unwrap().clone();
        whole.as_object_mut().unwrap().extend(parts);
        let answer = bearer(&server, &provider.forge(&whole));
        assert_eq!(answer.status, 401, "{what}: {answer:?}");
        bodies.push(answer.body);
    }
    for sent in [
        stranger.token("amelia"),
        "a.b.c".to_owned(),
        "..".to_owned(),
        "x".repeat(20_000),
    ] {
        let answer = bearer(&server, &sent);
        assert!((400..=431).contains(&answer.status), "{answer:?}");
        if answer.status == 401 {
            bodies.push(answer.body);
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "nobody is told what was wrong: {bodies:?}");
    assert_eq!(stranger.count("/jwks"), 0, "no token leads us anywhere");
    assert_eq!(stranger.count("/.well-known/openid-configuration"), 0);
    claims(&server, &provider.token("amelia"));
}

#[test]
fn address_in_a_tokens_header_is_never_asked() {
    let provider = Oidc::start();
    let stranger = Oidc::start();
    let folder = Folder::new();
    let server = start(&folder, &provider);
    let jwks = format!("{}/jwks", stranger.issuer);
    for header in [
        json!({ "jku": jwks }),
        json!({ "x5u": jwks }),
        json!({ "jku": jwks, "kid": "unheard-of" }),
    ] {
        let forged = json!({ "user": "amelia", "foreignKey": true, "header": header });
        assert_eq!(bearer(&server, &stranger.forge(&forged)).status, 401);
    }
    assert_eq!(stranger.count("/jwks"), 0);
}

#[test]
fn t22_t23_kid_with_meta_characters_is_unknown_and_stays_escaped_and_short_in_the_log() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let variables = [("RUST_LOG", "debug")];
    let server = Server::with(&folder, &sso(&provider, ""), &variables);
    for kid in [
        "../../../../dev/null".to_owned(),
        "' or 1=1 --".to_owned(),
        "*)(uid=*".to_owned(),
        "$(touch /tmp/x); `id`".to_owned(),
        "x\r\n{\"level\":\"forged\"}\u{1b}[31m".to_owned(),
        "k".repeat(4_000),
    ] {
        let forged = json!({ "user": "amelia", "header": { "kid": kid } });
        assert_eq!(
            bearer(&server, &provider.forge(&forged)).status,
            401,
            "{kid:?}"
        );
    }
    let (_, log) = server.stop();
    assert!(log.contains("rule kid"), "the operator reads why:\n{log}");
    assert!(!log.contains(['\u{1b}', '\r']));
    for line in log.lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        assert!(line.len() < 2_000, "{line}");
    }
}
