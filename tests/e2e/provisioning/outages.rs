//! The target or the store is away: 503 for those who need it, and for nobody else.

use super::*;

#[test]
fn outage_of_the_target_is_503_for_its_users_alone() {
    let folder = Folder::new();
    let existing = "rows: [{ id: 1, username: root, password: true }]";
    let server = Setting {
        rows: existing,
        ..PLAIN
    }
    .start(&folder);
    let answer = login(&server, "unavailable-ada");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    let body = r#"{"username":"root","password":"row"}"#;
    assert_eq!(
        post_json(server.address, "/auth/users/token", body).status,
        201
    );
}

#[test]
fn store_that_is_gone_is_503_for_those_who_need_it_and_for_nobody_else() {
    let folder = Folder::new();
    let existing = "rows: [{ id: 1, username: root, password: true }]";
    let server = Setting {
        rows: existing,
        ..PLAIN
    }
    .start(&folder);
    assert_eq!(login(&server, "ada").status, 201);
    // Somebody writes, and does not come to an end.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = SqliteConnectOptions::new().filename(server.state.join("store.db"));
    let mut other = runtime.block_on(options.connect()).unwrap();
    let begin = sqlx::query("BEGIN EXCLUSIVE").execute(&mut other);
    runtime.block_on(begin).unwrap();
    assert_eq!(login(&server, "bea").status, 503);
    assert_eq!(
        claims(&login(&server, "ada"))["sub"],
        "2",
        "a link is only read"
    );
    let body = r#"{"username":"root","password":"row"}"#;
    assert_eq!(
        post_json(server.address, "/auth/users/token", body).status,
        201
    );
    runtime.block_on(other.close()).unwrap();
    assert_eq!(claims(&login(&server, "bea"))["sub"], "3");
}
