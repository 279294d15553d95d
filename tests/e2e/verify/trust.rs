//! Tokens of other issuers (`trust`), of a real provider.

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server, artifacts, get};
use serde_json::json;

use super::{ask, identity, refused};
use crate::run;

/// The configuration of a server that trusts these issuers.
fn config(entries: &[String]) -> String {
    format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\ntokens: {{ audiences: {{ lake: {{ aud: {aud} }}, sea: {{}} }} }}\ntrust:\n{}",
        entries.concat(),
        aud = Oidc::AUDIENCE,
    )
}

fn entry(provider: &Oidc, more: &str) -> String {
    let (issuer, aud) = (&provider.issuer, Oidc::AUDIENCE);
    format!(
        "  - {{ issuer: \"{issuer}\", jwks_url: \"{issuer}/jwks\", audiences: [\"{aud}\"]{more} }}\n"
    )
}

fn trusting(folder: &Folder, entries: &[String]) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, &config(entries))
}

fn subject(sub: &str, provider: &Oidc) -> String {
    format!("trust:{sub}@{}", provider.issuer)
}

#[test]
fn token_of_a_trusted_issuer_passes_with_the_roles_that_we_give() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let roles = ", principal_claims: [preferred_username, sub], groups_claim: resource_access.airflow.roles, roles: { mapping: { airflow_admin: [Admin] }, pass: [\"O*\"], default: [Public] }";
    let server = trusting(&folder, &[entry(&provider, roles)]);
    assert_eq!(provider.count("/jwks"), 0, "nobody needed them yet");
    let alice = ask(&server, "", &provider.token("alice"));
    assert_eq!(alice.status, 200, "{alice:?}");
    let [sub, user, email, roles, issuer] = identity(&alice);
    assert_eq!(sub, subject("alice", &provider));
    assert_eq!(
        (user, roles, issuer),
        ("alice", "Op", provider.issuer.as_str())
    );
    assert!(email.contains('@'), "{email}");
    for (user, roles) in [
        ("amelia", "Admin"),
        ("carol", "Public"),
        ("mallory", "Public"),
    ] {
        let answer = ask(&server, "", &provider.token(user));
        assert_eq!(identity(&answer)[3], roles, "{user}");
    }
    assert_eq!(
        ask(&server, "?role=Op", &provider.token("alice")).status,
        200
    );
    refused(
        &ask(&server, "?role=Op", &provider.token("bob")),
        403,
        "insufficient_scope",
    );
    assert_eq!(provider.count("/jwks"), 1);
    // Their audience is not the default one of ours; one that is asked for must be theirs, too.
    assert_eq!(
        ask(&server, "?audience=lake", &provider.token("alice")).status,
        200
    );
    refused(
        &ask(&server, "?audience=sea", &provider.token("alice")),
        401,
        "invalid_token",
    );
    refused(
        &ask(
            &server,
            "?audience=apache-airflow",
            &provider.token("alice"),
        ),
        401,
        "invalid_token",
    );
    let page = get(server.admin, "/metrics").body;
    let fetched = format!(
        r#"countersign_trust_key_fetches_total{{issuer="{}",result="fetched"}} 1"#,
        provider.issuer
    );
    assert!(page.contains(&fetched), "{page}");
}

#[test]
fn address_that_the_issuer_does_not_vouch_for_names_nobody() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let claims = ", principal_claims: [email, preferred_username, sub]";
    let server = trusting(&folder, &[entry(&provider, claims)]);
    for (verified, believed) in [
        (json!(true), true),
        (json!("true"), true),
        (json!(false), false),
        (json!("false"), false),
        (json!(null), false),
        (json!(1), false),
    ] {
        let claims = json!({ "email": "root@example.org", "email_verified": verified });
        let token = provider.forge(&json!({ "user": "alice", "claims": claims }));
        let answer = ask(&server, "", &token);
        let expected = match believed {
            true => ["root@example.org"; 2],
            false => ["alice", ""],
        };
        assert_eq!(identity(&answer)[1..3], expected, "{verified}");
    }
}

#[test]
fn every_way_that_a_token_goes_wrong_is_refused_without_a_request_of_ours() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = trusting(&folder, &[entry(&provider, "")]);
    assert_eq!(ask(&server, "", &provider.token("alice")).status, 200);
    let fetched = provider.count("/jwks");
    let evil = format!("{}/jwks", provider.issuer);
    for forged in [
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
        json!({ "foreignKey": true }),
        json!({ "tamper": { "sub": "bob" } }),
        json!({ "claims": { "iss": "https://elsewhere.example" } }),
        json!({ "claims": { "iss": format!("{}/", provider.issuer) } }),
        json!({ "claims": { "aud": "somebody" } }),
        json!({ "claims": { "aud": [] } }),
        json!({ "claims": { "exp": 1 } }),
        json!({ "claims": { "nbf": 4_102_444_800_u64 } }),
        json!({ "claims": { "iat": 4_102_444_800_u64 } }),
        json!({ "drop": ["exp"] }),
        json!({ "drop": ["sub"] }),
        json!({ "drop": ["aud"] }),
        json!({ "drop": ["iss"] }),
        json!({ "header": { "crit": ["x"], "x": 1 } }),
        json!({ "header": { "cty": "JWT" } }),
        json!({ "header": { "typ": "logout+jwt" } }),
        json!({ "foreignKey": true, "header": { "jku": evil, "x5u": evil } }),
        json!({ "header": { "kid": "../../dev/null" } }),
    ] {
        let mut what = forged.clone();
        what["user"] = "alice".into();
        let answer = ask(&server, "", &provider.forge(&what));
        assert_eq!(answer.status, 401, "{forged}: {answer:?}");
    }
    // One look for the unknown kid at the most.
    assert!(provider.count("/jwks") <= fetched + 1);
}

#[test]
fn t51_t53_issuers_side_by_side_share_neither_keys_nor_users() {
    let (here, there) = (Oidc::start(), Oidc::start());
    let folder = Folder::new();
    let server = trusting(&folder, &[entry(&here, ""), entry(&there, "")]);
    let (ours, theirs) = (
        ask(&server, "", &here.token("alice")),
        ask(&server, "", &there.token("alice")),
    );
    assert_eq!(identity(&ours)[0], subject("alice", &here));
    assert_eq!(identity(&theirs)[0], subject("alice", &there));
    let crossed = there.forge(&json!({ "user": "alice", "claims": { "iss": here.issuer } }));
    refused(&ask(&server, "", &crossed), 401, "invalid_token");
    // Nor do they become ourselves, nor we one of them.
    let own = format!("http://{}", server.address);
    let claimed =
        here.forge(&json!({ "user": "alice", "claims": { "iss": own, "aud": "apache-airflow" } }));
    refused(&ask(&server, "", &claimed), 401, "invalid_token");
    let answer = server.login("trust:alice", "door");
    assert_eq!(
        answer.status, 500,
        "a name that looks like one of theirs: {answer:?}"
    );
}

#[test]
fn keys_that_cannot_be_had_are_an_outage_and_those_that_were_go_on_serving() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = trusting(&folder, &[entry(&provider, "")]);
    let token = provider.token("alice");
    provider.fault(&json!({ "path": "/jwks", "status": 503, "headers": { "retry-after": "7" } }));
    let answer = ask(&server, "", &token);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("7"));
    assert_eq!(answer.header("www-authenticate"), None);
    provider.reset();
    // A reload forgets neither that it failed, nor, later, what was fetched.
    let folder = Folder::new();
    let server = trusting(&folder, &[entry(&provider, "")]);
    assert_eq!(ask(&server, "", &token).status, 200);
    provider.stop();
    let config = std::fs::read_to_string(folder.join("config.yaml")).unwrap();
    folder.write(
        "config.yaml",
        config.replace("sea: {}", "sea: {}, pond: {}"),
    );
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(ask(&server, "", &token).status, 200);
    assert_eq!(ask(&server, "", &server.token("ada", "door")).status, 200);
    // Without the entry nobody of them passes.
    let config = config.split("trust:").next().unwrap().to_owned();
    folder.write("config.yaml", config);
    assert_eq!(run(&folder, &["reload"], &[]).code, 0);
    refused(&ask(&server, "", &token), 401, "invalid_token");
}

#[test]
fn k15_flood_of_unknown_kids_asks_the_issuer_once() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = trusting(&folder, &[entry(&provider, "")]);
    assert_eq!(ask(&server, "", &provider.token("alice")).status, 200);
    for kid in 0..60 {
        let what = json!({ "user": "alice", "header": { "kid": format!("k{kid}") } });
        let token = provider.forge(&what);
        let answer = ask(&server, "", &token);
        assert!([401, 503].contains(&answer.status), "{answer:?}");
    }
    assert!(provider.count("/jwks") <= 2, "{}", provider.count("/jwks"));
    assert_eq!(ask(&server, "", &provider.token("bob")).status, 200);
}

#[test]
fn private_authority_is_believed_only_where_it_is_named() {
    let provider = Oidc::secure();
    let folder = Folder::new();
    let token = provider.token("alice");
    let server = trusting(&folder, &[entry(&provider, "")]);
    assert_eq!(ask(&server, "", &token).status, 503);
    drop(server);
    let folder = Folder::new();
    let ca = format!(", tls: {{ ca: \"{}\" }}", provider.ca().display());
    let server = trusting(&folder, &[entry(&provider, &ca)]);
    let answer = ask(&server, "", &token);
    assert_eq!(answer.status, 200, "{answer:?}\n{}", server.log());
    let issuer = provider.issuer.strip_prefix("https://").unwrap();
    assert_eq!(identity(&answer)[0], format!("trust:alice@{issuer}"));
}

#[test]
fn public_key_urls_of_openmetadata_are_trusted_from_every_place() {
    let provider = Oidc::start();
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    // The first URL has other keys: OpenMetadata takes the first one that has the kid.
    let other = Oidc::start();
    other.rotate("replace");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\nauthenticationConfiguration:\n  provider: openmetadata\n  publicKeyUrls: [\"{}/jwks\", \"{}/jwks\", \"http://127.0.0.1:8090/api/v1/system/config/jwks\"]\n  jwtPrincipalClaims: [email, preferred_username, sub]\n  authority: \"{}\"\n  clientId: \"{}\"\n",
        other.issuer,
        provider.issuer,
        provider.issuer,
        Oidc::AUDIENCE
    );
    let server = Server::start(&folder, &config);
    let answer = ask(&server, "", &provider.token("alice"));
    assert_eq!(answer.status, 200, "{answer:?}\n{}", server.log());
    assert_eq!(identity(&answer)[1], identity(&answer)[2]);
    let crossed = json!({ "user": "alice", "claims": { "aud": "other" } });
    refused(
        &ask(&server, "", &provider.forge(&crossed)),
        401,
        "invalid_token",
    );
}
