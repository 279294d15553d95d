//! `countersign users unlink`: a link that should not be is dropped by an operator.

use std::fs;

use countersign_tests::{Done, Folder, Server, post_json, token};
use serde_json::Value;

use super::{PLAIN, claims, login, plugins, rows};
use crate::run;

fn unlink(folder: &Folder, arguments: &[&str]) -> Done {
    run(folder, &[&["users", "unlink"], arguments].concat(), &[])
}

#[test]
fn user_whose_row_is_gone_gets_a_new_one_once_he_is_unlinked() {
    let folder = Folder::new();
    let server = PLAIN.start(&folder);
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
    let state = server.state.clone();
    server.stop();
    fs::remove_file(state.join("users.json")).unwrap();
    let server = Server::start(&folder, &PLAIN.config());
    assert_eq!(login(&server, "ada").status, 401);
    let done = unlink(&folder, &["ADA"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (
            0,
            "row ADA is no longer linked to dir:id-ada (row 101 of users)\n"
        ),
        "{done:?}"
    );
    claims(&login(&server, "ada"));
    assert_eq!(rows(&state).len(), 1);
    let (_, log) = server.stop();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut lines = lines.filter(|line: &Value| line["change"] == "link dropped");
    let line = lines.next().unwrap();
    assert_eq!(line["target"], "audit", "{line}");
    assert_eq!(line["user"], "dir:id-ada (row 101 of users)", "{line}");
    assert_eq!(line["by"], "command line", "{line}");
    assert!(lines.next().is_none(), "{log}");
    // The same without a server, and once.
    let done = unlink(&folder, &["ada", "--user", "dir:id-ada"]);
    assert_eq!(done.code, 0, "{done:?}");
    let done = unlink(&folder, &["ada"]);
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    assert!(
        done.stderr.contains("no user is linked to a row \"ada\""),
        "{done:?}"
    );
}

#[test]
fn link_is_dropped_only_where_it_is_said_which_one_and_the_others_stay() {
    let folder = Folder::new();
    plugins(&folder);
    let config = "plugins: { directories: [plugins] }\ntokens: { subject_backend: users }\nbackends:\n  dir: { plugin: answers, config: {}, provision: users, registration: true }\n  sso: { plugin: answers, config: {}, provision: others, registration: true }\n  users: { plugin: provisions, config: {} }\n  others: { plugin: provisions, config: { rows: [{ id: 7, username: eve }] } }\n";
    let server = Server::start(&folder, config);
    let subject = |backend: &str| {
        let body = r#"{"username":"ada","password":"x"}"#;
        let answer = post_json(server.address, &format!("/auth/{backend}/token"), body);
        assert_eq!(answer.status, 201, "{answer:?}\n{}", server.log());
        token::claims(answer.json()["access_token"].as_str().unwrap())["sub"].clone()
    };
    subject("dir");
    subject("sso");
    for (arguments, part) in [
        (&["ada"][..], "sso:id-ada (row "),
        (&["ada"], "--user BACKEND:ID"),
        (&["ada", "--user", "dir:ada"], "no user is linked"),
        (&["ada", "--backend", "dir"], "no user is linked"),
        (&["eve"], "no user is linked"),
    ] {
        let done = unlink(&folder, arguments);
        assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
        assert!(done.stderr.contains(part), "{part}: {done:?}");
    }
    let done = unlink(&folder, &["ada", "--backend", "others"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("sso:id-ada"), "{done:?}");
    let done = unlink(&folder, &["ada"]);
    assert!(done.stdout.contains("dir:id-ada"), "{done:?}");
    // Unlinked, he is a stranger whose name is taken.
    let body = r#"{"username":"ada","password":"x"}"#;
    let answer = post_json(server.address, "/auth/dir/token", body);
    assert_eq!(answer.status, 401, "{answer:?}");
}
