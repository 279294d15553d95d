//! Users of one backend as rows of another: found, registered, refused, and healed. What a
//! host decides is shown on a target that does what it is told; [`db`] is the real one.

mod db;
mod outages;
mod start;
mod unlink;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use countersign_tests::{Answer, Folder, Server, artifacts, post_json, token};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::run;

/// `dir` authenticates, `users` keeps the rows and gives the subjects.
struct Setting<'a> {
    dir: &'a str,
    rows: &'a str,
    more: &'a str,
}

const PLAIN: Setting<'static> = Setting {
    dir: "provision: users, registration: true",
    rows: "",
    more: "",
};

impl Setting<'_> {
    fn config(&self) -> String {
        let Setting { dir, rows, more } = self;
        format!(
            "plugins: {{ directories: [plugins] }}\ntokens: {{ subject_backend: users, claims: {{ roles: \"{{roles}}\", name: \"{{username}}\", by: \"{{backend}}\", groups: \"{{groups}}\" }} }}\n{more}backends:\n  dir: {{ plugin: answers, config: {{}}, {dir} }}\n  users: {{ plugin: provisions, config: {{ {rows} }} }}\n"
        )
    }

    fn start(&self, folder: &Folder) -> Server {
        plugins(folder);
        Server::start(folder, &self.config())
    }
}

fn plugins(folder: &Folder) {
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("provisions"), "provisions");
}

fn login(server: &Server, username: &str) -> Answer {
    let body = json!({ "username": username, "password": "x" }).to_string();
    post_json(server.address, "/auth/dir/token", &body)
}

fn claims(answer: &Answer) -> Value {
    assert_eq!(answer.status, 201, "{answer:?}");
    token::claims(answer.json()["access_token"].as_str().unwrap())
}

/// The rows as the target wrote them.
fn rows(state: &Path) -> Vec<Value> {
    let text = fs::read_to_string(state.join("users.json")).unwrap_or_else(|_| "[]".into());
    serde_json::from_str(&text).unwrap()
}

#[test]
fn first_login_registers_and_the_next_ones_find_the_same_row() {
    let folder = Folder::new();
    let server = PLAIN.start(&folder);
    let first = claims(&login(&server, "ada"));
    assert_eq!(first["sub"], "101", "the bare id of the subject backend");
    assert_eq!(
        (&first["name"], &first["by"]),
        (&json!("ada"), &json!("dir"))
    );
    assert_eq!(first["roles"], json!(["Own"]));
    assert_eq!(
        first["groups"][1], "team-airflow",
        "groups are the directory's"
    );
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
    assert_eq!(claims(&login(&server, "bea"))["sub"], "102");
    // The chain does the same as the direct path.
    let chained = token::claims(&server.token("ada", "x"));
    assert_eq!(chained["sub"], "101");
    let mode = |name: &str| {
        fs::metadata(server.state.join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(mode("store.db") & 0o777, 0o600);
    let state = server.state.clone();
    let (_, log) = server.stop();
    assert_eq!(rows(&state).len(), 2);
    assert_eq!(log.matches("\"registered\"").count(), 2, "{log}");
    // Links outlive the process.
    let server = Server::start(&folder, &PLAIN.config());
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
}

#[test]
fn row_that_is_not_to_be_had_is_a_401_with_its_reason_in_the_log() {
    let existing = "rows: [{ id: 1, username: Taken }, { id: 2, username: locked, active: false }, { id: 3, username: owned, password: true }]";
    let adopt = "provision: { backend: users, link: username }";
    for (dir, username, reason) in [
        ("provision: users", "ada", "unknown, not registered"),
        (
            "provision: users, registration: true",
            "taken",
            "none may be taken",
        ),
        (
            "provision: users, registration: true",
            "locked",
            "none may be taken",
        ),
        (adopt, "ada", "unknown, not registered"),
        (adopt, "owned", "the name is taken"),
        (adopt, "locked", "the row is inactive"),
    ] {
        let folder = Folder::new();
        let server = Setting {
            dir,
            rows: existing,
            more: "",
        }
        .start(&folder);
        let answer = login(&server, username);
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (401, Some("Invalid credentials")),
            "{dir} {username}"
        );
        let state = server.state.clone();
        let (_, log) = server.stop();
        assert!(
            log.contains(reason) && log.contains("provisioning into users"),
            "{dir} {username}: {log}"
        );
        assert_eq!(rows(&state), [] as [Value; 0], "nothing was written");
    }
}

#[test]
fn rows_are_adopted_only_by_name_and_never_with_a_password_unless_told() {
    let existing = "rows: [{ id: 1, username: Ada, roles: [Viewer] }, { id: 2, username: owned, password: true }]";
    let folder = Folder::new();
    let dir = "provision: { backend: users, link: username }";
    let server = Setting {
        dir,
        rows: existing,
        more: "",
    }
    .start(&folder);
    let ada = claims(&login(&server, "ada"));
    assert_eq!((&ada["sub"], &ada["name"]), (&json!("1"), &json!("Ada")));
    assert_eq!(
        ada["roles"],
        json!(["Viewer"]),
        "sync is off: the row's own roles"
    );
    assert_eq!(login(&server, "owned").status, 401);
    drop(server);
    let dir = "provision: { backend: users, link: username, adopt_password_rows: true }";
    let server = Server::start(
        &folder,
        &Setting {
            dir,
            rows: existing,
            more: "",
        }
        .config(),
    );
    assert_eq!(claims(&login(&server, "owned"))["sub"], "2");
}

#[test]
fn row_of_somebody_else_is_never_adopted() {
    let folder = Folder::new();
    plugins(&folder);
    let dir = "provision: { backend: users, link: username, adopt_password_rows: true }, registration: true";
    let config = Setting { dir, ..PLAIN }.config()
        + &format!("  sso: {{ plugin: answers, config: {{}}, {dir} }}\n");
    let server = Server::start(&folder, &config);
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
    let body = r#"{"username":"ada","password":"x"}"#;
    let answer = post_json(server.address, "/auth/sso/token", body);
    assert_eq!(answer.status, 401, "another identity provider's ada");
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
}

#[test]
fn roles_of_the_token_are_those_of_the_row() {
    let existing = "rows: [{ id: 1, username: ada, roles: [Admin, Viewer] }]";
    let link = "provision: { backend: users, link: username }, registration: true";
    for (sync, first, registered) in [
        ("off", json!(["Admin", "Viewer"]), json!(["Own", "Public"])),
        (
            "replace",
            json!(["Own", "Public"]),
            json!(["Own", "Public"]),
        ),
        (
            "keep_manual",
            json!(["Admin", "Own", "Public", "Viewer"]),
            json!(["Own", "Public"]),
        ),
    ] {
        let folder = Folder::new();
        let roles = |more: &str| {
            format!("{link}, roles: {{ sync: {sync}, registration: [Public], {more} }}")
        };
        let dir = roles("mapping: { other: [Strange] }");
        let server = Setting {
            dir: &dir,
            rows: existing,
            more: "",
        }
        .start(&folder);
        assert_eq!(claims(&login(&server, "ada"))["roles"], first, "{sync}");
        assert_eq!(
            claims(&login(&server, "bea"))["roles"],
            registered,
            "{sync}"
        );
        let (_, log) = server.stop();
        let told = log.lines().filter(|line| line.contains("were not given"));
        let told: Vec<_> = told.collect();
        assert!(told.len() == 2 && told[0].contains("Strange"), "{log}");
        // Public is no longer given: who gave Admin and Viewer by hand keeps them.
        let dir = format!("{link}, roles: {{ sync: {sync} }}");
        let server = Server::start(
            &folder,
            &Setting {
                dir: &dir,
                rows: existing,
                more: "",
            }
            .config(),
        );
        let later = match sync {
            "off" => first,
            "replace" => json!(["Own"]),
            _ => json!(["Admin", "Own", "Viewer"]),
        };
        assert_eq!(claims(&login(&server, "ada"))["roles"], later, "{sync}");
    }
}

#[test]
fn first_logins_at_once_end_in_one_row() {
    for link in ["", ", link: username"] {
        let folder = Folder::new();
        let dir = format!("provision: {{ backend: users{link} }}, registration: true");
        let server = Setting { dir: &dir, ..PLAIN }.start(&folder);
        let subjects: Vec<String> = std::thread::scope(|scope| {
            let login = || claims(&login(&server, "ada"))["sub"].to_string();
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(login)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert!(subjects.iter().all(|sub| sub == "\"101\""), "{subjects:?}");
        assert_eq!(rows(&server.state).len(), 1);
    }
}

#[test]
fn kill_between_row_and_link_is_healed_at_the_next_login() {
    for link in ["", ", link: username"] {
        let folder = Folder::new();
        let dir = format!("provision: {{ backend: users{link} }}, registration: true");
        let setting = Setting { dir: &dir, ..PLAIN };
        let mut server = setting.start(&folder);
        let body = r#"{"username":"dies-ada","password":"x"}"#;
        let head = format!(
            "POST /auth/dir/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
        // The process dies with the connection.
        let mut nothing = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut nothing);
        assert_eq!(nothing, b"");
        while server.is_running() {
            std::thread::yield_now();
        }
        let state = server.state.clone();
        drop(server);
        assert_eq!(rows(&state).len(), 1, "the row was written");
        let server = Server::start(&folder, &setting.config());
        assert_eq!(claims(&login(&server, "dies-ada"))["sub"], "101");
        assert_eq!(rows(&state).len(), 1);
    }
}

#[test]
fn refusal_leaves_no_note_that_would_let_a_row_be_taken_later() {
    let folder = Folder::new();
    let setting = Setting {
        rows: "rows: [{ id: 1, username: ada }], lookup: false",
        ..PLAIN
    };
    let server = setting.start(&folder);
    for _ in 0..3 {
        assert_eq!(login(&server, "ada").status, 401);
    }
    drop(server);
    // The same with a look-up.
    let server = Server::start(
        &folder,
        &Setting {
            rows: "rows: [{ id: 1, username: ada }]",
            ..PLAIN
        }
        .config(),
    );
    for _ in 0..3 {
        assert_eq!(login(&server, "ada").status, 401);
    }
}

#[test]
fn t53_same_id_from_two_backends_is_two_subjects() {
    let folder = Folder::new();
    plugins(&folder);
    let config = "plugins: { directories: [plugins] }\ntokens: { subject_backend: users }\nbackends:\n  dir: { plugin: answers, config: {} }\n  sso: { plugin: answers, config: {} }\n  users: { plugin: provisions, config: { rows: [{ id: 1, username: root, password: true }] } }\n";
    let server = Server::start(&folder, config);
    let subject = |backend: &str, username: &str, password: &str| {
        let body = json!({ "username": username, "password": password }).to_string();
        let answer = post_json(server.address, &format!("/auth/{backend}/token"), &body);
        claims(&answer)["sub"].as_str().unwrap().to_owned()
    };
    assert_eq!(subject("dir", "ada", "x"), "dir:id-ada");
    assert_eq!(subject("sso", "ada", "x"), "sso:id-ada");
    assert_eq!(subject("users", "root", "row"), "1");
}
