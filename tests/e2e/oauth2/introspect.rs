//! `/oauth2/introspect` (RFC 7662): who may ask, and what about.

use countersign_tests::token::claims;
use countersign_tests::{Folder, get};
use serde_json::{Value, json};

use super::bots::{Beside, ask, basic, error};
use super::{exchange, server};

const INTROSPECT: &str = "/oauth2/introspect";

#[test]
fn s10_service_learns_of_tokens_for_its_own_audience_and_of_no_others() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let beside = Beside::of(&server);
    let bot = beside.bot("airflow");
    let usual = basic("airflow", &beside.secret(&bot, None, 3_600));
    let lake = basic("airflow", &beside.secret(&bot, Some("lake"), 3_600));
    let token = |audience: &str| {
        let answer = exchange(&server, "ada", &[("audience", audience)]);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    };
    let of = |authorization: &str, token: &str| {
        let answer = ask(&server, INTROSPECT, authorization, &[("token", token)]);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        answer.json()
    };
    let (for_usual, for_lake) = (token(""), token("lake"));
    let told = of(&usual, &for_usual);
    for (name, value) in claims(&for_usual).as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(
        (&told["active"], &told["token_type"]),
        (&json!(true), &json!("Bearer"))
    );
    assert_eq!(of(&lake, &for_lake)["active"], true);
    let inactive = json!({ "active": false });
    let mut forged = for_usual.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'E' } else { 'A' });
    for (who, what) in [
        (&usual, for_lake.as_str()),
        (&lake, &for_usual),
        (&usual, &forged),
        (&usual, "x"),
        (&usual, "cst_bot_x"),
    ] {
        assert_eq!(of(who, what), inactive, "{what}");
    }
}

#[test]
fn s10_opaque_token_says_what_its_signed_one_would_and_until_when() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let beside = Beside::of(&server);
    let (_, service) = beside.client("airflow");
    let (bot, secret) = beside.client("reports");
    let foreign = beside.secret(&bot, Some("lake"), 3_600);
    let ended = beside.secret(&bot, None, 0);
    let of = |token: &str| -> Value {
        let service = basic("airflow", &service);
        ask(&server, INTROSPECT, &service, &[("token", token)]).json()
    };
    let told = of(&secret);
    assert_eq!(
        (&told["active"], &told["sub"]),
        (&json!(true), &json!("bot:reports"))
    );
    let lives = told["exp"].as_u64().unwrap() - told["iat"].as_u64().unwrap();
    assert!((3_600..=3_601).contains(&lives), "{told}");
    let inactive = json!({ "active": false });
    assert_eq!((of(&foreign), of(&ended)), (inactive.clone(), inactive));
}

#[test]
fn s10_nobody_is_told_anything_who_does_not_show_who_he_is() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let (_, secret) = Beside::of(&server).client("airflow");
    let good = basic("airflow", &secret);
    for (authorization, form) in [
        ("", vec![("token", "x")]),
        ("", vec![("token", "x"), ("client_id", "airflow")]),
        ("Bearer x", vec![("token", "x")]),
        (&basic("airflow", "x"), vec![("token", "x")]),
    ] {
        let answer = ask(&server, INTROSPECT, authorization, &form);
        assert_eq!(error(&answer), (401, "invalid_client".into()));
        assert!(answer.header("www-authenticate").is_some(), "{answer:?}");
    }
    let answer = ask(&server, INTROSPECT, &good, &[]);
    assert_eq!(error(&answer), (400, "invalid_request".into()));
    assert_eq!(get(server.address, INTROSPECT).status, 405);
}
