//! `countersign users …`, through a running server and without one.

use std::fs;

use countersign_tests::{Done, Folder, Server, countersign, token};
use serde_json::Value;

const CONFIG: &str =
    "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";

fn users(folder: &Folder, arguments: &[&str], input: &str) -> Done {
    let state = folder.join("state");
    let all = [&["users"], arguments, &["--config", "config.yaml"]].concat();
    countersign(
        folder.path(),
        &all,
        &[("COUNTERSIGN_STATE", state.to_str().unwrap())],
        input,
    )
}

fn listed(folder: &Folder) -> Vec<Value> {
    let done = users(folder, &["list", "--json"], "");
    assert_eq!(done.code, 0, "{done:?}");
    serde_json::from_str(&done.stdout).unwrap()
}

#[test]
fn user_added_to_a_running_server_logs_in_at_once() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let done = users(
        &folder,
        &[
            "add",
            "ada",
            "--email",
            "ada@example.org",
            "--role",
            "Op",
            "--password-stdin",
        ],
        "s3cret\n",
    );
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (0, "added ada (id 2)\n"),
        "{done:?}"
    );
    assert_eq!(token::claims(&server.token("ada", "s3cret"))["sub"], "2");
    assert_eq!(server.login("ada", "S3cret").status, 401);
    let all = listed(&folder);
    assert_eq!(all.len(), 2);
    assert!(
        all.iter()
            .any(|user| user["username"] == "ada" && user["roles"][0] == "Op"),
        "{all:?}"
    );
}

#[test]
fn user_added_without_a_server_logs_in_after_its_start() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    let done = users(
        &folder,
        &["add", "ada", "--role", "Admin", "--password-stdin"],
        "s3cret\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    let server = Server::start(&folder, CONFIG);
    server.token("ada", "s3cret");
    assert!(
        !server.state.join("initial-admin-password").exists(),
        "the table has a user already"
    );
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = Folder::new();
    let _server = Server::start(&folder, CONFIG);
    for (arguments, input, code, expected) in [
        (
            &["add", "ada", "--role", "Nobody", "--password-stdin"][..],
            "x\n",
            1,
            "Admin, ",
        ),
        (&["add", "admin", "--password-stdin"], "x\n", 1, "admin"),
        (&["add", "ada"], "", 64, "--password-stdin"),
        (&["add", "ada", "--password-stdin"], "\n", 1, "empty"),
        (
            &["passwd", "nobody", "--password-stdin"],
            "x\n",
            1,
            "nobody",
        ),
        (&["list", "--backend", "other"], "", 1, "backends: users"),
        (&["import", "missing.json"], "", 1, "missing.json"),
        (&["frobnicate"], "", 64, "Usage"),
    ] {
        let done = users(&folder, arguments, input);
        assert_eq!(done.code, code, "{arguments:?}: {done:?}");
        assert!(
            done.stderr.contains(expected),
            "{arguments:?}: {expected:?} is missing in:\n{}",
            done.stderr
        );
    }
}

#[test]
fn import_keeps_airflows_ids() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let export = r#"[{"id": 17, "username": "ada", "email": "ada@example.org", "firstname": "Ada", "lastname": "L", "roles": ["Op"]}]"#;
    fs::write(folder.join("export.json"), export).unwrap();
    let done = users(&folder, &["import", "export.json"], "");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        server.login("ada", "").status,
        400,
        "an import brings no password"
    );
    assert_eq!(
        users(&folder, &["passwd", "ada", "--password-stdin"], "s3cret\n").code,
        0
    );
    assert_eq!(token::claims(&server.token("ada", "s3cret"))["sub"], "17");
}

#[test]
fn second_process_on_the_same_state_is_refused() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let environment = [
        ("COUNTERSIGN_STATE", server.state.to_str().unwrap()),
        ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
        ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
    ];
    let done = countersign(
        folder.path(),
        &["serve", "--config", "config.yaml"],
        &environment,
        "",
    );
    assert_eq!(done.code, 78, "{done:?}");
    assert!(
        done.stderr
            .contains("is in use by another countersign process"),
        "{}",
        done.stderr
    );
}
