//! The API in OpenMetadata's shapes: what it answers to wrong bodies, and of itself.

use countersign_tests::{Folder, Server, get, send};
use serde_json::json;

use super::rest::make;
use super::{CONFIG, admin, call, done};

#[test]
fn wrong_bodies_are_told_in_openmetadatas_shape_and_say_nothing_of_what_they_held() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    for (body, status) in [
        ("", 422),
        ("[]", 422),
        ("{", 422),
        ("{}", 400),
        (r#"{"name":"x"}"#, 400),
        (r#"{"name":"x","isBot":true,"roles":{"s3cret":1}}"#, 400),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"SSO"}}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"JWT"}}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"JWT","config":{"JWTTokenExpiry":"s3cret"}}}"#,
            400,
        ),
        (r#"{"name":"a b","isBot":true}"#, 400),
        (r#"{"name":"countersign-cli","isBot":true}"#, 400),
        (r#"{"name":"x","isBot":true,"roles":["Viewer,Admin"]}"#, 400),
        (
            r#"{"name":"x","isBot":true,"roles":["6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11"]}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"roles":[{"id":"6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11","type":"role"}]}"#,
            400,
        ),
    ] {
        let answer = call(&server, "POST", "/api/v1/users", &who, body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.json()["message"].is_string(), "{answer:?}");
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
    let form = [
        ("authorization", who.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    assert_eq!(
        send(server.address, "POST", "/api/v1/bots", &form, b"name=x").status,
        415
    );
    assert_eq!(
        send(server.address, "PATCH", "/api/v1/bots", &form, b"").status,
        405
    );
    assert_eq!(done(&folder, &["list", "--json"]), "[]");
}

#[test]
fn version_is_open_and_status_tells_which_bots_have_no_good_token() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let version = get(server.address, "/api/v1/system/version").json();
    assert!(
        version["version"].as_str().unwrap().starts_with("2.0."),
        "{version}"
    );
    let who = admin(&server);
    let (id, _) = make(&server, &who, "good", "7");
    make(&server, &who, "bad", "7");
    let bad = call(&server, "GET", "/api/v1/bots/name/bad", &who, "").json()["id"].clone();
    call(
        &server,
        "PUT",
        "/api/v1/users/revokeToken",
        &who,
        &json!({ "id": bad }).to_string(),
    );
    let status = call(&server, "GET", "/api/v1/system/status", &who, "").json();
    assert_eq!(status["jwks"]["passed"], false, "{status}");
    assert_eq!(status["bots"]["good"]["passed"], true, "{status}");
    assert_eq!(
        status["bots"]["bad"]["message"], "the token was revoked",
        "{status}"
    );
    assert!(!id.is_empty());
}

#[test]
fn status_looks_at_every_bot_however_many() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let made = super::sql(
        &server,
        "store.db",
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100) \
         INSERT INTO bots SELECT 'id-' || n, 'b' || n, 'b' || n, '', '', 'b' || n, '', '[]', '', 1, 'x', 1, 'x' FROM n",
    );
    assert_eq!(made, 1_100);
    let status = call(&server, "GET", "/api/v1/system/status", &admin(&server), "");
    let told = status.json();
    assert_eq!(told["bots"].as_object().unwrap().len(), 1_100);
    assert_eq!(told["jwks"]["passed"], false);
}
