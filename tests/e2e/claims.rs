//! What a token says.

use countersign_tests::{Folder, Server, artifacts, token};
use serde_json::json;

use crate::{answers, template};

#[test]
fn token_of_the_template_plugin_has_airflows_claims_and_no_others() {
    let folder = Folder::new();
    let server = template(&folder);
    let jwt = server.token("ada", "door");
    let (header, claims) = (token::header(&jwt), token::claims(&jwt));
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&json!("RS256"), &json!("JWT"))
    );
    assert!(header["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
    assert_eq!(header.as_object().unwrap().len(), 3, "{header}");
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["aud"], "apache-airflow");
    assert_eq!(claims["iss"], format!("http://{}", server.address));
    assert_eq!(claims["iat"], claims["nbf"]);
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        86_400
    );
    let jti = claims["jti"].as_str().unwrap();
    assert!(
        jti.len() == 32 && jti.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{jti}"
    );
    assert_eq!(claims.as_object().unwrap().len(), 7, "{claims}");
}

#[test]
fn cli_token_lives_an_hour() {
    let folder = Folder::new();
    let server = template(&folder);
    let answer = countersign_tests::post_json(
        server.address,
        "/auth/token/cli",
        r#"{"username":"ada","password":"door"}"#,
    );
    let claims = token::claims(answer.json()["access_token"].as_str().unwrap());
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        3_600
    );
}

#[test]
fn m01_reserved_names_in_attributes_reach_no_token() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    let claims = token::claims(&server.token("ada", "x"));
    assert_ne!(claims["iss"], "evil");
    assert!(claims["exp"].as_u64().unwrap() > 1_000_000);
    assert_eq!(
        claims.get("team"),
        None,
        "attributes reach a token only by a template"
    );
}

#[test]
fn m03_token_ids_are_unique() {
    let folder = Folder::new();
    let server = template(&folder);
    let ids: std::collections::BTreeSet<String> = (0..50)
        .map(|_| token::claims(&server.token("ada", "door"))["jti"].to_string())
        .collect();
    assert_eq!(ids.len(), 50);
}

#[test]
fn claim_templates_are_filled_from_user_and_mapped_roles() {
    let folder = Folder::new();
    let more = r#"
    roles: { mapping: { "CN=admins,DC=x": [Admin] }, pass: ["*airflow*"] }
tokens:
  claims:
    preferred_username: "{username}"
    roles: "{roles}"
    team: "{attributes.team}"
    note: "{{{username}}} of {backend}"
    missing: "{attributes.nothing}"
    fixed: 1
"#;
    let server = answers(&folder, more);
    let claims = token::claims(&server.token("ada", "x"));
    assert_eq!(claims["preferred_username"], "ada");
    assert_eq!(claims["roles"], json!(["Admin", "Own", "team-airflow"]));
    assert_eq!(claims["team"], 7);
    assert_eq!(claims["note"], "{ada} of first");
    assert_eq!(claims.get("missing"), None);
    assert_eq!(claims["fixed"], 1);
}

#[test]
fn subject_of_another_backend_carries_the_backends_name() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    let config = "plugins: { directories: [plugins] }\ntokens: { subject_backend: one }\nbackends:\n  one: { plugin: answers, config: {} }\n  two: { plugin: answers, config: {} }\n";
    let server = Server::start(&folder, config);
    let subject = |path: &str| {
        let answer = countersign_tests::post_json(
            server.address,
            path,
            r#"{"username":"ada","password":"x"}"#,
        );
        token::claims(answer.json()["access_token"].as_str().unwrap())["sub"].clone()
    };
    assert_eq!(subject("/auth/one/token"), "id-ada");
    assert_eq!(subject("/auth/two/token"), "two:id-ada");
}
