//! What is left to whoever lost something: a user his role, a bot its token.

use countersign_tests::{Answer, Folder, Server, send, token};
use serde_json::{Value, json};

use super::{CONFIG, add_user, basic, call, described, done, exchange};
use crate::login::{Browser, hidden};

const OWN: &str = "/api/v1/users/security/token";

/// Changes the users behind the server's back.
fn change(server: &Server, statement: &'static str) {
    assert_eq!(super::sql(server, "users.db", statement), 1);
}

/// Takes the role Admin from ada, and gives her another.
const DEMOTE: &str = "UPDATE ab_user_role SET role_id = (SELECT id FROM ab_role WHERE name = 'Viewer') \
    WHERE user_id = (SELECT id FROM ab_user WHERE username = 'ada')";

const DEACTIVATE: &str = "UPDATE ab_user SET active = 0 WHERE username = 'ada'";

/// A personal token of ada's, for our own API.
fn opaque(server: &Server) -> String {
    let body = r#"{"tokenName":"laptop","JWTTokenExpiry":"30","form":"opaque"}"#;
    let ada = basic("ada", "s3cret");
    let made = call(
        server,
        "PUT",
        &format!("{OWN}?audience=countersign"),
        &ada,
        body,
    );
    assert_eq!(made.status, 200, "{made:?}");
    made.json()["jwtToken"].as_str().unwrap().to_owned()
}

fn bearer(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    format!("Bearer {}", answer.json()["access_token"].as_str().unwrap())
}

#[test]
fn personal_token_says_what_its_user_is_now() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Admin");
    let secret = opaque(&server);
    let who = format!("Bearer {secret}");
    let bots = |who: &str| call(&server, "GET", "/api/v1/bots", who, "").status;
    assert_eq!(bots(&who), 200);
    change(&server, DEMOTE);
    assert_eq!(bots(&who), 403);
    let signed = exchange(&server, &secret, "");
    let claims = token::claims(bearer(&signed).strip_prefix("Bearer ").unwrap());
    assert_eq!(claims["roles"], json!(["Viewer"]));
    change(&server, DEACTIVATE);
    assert_eq!(bots(&who), 401);
    let refused = exchange(&server, &secret, "");
    assert_eq!(refused.json()["error"], "invalid_request", "{refused:?}");
    let (_, log) = server.stop();
    assert!(log.contains("its user is let in no more"), "{log}");
}

#[test]
fn personal_token_makes_no_other_and_neither_does_what_it_is_exchanged_for() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Admin");
    let secret = opaque(&server);
    let body = r#"{"tokenName":"for ever","JWTTokenExpiry":"90"}"#;
    for who in [
        format!("Bearer {secret}"),
        bearer(&exchange(&server, &secret, "")),
    ] {
        let refused = call(&server, "PUT", OWN, &who, body);
        assert_eq!(refused.status, 403, "{refused:?}");
        // It may do all else that its user may.
        assert_eq!(
            call(&server, "GET", OWN, &who, "").json()["paging"]["total"],
            1
        );
        assert_eq!(call(&server, "GET", "/api/v1/bots", &who, "").status, 200);
    }
}

#[test]
fn revoked_token_takes_along_what_it_was_exchanged_for() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Admin");
    let ada = opaque(&server);
    let personal = bearer(&exchange(&server, &ada, ""));
    assert_eq!(
        call(&server, "GET", "/api/v1/bots", &personal, "").status,
        200
    );
    let all = format!("{OWN}/revoke?removeAll=true");
    let revoked = call(&server, "PUT", &all, &basic("ada", "s3cret"), "");
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(
        call(&server, "GET", "/api/v1/bots", &personal, "").status,
        401
    );

    done(&folder, &["create", "ci", "--role", "Op"]);
    let secret = done(
        &folder,
        &["token", "ci", "--expiry", "7", "--form", "opaque"],
    );
    let verified = |who: &str| {
        send(
            server.address,
            "GET",
            "/auth/verify",
            &[("authorization", who)],
            b"",
        )
        .status
    };
    let exchanged = bearer(&exchange(&server, &secret, ""));
    let form = ("content-type", "application/x-www-form-urlencoded");
    let body = format!("grant_type=client_credentials&client_id=ci&client_secret={secret}");
    let given = send(
        server.address,
        "POST",
        "/oauth2/token",
        &[form],
        body.as_bytes(),
    );
    let given = bearer(&given);
    assert_eq!((verified(&exchanged), verified(&given)), (200, 200));
    done(&folder, &["delete", "ci"]);
    assert_eq!((verified(&exchanged), verified(&given)), (401, 401));
}

#[test]
fn b06_use_of_a_signed_token_is_remembered_where_it_is_verified() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    for name in ["verified", "introspected", "never"] {
        done(&folder, &["create", name]);
    }
    let token =
        |name: &str, form: &str| done(&folder, &["token", name, "--expiry", "7", "--form", form]);
    let who = format!("Bearer {}", token("verified", "jwt"));
    let headers = [("authorization", who.as_str())];
    let verified = send(server.address, "GET", "/auth/verify", &headers, b"");
    assert_eq!(verified.status, 200, "{verified:?}");
    let (shown, _) = (token("introspected", "jwt"), token("never", "jwt"));
    let asker = done(&folder, &["create", "asker"]);
    assert!(!asker.contains("cst_"), "{asker}");
    let headers = [
        ("authorization", &*basic("asker", &token("asker", "opaque"))),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let body = format!("token={shown}");
    let told = send(
        server.address,
        "POST",
        "/oauth2/introspect",
        &headers,
        body.as_bytes(),
    );
    assert_eq!(told.json()["active"], true, "{told:?}");
    server.stop();
    let used = |name: &str| described(&folder, name)["last_used_at"].clone();
    assert!(used("verified").is_u64() && used("introspected").is_u64());
    assert_eq!(used("never"), Value::Null);
}

#[test]
fn b04_session_of_one_who_manages_no_more_opens_no_page_of_the_console() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Admin");
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in("ada", "s3cret").status, 303);
    let page = browser.get("/console/bots");
    assert_eq!(page.status, 200);
    let guard = hidden(&page, "token");
    change(&server, DEMOTE);
    for path in ["/console/bots", "/console/keys", "/console/decisions"] {
        let refused = browser.get(path);
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(refused.body.contains("who has Viewer"), "{refused:?}");
    }
    let form = [("token", &*guard), ("name", "etl")];
    assert_eq!(browser.post("/console/bots", &form).status, 403);
    change(&server, DEACTIVATE);
    let refused = browser.get("/console/bots");
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("does not let you in any more"),
        "{refused:?}"
    );
    assert_eq!(done(&folder, &["list", "--json"]), "[]");
}

#[test]
fn user_who_may_not_come_in_any_more_makes_no_token() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in("ada", "s3cret").status, 303);
    let guard = hidden(&browser.get("/tokens"), "token");
    change(&server, DEACTIVATE);
    let fields = [
        ("token", &*guard),
        ("name", "x"),
        ("expiry", "30"),
        ("form", "jwt"),
    ];
    let refused = browser.post("/tokens", &fields);
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(!refused.body.contains("eyJ"), "{refused:?}");
}
