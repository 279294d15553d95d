//! OpenMetadata's `PATCH` of bots and of their users (RFC 6902): what its clients send, what is
//! refused, and what only those may do who manage.

use countersign_tests::{Answer, Folder, Server, send};
use serde_json::{Value, json};

use super::rest::make;
use super::{CONFIG, add_user, admin, basic, call, done};

/// Sends a JSON Patch (RFC 6902).
fn patch(server: &Server, path: &str, who: &str, patch: &Value) -> Answer {
    let headers = [
        ("authorization", who),
        ("content-type", "application/json-patch+json"),
    ];
    let body = patch.to_string();
    send(server.address, "PATCH", path, &headers, body.as_bytes())
}

#[test]
fn bot_and_its_user_are_patched_as_openmetadatas_clients_do() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let (id, token) = make(&server, &who, "etl", "7");
    // What a client has read, and how it differs from what it wants.
    let texts = json!([
        { "op": "test", "path": "/id", "value": id },
        { "op": "add", "path": "/displayName", "value": "Nightly" },
        { "op": "add", "path": "/description", "value": "Loads\nall" },
    ]);
    let bot = patch(&server, &format!("/api/v1/bots/{id}"), &who, &texts);
    assert_eq!(bot.status, 200, "{bot:?}");
    let (bot, shown) = (bot.json(), || {
        call(&server, "GET", "/api/v1/bots/name/etl", &who, "").json()
    });
    assert_eq!(bot, shown());
    assert_eq!(
        (&bot["displayName"], &bot["description"], &bot["updatedBy"]),
        (&json!("Nightly"), &json!("Loads\nall"), &json!("admin"))
    );
    let removed = json!([{ "op": "remove", "path": "/displayName" }]);
    let bot = patch(&server, "/api/v1/bots/name/etl", &who, &removed).json();
    assert_eq!(
        (&bot["displayName"], &bot["description"]),
        (&json!(null), &json!("Loads\nall"))
    );

    let user =
        |operations: Value| patch(&server, &format!("/api/v1/users/{id}"), &who, &operations);
    let names = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:?}");
        let roles = answer.json()["roles"].as_array().unwrap().clone();
        let name = |role: Value| role["name"].as_str().unwrap().to_owned();
        roles.into_iter().map(name).collect()
    };
    let more = user(json!([
        { "op": "add", "path": "/roles/1", "value": { "name": "Viewer", "type": "role" } },
        { "op": "add", "path": "/roles/-", "value": "Public" },
    ]));
    assert_eq!(names(&more), ["Op", "Viewer", "Public"]);
    // A role that was shown may come back by its id alone.
    let kept = json!({ "id": more.json()["roles"][1]["id"], "type": "role" });
    let fewer = user(json!([{ "op": "replace", "path": "/roles", "value": [kept] }]));
    assert_eq!(names(&fewer), ["Viewer"]);
    let none = user(json!([{ "op": "remove", "path": "/roles/0" }]));
    assert!(names(&none).is_empty());
    assert_eq!(none.json()["email"], "etl@example.org");
    let moved = user(json!([{ "op": "replace", "path": "/email", "value": "etl@example.net" }]));
    assert_eq!(moved.json()["email"], "etl@example.net");
    let me = format!("Bearer {token}");
    let me = call(&server, "GET", "/api/v1/users/loggedInUser", &me, "");
    assert_eq!(me.status, 200, "its tokens stay: {me:?}");
    // What changes nothing is no change.
    let before = shown();
    assert_eq!(user(json!([])).status, 200);
    assert_eq!(shown(), before);
    assert_eq!(server.stop().1.matches("bot changed").count(), 6);
}

#[test]
fn patch_that_is_none_does_not_fit_or_reaches_too_far_changes_nothing() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let (id, _) = make(&server, &who, "etl", "7");
    let (bot, user) = (
        format!("/api/v1/bots/{id}"),
        "/api/v1/users/name/etl".to_owned(),
    );
    let shown = || call(&server, "GET", &user, &who, "").json();
    let before = shown();
    let good = json!({ "op": "add", "path": "/description", "value": "new" });
    let replace =
        |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    for (path, operation, status, text) in [
        (
            &bot,
            replace("/name", json!("x")),
            400,
            "name cannot be changed here: displayName, description can",
        ),
        (
            &bot,
            replace("/botUser/id", json!("x")),
            400,
            "botUser cannot",
        ),
        (
            &bot,
            replace("/provider", json!("system")),
            400,
            "provider cannot",
        ),
        (
            &bot,
            replace("/deleted", json!(true)),
            400,
            "deleted cannot",
        ),
        (
            &bot,
            json!({ "op": "add", "path": "/roles", "value": ["Op"] }),
            400,
            "roles cannot",
        ),
        (&bot, replace("", json!("x")), 400, "leaves no object"),
        (
            &bot,
            replace("/displayName", json!("x")),
            409,
            "operation 1, path /displayName",
        ),
        (
            &bot,
            json!({ "op": "test", "path": "/name", "value": "y" }),
            409,
            "operation 1, path /name: the value there is another",
        ),
        (
            &bot,
            replace("/description", json!(7)),
            400,
            "description is a text",
        ),
        (
            &bot,
            replace("/description", json!("x".repeat(4_097))),
            400,
            "at most 4096 characters",
        ),
        (
            &bot,
            replace("/description", json!("a\0b")),
            400,
            "none of them NUL",
        ),
        (
            &user,
            replace("/isAdmin", json!(true)),
            400,
            "isAdmin cannot",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/authenticationMechanism", "value": {} }),
            400,
            "authenticationMechanism cannot",
        ),
        (
            &user,
            replace("/roles/0/name", json!("Admin")),
            400,
            "role 0 has no name, or the id of another",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/roles/0", "value": { "id": "6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11", "type": "role" } }),
            400,
            "Roles are named here",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/roles/-", "value": "Op,Admin" }),
            400,
            "comma",
        ),
        (
            &"/api/v1/bots/name/none".to_owned(),
            good.clone(),
            404,
            "bot instance for none not found",
        ),
    ] {
        // With what alone would do: all or nothing.
        let answer = patch(&server, path, &who, &json!([good, operation]));
        assert_eq!(answer.status, status, "{operation} {answer:?}");
        let told = answer.json();
        assert_eq!(told["code"], status);
        let told = told["message"].as_str().unwrap();
        assert!(told.contains(text), "{operation}: {told}");
    }
    for nonsense in [
        "",
        "{}",
        "[7]",
        r#"[{"op":"s3cret"}]"#,
        r#"[{"op":"add","path":"/description"}]"#,
        r#"[{"op":"add","path":"s3cret","value":"x"}]"#,
    ] {
        let kind = ("content-type", "application/json-patch+json; charset=utf-8");
        let headers = [("authorization", who.as_str()), kind];
        let answer = send(server.address, "PATCH", &bot, &headers, nonsense.as_bytes());
        assert_eq!(answer.status, 400, "{nonsense} {answer:?}");
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
    let plain = call(&server, "PATCH", &bot, &who, "[]");
    assert_eq!(
        (plain.status, plain.header("accept-patch")),
        (415, Some("application/json-patch+json"))
    );
    assert_eq!(shown(), before);
}

#[test]
fn b04_roles_that_manage_are_patched_in_by_those_who_have_them() {
    let folder = Folder::new();
    let config = format!("{CONFIG}admin: {{ roles: [Admin, Op] }}\n");
    let server = Server::start(&folder, &config);
    add_user(&folder, "ada", "Op");
    done(&folder, &["create", "etl"]);
    let path = "/api/v1/users/name/etl";
    let give = |who: &str, role: &str| {
        let add = json!([{ "op": "add", "path": "/roles/-", "value": role }]);
        patch(&server, path, who, &add)
    };
    let ada = basic("ada", "s3cret");
    for (who, role, status) in [
        (&ada, "Admin", 403),
        (&admin(&server), "Op", 403),
        (&ada, "Op", 200),
        (&ada, "Viewer", 200),
        (&admin(&server), "Admin", 200),
    ] {
        let answer = give(who, role);
        assert_eq!(answer.status, status, "{role} {answer:?}");
    }
    let refused = give(&ada, "Admin").json();
    assert_eq!(refused["roles"][2]["name"], "Admin", "it has it: {refused}");
}
