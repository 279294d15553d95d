//! Users in a server's tables, through HTTP: a real PostgreSQL with Airflow's tables.

use std::thread;

use countersign_tests::{Folder, Server, countersign, get, postgres::Postgres, token};

const TABLES: &str = include_str!("../../plugins/db/tests/db/airflow-postgres.sql");
/// Of "correct horse", as Airflow 3 stores it at a low cost.
const HASH: &str = "scrypt:1024:8:1$Wfhhfv0zDVEVVu7N$8b251e1108e8ec37fb5ff42a10cb36abb8ac205c17f2925538252f21ba2bf9e8c0c50c7f1f9a1a3926e63e18f0e69070986af8d3dd4b821b52aee1c5504e975b";

#[test]
fn airflows_users_on_postgresql_log_in_are_added_and_survive_an_outage_as_503() {
    let folder = Folder::new();
    let postgres = Postgres::start();
    postgres.run(TABLES);
    postgres.run(&format!(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, password, active)
         VALUES (17, 'Ada', 'L', 'ada', 'ada@example.org', '{HASH}', TRUE),
                (18, 'Bob', 'M', 'bob', 'bob@example.org', '{HASH}', FALSE);
         INSERT INTO ab_user_role (user_id, role_id) VALUES (17, 5)"
    ));
    let url = postgres
        .url
        .replace("postgres://", "postgresql+psycopg2://");
    let server = Server::start(
        &folder,
        &format!(
            "tokens: {{ claims: {{ roles: \"{{roles}}\" }} }}\n\
             backends:\n  users: {{ plugin: db, config: {{ url: \"{url}\", access: full }} }}\n"
        ),
    );
    let claims = token::claims(&server.token("ADA", "correct horse"));
    assert_eq!(claims["sub"], "17");
    assert_eq!(claims["roles"], serde_json::json!(["Op"]));
    for (name, password) in [("ada", "wrong"), ("bob", "correct horse"), ("nobody", "x")] {
        let answer = server.login(name, password);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
    }

    let state = server.state.to_str().unwrap().to_owned();
    let arguments = [
        "users",
        "add",
        "eve",
        "--role",
        "Op",
        "--password-stdin",
        "--config",
        "config.yaml",
    ];
    let done = countersign(
        folder.path(),
        &arguments,
        &[("COUNTERSIGN_STATE", &state)],
        "s3cret\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(token::claims(&server.token("eve", "s3cret"))["sub"], "100");

    drop(postgres);
    for password in ["correct horse", "wrong"] {
        let answer = server.login("ada", password);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    let (_, log) = server.stop();
    assert!(
        !log.contains("testbed-pw") && !log.contains("correct horse"),
        "{log}"
    );
}

#[test]
fn d10_more_logins_than_the_hash_pool_holds_are_503_and_nothing_else_waits() {
    let folder = Folder::new();
    let server = Server::start(
        &folder,
        "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\", hash: \"scrypt:16384:8:1\" } }\n",
    );
    let state = server.state.to_str().unwrap().to_owned();
    let arguments = [
        "users",
        "add",
        "ada",
        "--password-stdin",
        "--config",
        "config.yaml",
    ];
    let done = countersign(
        folder.path(),
        &arguments,
        &[("COUNTERSIGN_STATE", &state)],
        "s3cret\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    // Each thread of the pool has one at work and 64 waiting.
    let threads = thread::available_parallelism().map_or(2, usize::from);
    let answers: Vec<_> = thread::scope(|scope| {
        let logins: Vec<_> = (0..threads * 65 + 150)
            .map(|_| scope.spawn(|| server.login("ada", "s3cret")))
            .collect();
        assert_eq!(get(server.address, "/.well-known/jwks.json").status, 200);
        logins
            .into_iter()
            .map(|login| login.join().unwrap())
            .collect()
    });
    let count = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert!(
        count(201) > 0 && count(503) > 0,
        "{} and {}",
        count(201),
        count(503)
    );
    assert_eq!(count(201) + count(503), answers.len(), "never a refusal");
    let busy = answers.iter().filter(|answer| answer.status == 503);
    assert!(
        busy.clone()
            .all(|answer| answer.header("retry-after").is_some())
    );
    server.token("ada", "s3cret");
}
