//! `/oauth2/revoke` (RFC 7009): a client's own tokens, and nobody else's.

use countersign_tests::{Folder, Server, get};
use serde_json::{Value, json};

use super::bots::{Beside, ask, basic, error};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::template;

const REVOKE: &str = "/oauth2/revoke";
const CLIENT: (&str, &str) = ("client_id", "countersign-cli");

fn revoke(server: &Server, authorization: &str, form: &[(&str, &str)]) {
    let answer = ask(server, REVOKE, authorization, form);
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({})),
        "{answer:?}"
    );
}

fn is_active(server: &Server, client: &str, token: &str) -> bool {
    let answer = ask(server, "/oauth2/introspect", client, &[("token", token)]);
    answer.json()["active"].as_bool().unwrap()
}

fn signed_in(server: &Server) -> Value {
    let code = Flow::new(server).code(&mut Browser::default());
    Flow::new(server).redeem(&[("code", &code)]).json()
}

fn credentials(server: &Server, authorization: &str) -> String {
    let form = [("grant_type", "client_credentials")];
    let answer = ask(server, "/oauth2/token", authorization, &form);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn s09_refresh_token_takes_its_access_tokens_along() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    let tokens = signed_in(&server);
    let text = |name: &str| tokens[name].as_str().unwrap();
    // Unknown, another's, or none at all: nothing happens, and nobody is told.
    for (authorization, form) in [
        ("", vec![CLIENT, ("token", "x")]),
        ("", vec![CLIENT, ("token", &secret)]),
        (
            "",
            vec![CLIENT, ("token", "x"), ("token_type_hint", "nonsense")],
        ),
        (&client, vec![("token", text("refresh_token"))]),
        (&client, vec![("token", text("access_token"))]),
    ] {
        revoke(&server, authorization, &form);
    }
    assert!(is_active(&server, &client, text("access_token")));
    revoke(&server, "", &[CLIENT, ("token", text("refresh_token"))]);
    assert!(!is_active(&server, &client, text("access_token")));
    let form = [
        ("grant_type", "refresh_token"),
        CLIENT,
        ("refresh_token", text("refresh_token")),
    ];
    assert_eq!(ask(&server, "/oauth2/token", "", &form).status, 400);
}

#[test]
fn s09_access_token_of_the_terminal_goes_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    let tokens = signed_in(&server);
    let access = tokens["access_token"].as_str().unwrap();
    // Of the password's door nobody knows who has it.
    let other = server.token("ada", "door");
    revoke(&server, "", &[CLIENT, ("token", &other)]);
    assert!(is_active(&server, &client, &other));
    revoke(&server, "", &[CLIENT, ("token", access)]);
    assert!(!is_active(&server, &client, access));
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        CLIENT,
        ("refresh_token", refresh),
    ];
    assert_eq!(ask(&server, "/oauth2/token", "", &form).status, 200);
}

#[test]
fn s09_bot_revokes_what_is_its_own_and_no_other_bots() {
    let folder = Folder::new();
    let server = template(&folder);
    let beside = Beside::of(&server);
    let (bot, secret) = beside.client("reports");
    let (_, other) = beside.client("airflow");
    let (reports, airflow) = (basic("reports", &secret), basic("airflow", &other));
    let (mine, theirs) = (
        credentials(&server, &reports),
        credentials(&server, &airflow),
    );
    let spare = beside.secret(&bot, None, 3_600);
    revoke(&server, &reports, &[("token", &theirs)]);
    revoke(&server, &reports, &[("token", &other)]);
    revoke(&server, &airflow, &[("token", &mine)]);
    revoke(&server, &airflow, &[("token", &spare)]);
    for token in [&mine, &theirs, &spare, &other] {
        assert!(is_active(&server, &airflow, token));
    }
    revoke(&server, &reports, &[("token", &mine)]);
    revoke(&server, &reports, &[("token", &spare)]);
    assert!(!is_active(&server, &airflow, &mine));
    assert!(!is_active(&server, &airflow, &spare));
    let answer = ask(
        &server,
        "/oauth2/token",
        &basic("reports", &spare),
        &[("grant_type", "client_credentials")],
    );
    assert_eq!(error(&answer), (401, "invalid_client".into()));
}

#[test]
fn s09_client_must_be_named() {
    let folder = Folder::new();
    let server = template(&folder);
    for (authorization, form, expected) in [
        ("", vec![("token", "x")], (400, "invalid_request")),
        (
            "",
            vec![("token", "x"), ("client_id", "another")],
            (401, "invalid_client"),
        ),
        ("Basic YTpi", vec![("token", "x")], (401, "invalid_client")),
        ("", vec![CLIENT], (400, "invalid_request")),
    ] {
        let (status, name) = error(&ask(&server, REVOKE, authorization, &form));
        assert_eq!((status, name.as_str()), expected, "{form:?}");
    }
    assert_eq!(get(server.address, REVOKE).status, 405);
}
