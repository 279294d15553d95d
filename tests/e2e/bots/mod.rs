//! Bots and personal access tokens: by the command line, over HTTP, seeded, exchanged.

mod answers;
mod cli;
mod exchange;
mod looks;
mod lost;
mod pages;
mod patch;
mod personal;
mod rest;
mod seed;

use countersign_tests::{Answer, Done, Folder, Server, countersign, send};
use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Runtime;

/// A table of users, of whom `admin` manages; a second audience.
const CONFIG: &str = r#"
backends:
  users: { plugin: db, config: { url: "sqlite://{state}/users.db" } }
bots: { personal_tokens: true }
tokens:
  audiences:
    openmetadata: { claims: { sub: "{username}", preferred_username: "{username}", roles: "{roles}" } }
    lake: { lifetime: 10m, typ: at+jwt }
"#;

fn bots(folder: &Folder, arguments: &[&str]) -> Done {
    crate::run(folder, &[&["bots"], arguments].concat(), &[])
}

/// A command that must succeed; what it wrote, without the line's end.
fn done(folder: &Folder, arguments: &[&str]) -> String {
    let done = bots(folder, arguments);
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{done:?}");
    done.stdout.trim_end().to_owned()
}

fn described(folder: &Folder, name: &str) -> Value {
    serde_json::from_str(&done(folder, &["describe", name, "--json"])).unwrap()
}

/// `Authorization` of the first administrator.
fn admin(server: &Server) -> String {
    let password = std::fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    basic("admin", password.trim())
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine;
    let words = format!("{name}:{password}");
    format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(words))
}

/// Adds a user to the running server's table.
fn add_user(folder: &Folder, name: &str, role: &str) {
    let arguments = ["users", "add", name, "--role", role, "--password-stdin"];
    let environment = [
        ("COUNTERSIGN_STATE", "state"),
        ("COUNTERSIGN_CONFIG", "config.yaml"),
    ];
    let done = countersign(folder.path(), &arguments, &environment, "s3cret\n");
    assert_eq!(done.code, 0, "{done:?}");
}

fn call(server: &Server, method: &str, path: &str, who: &str, body: &str) -> Answer {
    let headers = [("authorization", who), ("content-type", "application/json")];
    send(server.address, method, path, &headers, body.as_bytes())
}

/// An exchange of an opaque token, with further parameters.
fn exchange(server: &Server, token: &str, more: &str) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let body = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token{more}"
    );
    send(
        server.address,
        "POST",
        "/oauth2/token",
        &[kind],
        body.as_bytes(),
    )
}

/// Changes a database in the state folder behind the server's back; the answer is how many rows.
fn sql(server: &Server, file: &str, statement: &'static str) -> u64 {
    let options = SqliteConnectOptions::new().filename(server.state.join(file));
    Runtime::new().unwrap().block_on(async {
        let mut connection = options.connect().await.unwrap();
        let changed = sqlx::query(statement).execute(&mut connection).await;
        connection.close().await.unwrap();
        changed.unwrap().rows_affected()
    })
}
