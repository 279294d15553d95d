//! What a proof at the token endpoint must be.

use super::*;

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
