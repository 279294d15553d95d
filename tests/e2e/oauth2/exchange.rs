//! Token exchange (RFC 8693): what is asked for, and what comes out.

use countersign_tests::{Answer, Folder, Server, artifacts, token};
use serde_json::{Value, json};

use super::{EXCHANGE, TYPE, audit, exchange, form, post, server};
use crate::{TEMPLATE, run};

fn jwt(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn s01_token_is_answered_as_rfc_8693_says_and_cached_by_nobody() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let answer = exchange(&server, "ada", &[("client_id", "reports")]);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let jwt = jwt(&answer);
    assert_eq!(
        answer.json(),
        json!({
            "access_token": jwt,
            "token_type": "Bearer",
            "expires_in": 86_400,
            "issued_token_type": format!("{TYPE}access_token"),
        })
    );
    let claims = token::claims(&jwt);
    assert_eq!(claims["sub"], "ada");
    assert_eq!(claims["aud"], "apache-airflow");
    assert_eq!(claims["client_id"], Value::Null, "not in a plain JWT");
    assert_eq!(token::header(&jwt)["typ"], "JWT");
    assert_eq!(run(&folder, &["token", "verify", &jwt], &[]).code, 0);
}

#[test]
fn backend_sees_what_is_asked_as_json_and_the_token_as_bearer_alone() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let kind = format!("{TYPE}id_token");
    let more = [
        ("subject_token_type", kind.as_str()),
        ("audience", "apache-airflow"),
        ("client_id", "reports"),
        ("unknown", "is-ignored"),
        ("scope", ""),
    ];
    let claims = token::claims(&jwt(&exchange(&server, "ada.lovelace", &more)));
    assert_eq!(claims["sub"], "ada.lovelace");
    assert_eq!(claims["type"], "application/json");
    let asked: Value = serde_json::from_str(claims["asked"].as_str().unwrap()).unwrap();
    assert_eq!(
        asked,
        json!({
            "grant_type": EXCHANGE,
            "subject_token_type": kind,
            "audience": "apache-airflow",
            "client_id": "reports",
        })
    );
}

#[test]
fn m06_audience_is_chosen_by_name_or_aud_and_signed_for_with_its_algorithm() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let lake = "https://lake.example/api";
    for (asked, aud, algorithm, seconds) in [
        (&[][..], "apache-airflow", "RS256", 86_400),
        (
            &[("audience", "apache-airflow")],
            "apache-airflow",
            "RS256",
            86_400,
        ),
        (&[("audience", "sea")], "sea", "RS256", 86_400),
        (&[("audience", "lake")], lake, "ES256", 600),
        (&[("audience", lake)], lake, "ES256", 600),
        (&[("resource", lake)], lake, "ES256", 600),
        (
            &[("resource", lake), ("audience", "lake")],
            lake,
            "ES256",
            600,
        ),
        (
            &[("resource", lake), ("resource", lake)],
            lake,
            "ES256",
            600,
        ),
    ] {
        let answer = exchange(&server, "ada", asked);
        let jwt = jwt(&answer);
        assert_eq!(token::claims(&jwt)["aud"], aud, "{asked:?}");
        assert_eq!(token::header(&jwt)["alg"], algorithm, "{asked:?}");
        assert_eq!(answer.json()["expires_in"], seconds, "{asked:?}");
    }
}

#[test]
fn access_token_has_the_header_and_the_claims_of_rfc_9068() {
    let folder = Folder::new();
    let server = server(&folder, "");
    // Nobody checked the client's name: who reads the token must not take it for checked.
    for client in [
        &[][..],
        &[("client_id", "reports")],
        &[("client_id", "countersign-cli")],
    ] {
        let asked = [&[("audience", "lake")], client].concat();
        let jwt = jwt(&exchange(&server, "ada", &asked));
        assert_eq!(token::header(&jwt)["typ"], "at+jwt");
        let claims = token::claims(&jwt);
        assert_eq!(claims["client_id"], "countersign");
        let names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
        let mut names: Vec<_> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["aud", "client_id", "exp", "iat", "iss", "jti", "nbf", "sub"]
        );
        let verify = [
            "token",
            "verify",
            "--audience",
            "https://lake.example/api",
            &jwt,
        ];
        let done = run(&folder, &verify, &[]);
        assert_eq!(done.code, 0, "{done:?}");
    }
}

#[test]
fn default_audience_may_ask_for_access_tokens_too() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(&folder, &format!("{TEMPLATE}tokens: {{ typ: at+jwt }}\n"));
    let jwt = server.token("ada", "door");
    assert_eq!(token::header(&jwt)["typ"], "at+jwt");
    assert_eq!(token::claims(&jwt)["client_id"], "countersign");
}

#[test]
fn m04_lifetime_that_is_asked_for_is_cut_or_refused() {
    let folder = Folder::new();
    let server = server(&folder, "");
    for (asked, seconds) in [
        ("1", 1),
        ("3600", 3_600),
        ("3601", 3_600),
        ("4294967295", 3_600),
    ] {
        let answer = exchange(
            &server,
            "ada",
            &[("audience", "lake"), ("expires_in", asked)],
        );
        let claims = token::claims(&jwt(&answer));
        let lives = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(
            (lives, &answer.json()["expires_in"]),
            (seconds, &json!(seconds))
        );
    }
    for nonsense in [
        "0",
        "-1",
        "1.5",
        "1e3",
        "4294967296",
        "99999999999999999999",
        "soon",
        " 1",
    ] {
        let answer = exchange(&server, "ada", &[("expires_in", nonsense)]);
        assert_eq!(
            (answer.status, &answer.json()["error"]),
            (400, &json!("invalid_request")),
            "{nonsense}"
        );
    }
}

#[test]
fn match_body_tells_an_exchange_from_a_bearer_at_the_token_api() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("bearers"), "bearers");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  sso: { plugin: bearers, config: {}, match: { body: subject_token_type } }\n";
    let server = Server::start(&folder, config);
    assert_eq!(exchange(&server, "ada", &[]).status, 200);
    let bearer = [("authorization", "Bearer ada")];
    let answer = countersign_tests::send(server.address, "POST", "/auth/token", &bearer, b"");
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn requested_token_type_may_be_jwt() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let kind = format!("{TYPE}jwt");
    let answer = exchange(&server, "ada", &[("requested_token_type", &kind)]);
    assert_eq!(answer.json()["issued_token_type"], kind);
    let body = form(&[
        ("grant_type", EXCHANGE),
        ("subject_token", "ada"),
        ("subject_token_type", &kind),
    ]);
    assert_eq!(post(&server, &[], &body).status, 200);
}

#[test]
fn h09_exchange_is_audited_with_client_and_audience() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let more = [("audience", "lake"), ("client_id", "reports")];
    let claims = token::claims(&jwt(&exchange(&server, "ada", &more)));
    jwt(&exchange(&server, "eve", &[]));
    let (_, log) = server.stop();
    let lines = audit(&log);
    assert_eq!(lines.len(), 2, "{log}");
    for (key, value) in [
        ("path", "/oauth2/token"),
        ("outcome", "authenticated"),
        ("backend", "sso"),
        ("user", "ada"),
        ("jti", claims["jti"].as_str().unwrap()),
        ("client", "reports"),
        ("audience", "lake"),
    ] {
        assert_eq!(lines[0][key], value, "{key}");
    }
    assert_eq!(
        (&lines[1]["client"], &lines[1]["audience"]),
        (&Value::Null, &Value::Null)
    );
}
