//! `client_credentials`: how bots show who they are, and what they get.

use countersign_tests::token::{claims, header};
use countersign_tests::{Answer, Folder, Server, artifacts};
use serde_json::json;

use super::bots::{Beside, Key, ask, basic, error, said};
use super::{audit, server};
use crate::template;

const TOKEN: &str = "/oauth2/token";
const GRANT: (&str, &str) = ("grant_type", "client_credentials");
const ASSERTION_TYPE: (&str, &str) = (
    "client_assertion_type",
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
);

fn access(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn bot_gets_a_token_for_its_opaque_token_in_header_or_form() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let header = basic("reports", &secret);
    for (authorization, form) in [
        (header.as_str(), vec![GRANT]),
        (&header, vec![GRANT, ("client_id", "reports")]),
        (
            "",
            vec![GRANT, ("client_id", "reports"), ("client_secret", &secret)],
        ),
    ] {
        let answer = ask(&server, TOKEN, authorization, &form);
        let said = claims(&access(&answer));
        assert_eq!(
            (&said["sub"], &said["aud"]),
            (&json!("bot:reports"), &json!("apache-airflow"))
        );
        let body = answer.json();
        assert_eq!(body["refresh_token"], json!(null), "RFC 6749 section 4.4.3");
        // No longer than the token that it was asked for with.
        let lives = body["expires_in"].as_u64().unwrap();
        assert!((3_500..=3_600).contains(&lives), "{body}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    let asked = [GRANT, ("expires_in", "60")];
    let answer = ask(&server, TOKEN, &header, &asked);
    assert_eq!(answer.json()["expires_in"], 60);
    let (_, log) = server.stop();
    let line = &audit(&log)[0];
    for (key, value) in [
        ("outcome", "authenticated"),
        ("backend", "bot"),
        ("user", "reports"),
        ("client", "reports"),
    ] {
        assert_eq!(line[key], value, "{line}");
    }
    assert!(!log.contains(&secret));
}

#[test]
fn s03_unknown_client_and_bad_secret_are_refused_alike_and_counted() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "server: { throttle: { user: 3, address: 100 } }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let beside = Beside::of(&server);
    let (bot, secret) = beside.client("reports");
    let (_, other) = beside.client("other");
    let ended = beside.secret(&bot, None, 0);
    let signed = server.token("ada", "door");
    let first = ask(&server, TOKEN, &basic("nobody", &secret), &[GRANT]);
    for (name, shown) in [
        ("reports", other.as_str()),
        ("Reports", &secret),
        ("other", "cst_bot_x"),
        ("other", &ended),
        ("other", &signed),
        ("x", ""),
    ] {
        let answer = ask(&server, TOKEN, &basic(name, shown), &[GRANT]);
        assert_eq!((answer.status, &answer.body), (401, &first.body), "{name}");
        assert_eq!(
            answer.header("www-authenticate"),
            Some(r#"Basic realm="countersign""#)
        );
    }
    // Nobody shows nothing.
    let answer = ask(&server, TOKEN, "", &[GRANT, ("client_id", "reports")]);
    assert_eq!(error(&answer), (401, "invalid_client".into()));
    let good = basic("reports", &secret);
    assert_eq!(ask(&server, TOKEN, &good, &[GRANT]).status, 200);
    // It has begun anew with the success.
    for _ in 0..3 {
        ask(&server, TOKEN, &basic("reports", "x"), &[GRANT]);
    }
    let answer = ask(&server, TOKEN, &good, &[GRANT]);
    assert_eq!(error(&answer), (429, "temporarily_unavailable".into()));
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn s05_secret_for_one_audience_gives_no_token_for_another() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let beside = Beside::of(&server);
    let bot = beside.bot("reports");
    let lake = basic("reports", &beside.secret(&bot, Some("lake"), 3_600));
    let usual = basic("reports", &beside.secret(&bot, None, 3_600));
    for (authorization, audience, expected) in [
        (&lake, "", "https://lake.example/api"),
        (&lake, "lake", "https://lake.example/api"),
        (&usual, "", "apache-airflow"),
        (&usual, "apache-airflow", "apache-airflow"),
    ] {
        let answer = ask(
            &server,
            TOKEN,
            authorization,
            &[GRANT, ("audience", audience)],
        );
        let token = access(&answer);
        assert_eq!(claims(&token)["aud"], expected);
        if expected.starts_with("https") {
            assert_eq!(header(&token)["typ"], "at+jwt");
            assert_eq!(claims(&token)["client_id"], "reports", "it was checked");
        }
    }
    for (authorization, audience) in [
        (&lake, "sea"),
        (&lake, "apache-airflow"),
        (&usual, "lake"),
        (&usual, "countersign"),
    ] {
        let answer = ask(
            &server,
            TOKEN,
            authorization,
            &[GRANT, ("audience", audience)],
        );
        assert_eq!(error(&answer), (400, "invalid_target".into()), "{audience}");
    }
    let answer = ask(&server, TOKEN, &usual, &[GRANT, ("scope", "admin")]);
    assert_eq!(error(&answer), (400, "invalid_scope".into()));
}

#[test]
fn private_key_jwt_is_taken_once_and_only_where_it_is_meant_for_us() {
    let folder = Folder::new();
    let server = template(&folder);
    let beside = Beside::of(&server);
    let key = beside.key(&beside.bot("reports"));
    beside.bot("keyless");
    let issuer = format!("http://{}", server.address);
    let endpoint = format!("{issuer}{TOKEN}");
    let with = |assertion: &str| {
        let form = [GRANT, ASSERTION_TYPE, ("client_assertion", assertion)];
        ask(&server, TOKEN, "", &form)
    };
    for (audience, jti) in [(&issuer, "a"), (&endpoint, "b")] {
        let assertion = key.sign("JWT", &said("reports", audience, jti));
        assert_eq!(claims(&access(&with(&assertion)))["sub"], "bot:reports");
        // T54
        assert_eq!(error(&with(&assertion)), (401, "invalid_client".into()));
    }
    let typed = key.sign("client-authentication+jwt", &said("reports", &issuer, "c"));
    access(&with(&typed));
    let good = |jti: &str| said("reports", &issuer, jti);
    let changed = |name: &str, value: serde_json::Value| {
        let mut claims = good(name);
        claims[name] = value;
        if claims[name].is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
        claims
    };
    let now = super::bots::now();
    for (name, value) in [
        ("sub", json!("other")),
        ("aud", json!("https://other.example")),
        ("aud", json!([issuer, "https://other.example"])),
        ("aud", json!(null)),
        ("jti", json!(null)),
        ("exp", json!(null)),
        ("exp", json!(now - 60)),
        ("exp", json!(now + 7_200)),
        ("iat", json!(now + 600)),
        ("iss", json!("nobody")),
        ("iss", json!("keyless")),
    ] {
        let assertion = key.sign("JWT", &changed(name, value.clone()));
        let answer = with(&assertion);
        assert_eq!(
            error(&answer),
            (401, "invalid_client".into()),
            "{name} {value}"
        );
    }
    let forged = Key::new().sign("JWT", &good("forged"));
    assert_eq!(with(&forged).status, 401);
    assert_eq!(with("a.b.c").status, 401);
    let unsigned = format!("{}.", forged.rsplit_once('.').unwrap().0);
    assert_eq!(with(&unsigned).status, 401);
    // In another's name.
    let fresh = key.sign("JWT", &good("d"));
    let form = [
        GRANT,
        ASSERTION_TYPE,
        ("client_assertion", &fresh),
        ("client_id", "keyless"),
    ];
    assert_eq!(
        error(&ask(&server, TOKEN, "", &form)),
        (401, "invalid_client".into())
    );
    let untyped = [GRANT, ("client_assertion", fresh.as_str())];
    assert_eq!(
        error(&ask(&server, TOKEN, "", &untyped)),
        (401, "invalid_client".into())
    );
}
