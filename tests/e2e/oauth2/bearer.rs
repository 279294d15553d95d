//! RFC 7523's grant: assertions of bots, and of issuers that are trusted.

use countersign_tests::token::claims;
use countersign_tests::{Folder, Server, artifacts};

use super::audit;
use super::bots::{Beside, Key, ask, error, said};
use crate::template;

const TOKEN: &str = "/oauth2/token";
const GRANT: (&str, &str) = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");

#[test]
fn t54_assertion_of_a_bot_gives_a_token_once() {
    let folder = Folder::new();
    let server = template(&folder);
    let beside = Beside::of(&server);
    let key = beside.key(&beside.bot("reports"));
    let issuer = format!("http://{}", server.address);
    let assertion = key.sign("JWT", &said("reports", &issuer, "1"));
    let answer = ask(&server, TOKEN, "", &[GRANT, ("assertion", &assertion)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(claims(&token)["sub"], "bot:reports");
    assert_eq!(answer.json()["refresh_token"], serde_json::json!(null));
    let again = ask(&server, TOKEN, "", &[GRANT, ("assertion", &assertion)]);
    assert_eq!(error(&again), (400, "invalid_grant".into()));
    let forged = Key::new().sign("JWT", &said("reports", &issuer, "2"));
    for bad in [forged.as_str(), "x", "a.b.c"] {
        let answer = ask(&server, TOKEN, "", &[GRANT, ("assertion", bad)]);
        assert_eq!(answer.body, again.body, "{bad}");
    }
    let missing = ask(&server, TOKEN, "", &[GRANT]);
    assert_eq!(error(&missing), (400, "invalid_request".into()));
    let (_, log) = server.stop();
    assert!(log.contains("the assertion was used before"), "{log}");
    assert_eq!(audit(&log)[0]["backend"], "bot");
}

#[test]
fn t54_token_of_a_trusted_issuer_gives_one_of_ours_once() {
    let theirs = Folder::new();
    let trusted = template(&theirs);
    let issuer = format!("http://{}", trusted.address);
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let trust = format!(
        "trust: [{{ issuer: \"{issuer}\", jwks_url: \"{issuer}/.well-known/jwks.json\", audiences: [apache-airflow] }}]\n"
    );
    let config = format!("{}{trust}", crate::TEMPLATE);
    let server = Server::start(&folder, &config);
    let assertion = trusted.token("ada", "door");
    let answer = ask(&server, TOKEN, "", &[GRANT, ("assertion", &assertion)]);
    assert_eq!(answer.status, 200, "{answer:?}\n{}", server.log());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let claims = claims(&token);
    let host = issuer.strip_prefix("http://").unwrap();
    assert!(
        claims["sub"].as_str().unwrap().starts_with("trust:ada@"),
        "{claims}"
    );
    assert!(claims["sub"].as_str().unwrap().contains(host), "{claims}");
    assert_eq!(claims["iss"], format!("http://{}", server.address));
    let again = ask(&server, TOKEN, "", &[GRANT, ("assertion", &assertion)]);
    assert_eq!(error(&again), (400, "invalid_grant".into()));
    // One that nobody trusts: this server's own.
    let own = server.token("ada", "door");
    let answer = ask(&server, TOKEN, "", &[GRANT, ("assertion", &own)]);
    assert_eq!(error(&answer), (400, "invalid_grant".into()));
    // Keys that cannot be had are no verdict.
    let short = trusted.token("ada", "door");
    let form = [GRANT, ("assertion", &short), ("expires_in", "60")];
    let answer = ask(&server, TOKEN, "", &form);
    assert_eq!(answer.json()["expires_in"], 60, "{answer:?}");
    let fresh = trusted.token("ada", "door");
    drop((trusted, server));
    let server = Server::start(&folder, &config);
    let answer = ask(&server, TOKEN, "", &[GRANT, ("assertion", &fresh)]);
    assert_eq!(error(&answer), (503, "temporarily_unavailable".into()));
}
