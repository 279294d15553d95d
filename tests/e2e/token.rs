//! `countersign token decode|verify`.

use countersign_tests::{Done, Folder, Server, artifacts, countersign, get, token};
use serde_json::Value;

use crate::{TEMPLATE, run};

/// A server whose issuer does not depend on its port, and a token of it.
fn minted(folder: &Folder, more: &str) -> (Server, String) {
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = format!("{TEMPLATE}tokens: {{ issuer: \"https://id.example\" }}\n{more}\n");
    let server = Server::start(folder, &config);
    let jwt = server.token("ada", "door");
    (server, jwt)
}

/// Refused by this rule, without a word of the token.
fn refused(done: &Done, rule: &str, jwt: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    let expected = format!("error: refused by rule {rule}: ");
    assert!(done.stderr.contains(&expected), "{done:?}");
    assert!(done.stderr.contains("help: "), "{done:?}");
    for part in jwt.split('.').filter(|part| !part.is_empty()) {
        assert!(!done.stderr.contains(part), "{done:?}");
    }
}

/// What a good token is told of, in this order.
const RULES: [&str; 13] = [
    "form",
    "header",
    "key",
    "signature",
    "claims",
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "sub",
    "cnf",
    "revoked",
];

#[test]
fn verify_with_our_own_keys_prints_the_claims() {
    for algorithm in ["RS256", "PS256", "ES384", "EdDSA"] {
        let folder = Folder::new();
        let (server, jwt) = minted(&folder, &format!("keys: {{ algorithm: {algorithm} }}"));
        let done = run(&folder, &["token", "verify", &jwt], &[]);
        assert_eq!(done.code, 0, "{done:?}");
        let told: Vec<_> = done
            .stderr
            .lines()
            .filter_map(|it| it.split_once(' '))
            .collect();
        let (rules, verdicts): (Vec<_>, Vec<_>) = told.into_iter().unzip();
        assert_eq!(rules, RULES, "{done:?}");
        assert!(verdicts.iter().all(|it| it.trim() == "holds"), "{done:?}");
        let claims: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(claims, token::claims(&jwt));
        // Neither the server's life nor its lock matters.
        server.stop();
        assert_eq!(run(&folder, &["token", "verify", &jwt], &[]).code, 0);
    }
}

#[test]
fn verify_says_the_rule_that_is_broken() {
    let folder = Folder::new();
    let (_server, jwt) = minted(&folder, "");
    let verify = |more: &[&str], jwt: &str| {
        let arguments = [&["token", "verify"], more, &[jwt]].concat();
        run(&folder, &arguments, &[])
    };
    refused(
        &verify(&["--issuer", "https://id.example/"], &jwt),
        "iss",
        &jwt,
    );
    refused(&verify(&["--audience", "other"], &jwt), "aud", &jwt);
    refused(&verify(&["--algorithms", "ES256,EdDSA"], &jwt), "alg", &jwt);
    let others = "\ntokens: { issuer: \"https://id.example\", audience: elsewhere, audiences: { shop: { aud: apache-airflow } } }\n";
    folder.write("config.yaml", format!("{TEMPLATE}{others}"));
    let done = verify(&[], &jwt);
    refused(&done, "aud", &jwt);
    assert!(
        done.stderr.contains(r#"only if named: ["shop"]"#),
        "{done:?}"
    );
    assert_eq!(verify(&["--audience", "apache-airflow"], &jwt).code, 0);
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", &signature[1..]);
    refused(&verify(&[], &forged), "signature", &forged);
    refused(&verify(&[], "a.b"), "segments", "");
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.";
    refused(&verify(&[], none), "alg", none);
    let several = verify(
        &[
            "--audience",
            "other",
            "--audience",
            "apache-airflow",
            "--leeway",
            "1m",
        ],
        &jwt,
    );
    assert_eq!(several.code, 0, "{several:?}");
}

#[test]
fn verify_with_the_keys_of_a_file_or_a_url_needs_no_configuration() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let (server, jwt) = minted(&folder, "");
    let url = format!("http://{}/.well-known/jwks.json", server.address);
    elsewhere.write(
        "jwks.json",
        get(server.address, "/.well-known/jwks.json").body,
    );
    let verify = |jwks: &str, environment: &[(&str, &str)]| {
        let given = [
            "--issuer",
            "https://id.example",
            "--audience",
            "apache-airflow",
            "--algorithms",
            "RS256",
        ];
        let arguments = [
            &["token", "verify", "--jwks", jwks],
            &given[..],
            &[jwt.as_str()],
        ]
        .concat();
        countersign(elsewhere.path(), &arguments, environment, "")
    };
    for jwks in ["jwks.json", &url] {
        let done = verify(jwks, &[]);
        assert_eq!(done.code, 0, "{done:?}");
        let claims: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(claims["sub"], "ada");
    }
    let other = Folder::new();
    let (stranger, _) = minted(&other, "");
    elsewhere.write(
        "jwks.json",
        get(stranger.address, "/.well-known/jwks.json").body,
    );
    refused(&verify("jwks.json", &[]), "kid", &jwt);
    assert_eq!(stranger.stop().0, 0);

    for (jwks, content, expected) in [
        ("missing.json", None, "missing.json: "),
        (
            "page.json",
            Some("<html>"),
            "page.json: the key set is not JSON",
        ),
        (
            "weak.json",
            Some(r#"{"keys":[{"kty":"RSA","n":"sXch","e":"Aw"}]}"#),
            "24 bits",
        ),
        ("http://login.example/jwks", None, "http://"),
        ("http://127.0.0.1:1/jwks", None, "cannot be fetched"),
    ] {
        if let Some(content) = content {
            elsewhere.write(jwks, content);
        }
        let done = verify(jwks, &[]);
        assert_eq!(done.code, 74, "{done:?}");
        assert!(done.stderr.contains(expected), "{done:?}");
    }
}

#[test]
fn verify_refuses_flags_that_say_nothing() {
    let folder = Folder::new();
    folder.write("config.yaml", "");
    for arguments in [
        &["token", "verify", "--algorithms", "HS256", "a.b.c"][..],
        &["token", "verify", "--algorithms", "", "a.b.c"],
        &["token", "verify", "--leeway", "soon", "a.b.c"],
        &["token", "verify", "--audience", "", "a.b.c"],
        &["token", "verify"],
        &["token"],
    ] {
        let done = run(&folder, arguments, &[]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (64, ""),
            "{arguments:?} {done:?}"
        );
    }
}

#[test]
fn decode_prints_header_and_claims_and_says_that_nothing_was_verified() {
    let folder = Folder::new();
    // Signed by nobody.
    let jwt = "eyJhbGciOiJub25lIiwia2lkIjoieCJ9.eyJzdWIiOiJhZGEiLCJleHAiOjF9.";
    for (argument, input) in [
        (jwt, String::new()),
        ("-", format!("{jwt}\n")),
        ("-", format!("{jwt}\r\n")),
    ] {
        let done = countersign(folder.path(), &["token", "decode", argument], &[], &input);
        assert_eq!(done.code, 0, "{done:?}");
        let printed: Value = serde_json::from_str(&done.stdout).unwrap();
        assert_eq!(printed["header"], token::header(jwt));
        assert_eq!(printed["claims"], token::claims(jwt));
        assert!(done.stderr.contains("NOTHING WAS VERIFIED"), "{done:?}");
    }
    for (input, rule) in [
        ("", "segments"),
        ("a.b.c\n\n", "base64url"),
        ("e30.e30.", "alg"),
    ] {
        let done = countersign(folder.path(), &["token", "decode", "-"], &[], input);
        refused(&done, rule, "");
    }
    let huge = "a".repeat(200_000);
    refused(
        &countersign(folder.path(), &["token", "decode", "-"], &[], &huge),
        "size",
        "",
    );
}

#[test]
fn verify_reads_the_token_from_standard_input() {
    let folder = Folder::new();
    let (server, jwt) = minted(&folder, "");
    let environment = [
        ("COUNTERSIGN_STATE", server.state.to_str().unwrap()),
        ("COUNTERSIGN_CONFIG", "config.yaml"),
    ];
    let done = countersign(
        folder.path(),
        &["token", "verify", "-"],
        &environment,
        &format!("{jwt}\n"),
    );
    assert_eq!(done.code, 0, "{done:?}");
}
