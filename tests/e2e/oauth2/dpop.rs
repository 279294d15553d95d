//! Tokens that are bound to a key of their client (DPoP, RFC 9449): who gets them, and where they
//! are taken.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_tests::postgres::Postgres;
use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts, send};
use serde_json::{Value, json};

use super::bots::{Beside, Key, ask, ask_with, basic, error, now, said};
use super::{EXCHANGE, TYPE, audit, device, hosts, server};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::template;

const TOKEN: &str = "/oauth2/token";
const ME: &str = "/api/v1/users/loggedInUser";
const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
const CLIENT: (&str, &str) = ("client_id", "countersign-cli");

/// Names for proofs, each once.
static NAMES: AtomicU64 = AtomicU64::new(0);

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

fn header(key: &Key) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() })
}

/// What a proof says of a request.
fn about(method: &str, url: &str) -> Value {
    let name = NAMES.fetch_add(1, Ordering::Relaxed).to_string();
    json!({ "jti": name, "htm": method, "htu": url, "iat": now() })
}

/// The same with one member changed; null takes it away.
fn but(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.into(), value)),
    }
    object
}

/// A good proof for the token endpoint.
fn proof(server: &Server, key: &Key) -> String {
    key.signed(&header(key), &about("POST", &url(server, TOKEN)))
}

/// The digest of a token.
fn ath(token: &str) -> Value {
    json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())))
}

/// A good proof for who shows a token.
fn proof_with(key: &Key, method: &str, url: &str, token: &str) -> String {
    let about = but(about(method, url), "ath", ath(token));
    key.signed(&header(key), &about)
}

/// Asks for a token with these proofs.
fn prove(server: &Server, who: &str, proofs: &[&str], form: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = proofs.iter().map(|proof| ("DPoP", *proof)).collect();
    ask_with(server, TOKEN, who, &headers, form)
}

fn access(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Is it a token that says that it is bound to this key?
fn bound(answer: &Answer, key: &Key) -> String {
    let token = access(answer);
    assert_eq!(answer.json()["token_type"], "DPoP");
    let expected = json!({ "jkt": key.thumbprint() });
    assert_eq!(claims(&token)["cnf"], expected);
    token
}

fn refused(answer: &Answer, expected: &str) {
    assert_eq!(error(answer), (400, expected.to_owned()), "{answer:?}");
    assert_eq!(answer.json()["access_token"], json!(null));
}

/// Shows a token to our own API.
fn me(server: &Server, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    send(server.address, "GET", ME, &headers, b"")
}

/// The challenges of an answer.
fn challenges(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.iter();
    let lines = lines.filter(|(name, _)| name == "www-authenticate");
    lines.map(|(_, value)| value.as_str()).collect()
}

#[test]
fn s12_client_that_proves_its_key_gets_a_token_for_that_key_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let given = prove(&server, &who, &[&proof(&server, &key)], &[CREDENTIALS]);
    let token = bound(&given, &key);
    assert_eq!(given.header("dpop-nonce"), None);
    // Who is shown it is told so.
    let told = ask(&server, "/oauth2/introspect", &who, &[("token", &token)]);
    let told = told.json();
    assert_eq!(
        (&told["active"], &told["token_type"], &told["cnf"]["jkt"]),
        (&json!(true), &json!("DPoP"), &json!(key.thumbprint())),
        "{told}"
    );
    // Without a proof it is a bearer token, as ever.
    let plain = ask(&server, TOKEN, &who, &[CREDENTIALS]);
    assert_eq!(plain.json()["token_type"], "Bearer");
    let plain = access(&plain);
    assert_eq!(claims(&plain)["cnf"], json!(null));
    let told = ask(&server, "/oauth2/introspect", &who, &[("token", &plain)]);
    assert_eq!(told.json()["token_type"], "Bearer");
    // It can be revoked by who cannot show it.
    ask(&server, "/oauth2/revoke", &who, &[("token", &token)]);
    let told = ask(&server, "/oauth2/introspect", &who, &[("token", &token)]);
    assert_eq!(told.json(), json!({ "active": false }));
}

#[test]
fn s12_proof_that_breaks_any_rule_gives_no_token_and_is_told_to_the_audit_log() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let at = |name: &str, value: Value| {
        let about = about("POST", &url(&server, TOKEN));
        key.signed(&header(&key), &but(about, name, value))
    };
    let by = |name: &str, value: Value| {
        let about = about("POST", &url(&server, TOKEN));
        key.signed(&but(header(&key), name, value), &about)
    };
    let private = but(key.jwk(), "d", json!("AQ"));
    let unsigned = by("alg", json!("none"));
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let wrong = [
        at("htm", json!("GET")),
        at("htu", json!("http://evil.example/oauth2/token")),
        at("htu", json!(url(&server, "/oauth2/revoke"))),
        at("iat", json!(now() - 70)),
        at("iat", json!(now() + 30)),
        at("iat", Value::Null),
        at("jti", Value::Null),
        at("jti", json!("a".repeat(300))),
        by("typ", json!("JWT")),
        by("alg", json!("HS256")),
        by("alg", json!("RS256")),
        by("jwk", private),
        by("jwk", json!({ "kty": "oct", "k": "AAAA" })),
        by("jwk", Key::new().jwk()),
        by("jwk", Value::Null),
        unsigned,
        "x".into(),
        String::new(),
    ];
    for wrong in &wrong {
        let answer = prove(&server, &who, &[wrong], &[CREDENTIALS]);
        refused(&answer, "invalid_dpop_proof");
    }
    let two = [proof(&server, &key), proof(&server, &key)];
    let answer = prove(&server, &who, &[&two[0], &two[1]], &[CREDENTIALS]);
    refused(&answer, "invalid_dpop_proof");
    // Neither of those was used, and each is good once.
    bound(&prove(&server, &who, &[&two[0]], &[CREDENTIALS]), &key);
    let again = prove(&server, &who, &[&two[0]], &[CREDENTIALS]);
    refused(&again, "invalid_dpop_proof");
    // Its second spelling is the same proof.
    let same = url(&server, TOKEN).replace("http:", "HTTP:") + "?a=b";
    let other = key.signed(&header(&key), &about("POST", &same));
    bound(&prove(&server, &who, &[&other], &[CREDENTIALS]), &key);
    let (_, log) = server.stop();
    let told = audit(&log);
    let told = told.iter().filter(|line| {
        let reason = line["reason"].as_str().unwrap_or_default();
        reason.starts_with("invalid_dpop_proof: ")
    });
    assert_eq!(told.count(), wrong.len() + 2, "{log}");
}

#[test]
fn s12_host_that_the_client_names_says_nothing_of_where_it_is() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "server: { public_url: \"https://proxy.example/cs\" }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let at = |url: &str| key.signed(&header(&key), &about("POST", url));
    let inner = at(&url(&server, TOKEN));
    refused(
        &prove(&server, &who, &[&inner], &[CREDENTIALS]),
        "invalid_dpop_proof",
    );
    let outer = at("https://proxy.example/cs/oauth2/token");
    bound(&prove(&server, &who, &[&outer], &[CREDENTIALS]), &key);
}

#[test]
fn s12_bound_token_is_taken_with_its_proof_and_by_nobody_without() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let given = prove(&server, &who, &[&proof(&server, &key)], &[CREDENTIALS]);
    let token = bound(&given, &key);
    let plain = access(&ask(&server, TOKEN, &who, &[CREDENTIALS]));
    let here = url(&server, ME);
    let good = || proof_with(&key, "GET", &here, &token);

    let first = good();
    let answer = me(&server, "DPoP", &token, &[&first]);
    assert_eq!(
        (answer.status, &answer.json()["name"]),
        (200, &json!("reports")),
        "{answer:?}"
    );
    let thief = Key::new();
    let of = |key: &Key, token: &str| proof_with(key, "GET", &here, token);
    for (token, proofs) in [
        (&token, vec![first]),
        (&token, vec![]),
        (&token, vec![good(), good()]),
        (&token, vec![proof_with(&key, "POST", &here, &token)]),
        (
            &token,
            vec![proof_with(
                &key,
                "GET",
                &url(&server, "/api/v1/users"),
                &token,
            )],
        ),
        (&token, vec![of(&key, &plain)]),
        (
            &token,
            vec![key.signed(&header(&key), &about("GET", &here))],
        ),
        (&token, vec![of(&thief, &token)]),
        (&plain, vec![of(&key, &plain)]),
        (&secret, vec![of(&key, &secret)]),
    ] {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let answer = me(&server, "DPoP", token, &proofs);
        assert_eq!(answer.status, 401, "{answer:?}");
        let challenges = challenges(&answer);
        let asks = |text: &&str| text.starts_with("DPoP ") && text.contains("algs=\"RS256");
        assert!(challenges.iter().any(asks), "{answer:?}");
    }
    let wrong = me(&server, "DPoP", &token, &[]);
    let said = challenges(&wrong)[0];
    assert!(
        said.starts_with("DPoP error=\"invalid_dpop_proof\""),
        "{said}"
    );

    // As a bearer token it is nobody's, with a proof or without.
    assert_eq!(me(&server, "Bearer", &plain, &[]).status, 200);
    for proofs in [vec![], vec![good()]] {
        let proofs: Vec<&str> = proofs.iter().map(String::as_str).collect();
        let answer = me(&server, "Bearer", &token, &proofs);
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.body.contains("cnf"), "{answer:?}");
    }
    let bearer = format!("Bearer {token}");
    let proved = format!("DPoP {token}");
    let passes = |authorization: &str| {
        let original = proof_with(&key, "GET", &url(&server, "/auth/verify"), &token);
        let headers = [
            ("authorization", authorization),
            ("dpop", original.as_str()),
        ];
        send(server.address, "GET", "/auth/verify", &headers, b"")
    };
    for authorization in [&bearer, &proved] {
        let answer = passes(authorization);
        assert_eq!(answer.status, 401, "{answer:?}");
        let invalid = "Bearer realm=\"countersign\", error=\"invalid_token\"";
        assert_eq!(challenges(&answer), [invalid]);
    }
    let plain = format!("Bearer {plain}");
    assert_eq!(passes(&plain).status, 200);
    let metrics = countersign_tests::get(server.admin, "/metrics").body;
    for label in ["\"cnf\"", "\"dpop\""] {
        assert!(metrics.contains(label), "{label}: {metrics}");
    }
    let (_, log) = server.stop();
    assert!(log.contains("binds the token to a key"), "{log}");
    assert!(log.contains("decides nothing here"), "{log}");
    assert!(!log.contains(&token), "{log}");
}

#[test]
fn s12_bound_token_of_a_trusted_issuer_is_no_bearer_token_either() {
    let theirs = Folder::new();
    let trusted = template(&theirs);
    let (_, secret) = Beside::of(&trusted).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let given = prove(&trusted, &who, &[&proof(&trusted, &key)], &[CREDENTIALS]);
    let token = bound(&given, &key);
    let plain = access(&ask(&trusted, TOKEN, &who, &[CREDENTIALS]));
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let trust = format!(
        "trust: [{{ issuer: \"{0}\", jwks_url: \"{0}/.well-known/jwks.json\", audiences: [apache-airflow] }}]\n",
        url(&trusted, "")
    );
    let server = Server::start(&folder, &format!("{}{trust}", crate::TEMPLATE));
    let passes = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        send(server.address, "GET", "/auth/verify", &headers, b"").status
    };
    assert_eq!((passes(&plain), passes(&token)), (200, 401));
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let asks = |token: &str| ask(&server, TOKEN, "", &[grant, ("assertion", token)]);
    refused(&asks(&token), "invalid_grant");
    assert_eq!(asks(&plain).status, 200);
}

#[test]
fn s12_command_tells_that_a_token_is_bound() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let given = prove(&server, &who, &[&proof(&server, &key)], &[CREDENTIALS]);
    let token = bound(&given, &key);
    let listen = server.address.to_string();
    let environment = [("COUNTERSIGN_SERVER__LISTEN", listen.as_str())];
    let done = crate::run(&folder, &["token", "verify", &token], &environment);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    assert!(done.stderr.contains("refused by rule cnf"), "{done:?}");
    assert!(done.stderr.contains("cnf        BROKEN: "), "{done:?}");
}

fn refresh(server: &Server, tokens: &Answer, key: Option<&Key>) -> Answer {
    let token = tokens.json();
    let token = token["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        CLIENT,
        ("refresh_token", token),
    ];
    let proof = key.map(|key| proof(server, key));
    let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
    prove(server, "", &proofs, &form)
}

#[test]
fn s12_refresh_tokens_of_a_client_that_proved_its_key_are_good_with_that_key_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let key = Key::new();
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let first = flow.code(&mut browser);
    let redeem = |code: &str, proof: &str| {
        Flow::new(&server).redeem_with(&[("DPoP", proof)], &[("code", code)])
    };
    let used = proof(&server, &key);
    let first = redeem(&first, &used);
    bound(&first, &key);
    // Whoever has stolen it has it in vain, and takes nothing from whom it belongs to.
    refused(&refresh(&server, &first, None), "invalid_grant");
    refused(
        &refresh(&server, &first, Some(&Key::new())),
        "invalid_grant",
    );
    let next = refresh(&server, &first, Some(&key));
    bound(&next, &key);
    refused(&refresh(&server, &next, None), "invalid_grant");
    bound(&refresh(&server, &next, Some(&key)), &key);

    // A proof that was used before gives nothing, whatever stands beside it.
    let code = flow.code(&mut browser);
    refused(&redeem(&code, &used), "invalid_dpop_proof");

    // Once a client proves its key, its refresh tokens are bound, too.
    let code = flow.code(&mut browser);
    let free = flow.redeem(&[("code", &code)]);
    assert_eq!(free.json()["token_type"], "Bearer");
    let late = refresh(&server, &free, Some(&key));
    bound(&late, &key);
    refused(&refresh(&server, &late, None), "invalid_grant");
    bound(&refresh(&server, &late, Some(&key)), &key);
    let (_, log) = server.stop();
    assert!(log.contains("bound to another key"), "{log}");
}

#[test]
fn s12_code_that_was_asked_for_with_a_key_is_good_with_that_key_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let key = Key::new();
    let mut browser = Browser::default();
    let mut flow = Flow::bound(&server, key.thumbprint());
    for other in [None, Some(Key::new())] {
        let code = flow.code(&mut browser);
        let proof = other.as_ref().map(|key| proof(&server, key));
        let headers: Vec<_> = proof.iter().map(|proof| ("DPoP", proof.as_str())).collect();
        let answer = flow.redeem_with(&headers, &[("code", &code)]);
        refused(&answer, "invalid_grant");
    }
    let code = flow.code(&mut browser);
    let proof = proof(&server, &key);
    let answer = flow.redeem_with(&[("DPoP", &proof)], &[("code", &code)]);
    bound(&answer, &key);
}

#[test]
fn s12_every_other_grant_binds_its_token_to_the_key() {
    let folder = Folder::new();
    let server = template(&folder);
    let beside = Beside::of(&server);
    let (bot, secret) = beside.client("reports");
    let (own, key) = (beside.key(&bot), Key::new());
    let good = || proof(&server, &key);

    let issuer = format!("http://{}", server.address);
    let assertion = own.sign("JWT", &said("reports", &issuer, "1"));
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let form = [grant, ("assertion", assertion.as_str())];
    bound(&prove(&server, "", &[&good()], &form), &key);

    let kind = format!("{TYPE}access_token");
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token", secret.as_str()),
        ("subject_token_type", kind.as_str()),
    ];
    bound(&prove(&server, "", &[&good()], &form), &key);

    let waits = device::begin(&server);
    let mut browser = Browser::default();
    let page = waits["verification_uri_complete"].as_str().unwrap();
    let asked = device::arrive(&mut browser, page);
    browser.submit(&asked, &[("answer", "allow")]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", waits["device_code"].as_str().unwrap()),
        CLIENT,
    ];
    let tokens = prove(&server, "", &[&good()], &form);
    bound(&tokens, &key);
    refused(&refresh(&server, &tokens, None), "invalid_grant");
    bound(&refresh(&server, &tokens, Some(&key)), &key);
}

#[test]
fn s12_exchange_of_somebody_elses_token_binds_ours_and_takes_no_bound_one() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let key = Key::new();
    let kind = format!("{TYPE}access_token");
    let exchange = |subject: &str, proof: &str| {
        let form = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", kind.as_str()),
        ];
        prove(&server, "", &[proof], &form)
    };
    let good = proof(&server, &key);
    let token = bound(&exchange("ada", &good), &key);
    refused(&exchange("ada", &good), "invalid_dpop_proof");
    // Not even with a proof of its own key: that is about this request, and not of the token.
    let answer = exchange(&token, &proof(&server, &key));
    refused(&answer, "invalid_request");
    assert!(answer.body.contains("bound to a key"), "{answer:?}");
    let (_, log) = server.stop();
    assert!(log.contains("the proof was used before"), "{log}");
}

#[test]
fn s12_nonce_that_is_wanted_is_given_and_then_expected() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "tokens: { dpop: { nonce: true } }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let (_, secret) = Beside::of(&server).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let with = |nonce: Value| {
        let about = but(about("POST", &url(&server, TOKEN)), "nonce", nonce);
        let proof = key.signed(&header(&key), &about);
        prove(&server, &who, &[&proof], &[CREDENTIALS])
    };
    let first = with(Value::Null);
    refused(&first, "use_dpop_nonce");
    let nonce = first.header("dpop-nonce").unwrap();
    for wrong in ["x", &nonce[1..], "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = with(json!(wrong));
        refused(&answer, "use_dpop_nonce");
        assert!(answer.header("dpop-nonce").is_some(), "{answer:?}");
    }
    let answer = with(json!(nonce));
    let token = bound(&answer, &key);
    let next = answer.header("dpop-nonce").unwrap();

    let here = url(&server, ME);
    let lacks = me(
        &server,
        "DPoP",
        &token,
        &[&proof_with(&key, "GET", &here, &token)],
    );
    assert_eq!(lacks.status, 401, "{lacks:?}");
    assert!(
        challenges(&lacks)[0].contains("error=\"use_dpop_nonce\""),
        "{lacks:?}"
    );
    assert!(lacks.header("dpop-nonce").is_some(), "{lacks:?}");
    let about = but(about("GET", &here), "ath", ath(&token));
    let about = but(about, "nonce", json!(next));
    let proof = key.signed(&header(&key), &about);
    assert_eq!(me(&server, "DPoP", &token, &[&proof]).status, 200);
    // Who shows no proof needs no nonce.
    let plain = ask(&server, TOKEN, &who, &[CREDENTIALS]);
    assert_eq!((plain.status, plain.header("dpop-nonce")), (200, None));
}

#[test]
fn s12_t54_proof_is_good_once_at_all_hosts_and_a_nonce_of_one_at_the_others() {
    const URL: &str = "http://id.example";
    let database = Postgres::start();
    let folders = [Folder::new(), Folder::new()];
    let environment = [
        ("COUNTERSIGN_SERVER__PUBLIC_URL", URL),
        ("COUNTERSIGN_TOKENS__DPOP__NONCE", "true"),
    ];
    let both = hosts::two(&folders, &database, &environment);
    let (_, secret) = hosts::beside(&database).client("reports");
    let (who, key) = (basic("reports", &secret), Key::new());
    let with = |host: &Server, proof: &str| prove(host, &who, &[proof], &[CREDENTIALS]);
    let made = |nonce: &Value| {
        let about = but(
            about("POST", &format!("{URL}{TOKEN}")),
            "nonce",
            nonce.clone(),
        );
        key.signed(&header(&key), &about)
    };
    let first = with(&both[0], &made(&Value::Null));
    let nonce = json!(first.header("dpop-nonce").unwrap());
    bound(&with(&both[1], &made(&nonce)), &key);
    for _ in 0..5 {
        let proof = made(&nonce);
        let answers = hosts::both(&both, |host| with(host, &proof));
        assert_eq!(hosts::good(&answers), 1, "{answers:?}");
    }
}
