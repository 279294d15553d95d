//! Where a bound token is taken, and where it is not.

use super::*;

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
