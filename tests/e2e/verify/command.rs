//! `countersign token verify`: each rule with its verdict, for whatever `/auth/verify` takes.

use countersign_tests::oidc::Oidc;
use countersign_tests::{Done, Folder, Server, artifacts, get};
use serde_json::json;

use super::{ask, refused, with_claims};
use crate::run;

fn verify(folder: &Folder, more: &[&str], jwt: &str) -> Done {
    run(folder, &[&["token", "verify"], more, &[jwt]].concat(), &[])
}

/// The verdict of a rule.
fn verdict<'a>(done: &'a Done, rule: &str) -> &'a str {
    let mut lines = done.stderr.lines();
    let said = lines.find_map(|line| line.strip_prefix(&format!("{rule:<10} ")));
    said.unwrap_or_else(|| panic!("{rule}: {done:?}"))
}

#[test]
fn every_broken_rule_is_told_not_only_the_first() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let jwt = server.token("ada", "door");
    let done = verify(
        &folder,
        &["--issuer", "https://x", "--audience", "lake"],
        &jwt,
    );
    assert_eq!(done.code, 1, "{done:?}");
    for rule in [
        "form",
        "header",
        "key",
        "signature",
        "claims",
        "exp",
        "nbf",
        "iat",
        "sub",
        "cnf",
    ] {
        assert_eq!(verdict(&done, rule), "holds", "{rule}");
    }
    for rule in ["iss", "aud"] {
        assert!(verdict(&done, rule).starts_with("BROKEN: "), "{done:?}");
    }
    assert_eq!(verdict(&done, "revoked"), "not looked at");
    let none = format!("eyJhbGciOiJub25lIn0.{}.", jwt.split('.').nth(1).unwrap());
    let done = verify(&folder, &[], &none);
    assert_eq!(verdict(&done, "signature"), "not looked at");
    assert!(
        done.stderr.contains("\nerror: refused by rule alg: "),
        "{done:?}"
    );
    // Without a server nobody knows what was revoked, and the command says so.
    server.stop();
    let done = verify(&folder, &[], &jwt);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(verdict(&done, "revoked").starts_with("not looked at: no server"));
}

#[test]
fn revoked_token_and_token_of_an_audience_of_its_own_are_known() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  door: { plugin: template, config: { password: door } }\nbots: { allow_unlimited: true }\ntokens: { issuer: \"https://id.example\", audiences: { lake: { keys: own } } }\n";
    let _server = Server::start(&folder, config);
    let bots = |arguments: &[&str]| {
        let done = run(&folder, &[&["bots"], arguments].concat(), &[]);
        assert_eq!(done.code, 0, "{done:?}");
        done.stdout.trim().to_owned()
    };
    bots(&["create", "ci"]);
    let forever = ["--expiry", "Unlimited", "--allow-unlimited"];
    let jwt = bots(&[&["token", "ci", "--audience", "lake"], &forever[..]].concat());
    let done = verify(&folder, &["--audience", "lake"], &jwt);
    assert_eq!(
        (done.code, verdict(&done, "revoked")),
        (0, "holds"),
        "{done:?}"
    );
    assert_eq!(verify(&folder, &[], &jwt).code, 1);
    bots(&["revoke", "ci"]);
    let done = verify(&folder, &["--audience", "lake"], &jwt);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    assert_eq!(verdict(&done, "revoked"), "BROKEN: the token was revoked");
    assert!(
        done.stderr.contains("error: refused by rule revoked: "),
        "{done:?}"
    );
}

#[test]
fn token_of_a_trusted_issuer_is_held_against_its_own_rules() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let (issuer, aud) = (&provider.issuer, Oidc::AUDIENCE);
    folder.write(
        "config.yaml",
        format!("trust:\n  - {{ issuer: \"{issuer}\", jwks_url: \"{issuer}/jwks\", audiences: [\"{aud}\"] }}\n"),
    );
    let done = verify(&folder, &[], &provider.token("alice"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(verdict(&done, "revoked"), "not looked at");
    let done = verify(&folder, &["--audience", "other"], &provider.token("alice"));
    assert!(
        done.code == 1 && verdict(&done, "aud").starts_with("BROKEN"),
        "{done:?}"
    );
    let stranger = provider.forge(&json!({ "user": "alice", "foreignKey": true }));
    let done = verify(&folder, &[], &stranger);
    assert!(
        done.code == 1 && verdict(&done, "signature").starts_with("BROKEN"),
        "{done:?}"
    );
    provider.stop();
    let done = verify(&folder, &[], &stranger);
    assert_eq!(done.code, 74, "{done:?}");
}

#[test]
fn key_of_somebody_else_that_is_published_here_verifies_nothing_of_ours() {
    let (theirs, folder) = (Folder::new(), Folder::new());
    let key = ["theirs.key", "theirs.pub"].map(|name| theirs.join(name).display().to_string());
    let [private, public] = &key;
    let arguments = [
        "keys",
        "generate",
        "--private-key",
        private,
        "--public-key",
        public,
    ];
    theirs.write("config.yaml", "");
    let made = run(&theirs, &arguments, &[]);
    assert_eq!(made.code, 0, "{made:?}");
    let keys = format!("keys: {{ private_key: \"{private}\", kid: theirs }}");
    let forger = with_claims(&theirs, &keys);
    let forged = forger.token("ada", "door");
    let keys = format!("keys: {{ extra_public: [{{ file: \"{public}\", kid: theirs }}] }}");
    let server = with_claims(&folder, &keys);
    let published = get(server.address, "/.well-known/jwks.json").body;
    assert!(published.contains(r#""theirs""#), "{published}");
    refused(&ask(&server, "", &forged), 401, "invalid_token");
    let done = verify(&folder, &[], &forged);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(verdict(&done, "key").starts_with("BROKEN"), "{done:?}");
}

#[test]
fn each_of_several_audiences_is_held_against_its_own_keys() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  door: { plugin: template, config: { password: door } }\ntokens: { issuer: \"https://id.example\", audiences: { lake: { keys: own } } }\n";
    let server = Server::start(&folder, config);
    let both = ["--audience", "lake", "--audience", "apache-airflow"];
    let done = verify(&folder, &both, &server.token("ada", "door"));
    assert_eq!(done.code, 0, "{done:?}");
}
