//! Request ids: on every answer, in every line of the request, from whom they are taken.

use countersign_tests::{Answer, Folder, Server, artifacts, get, post_json, send};
use serde_json::Value;

use crate::{TEMPLATE, template};

fn id(answer: &Answer) -> String {
    let id = answer.header("x-request-id");
    id.unwrap_or_else(|| panic!("{answer:?}")).to_owned()
}

fn asking(server: &Server, id: &str) -> String {
    let answer = send(
        server.address,
        "GET",
        "/.well-known/jwks.json",
        &[("x-request-id", id)],
        b"",
    );
    answer.header("x-request-id").unwrap().to_owned()
}

#[test]
fn every_answer_has_an_id_of_its_own() {
    let folder = Folder::new();
    let server = template(&folder);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let mut answers = vec![
        server.login("ada", "door"),
        server.login("ada", "wrong"),
        get(server.address, "/nowhere"),
        get(server.address, "/auth/token"),
        post_json(server.address, "/auth/nobody/token", "{}"),
        post_json(server.address, "/auth/token", "{}"),
        post_json(server.address, "/auth/token", &"x".repeat(70_000)),
        post_json(server.address, "/auth/token", "["),
        send(server.address, "POST", "/auth/token", &[form], b"a=b"),
        get(server.address, "/.well-known/jwks.json"),
        post_json(server.address, "/.well-known/jwks.json", "{}"),
        get(server.address, "/openapi.json"),
    ];
    for _ in 0..10 {
        answers.push(server.login("eve", "wrong"));
    }
    assert_eq!(answers.last().unwrap().status, 401);
    answers.push(server.login("eve", "wrong"));
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    for status in [200, 201, 400, 401, 404, 405, 413, 415, 422, 429] {
        assert!(statuses.contains(&status), "{status} in {statuses:?}");
    }
    let mut ids: Vec<String> = answers.iter().map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
}

#[test]
fn h07_error_bodies_are_fixed_texts_and_name_the_request() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("panics_in_create_token"), "panics");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  first: { plugin: answers, config: {} }\n  bad: { plugin: panics, config: {} }\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";
    folder.plugin(&artifacts::plugin("db"), "db");
    let server = Server::start(&folder, config);
    let known = [
        "Invalid credentials",
        "Internal Server Error",
        "Service Unavailable",
        "Not Found",
    ];
    for (backend, name, status) in [
        ("first", "denied", 401),
        ("first", "unavailable", 503),
        ("first", "fault", 500),
        ("first", "empty", 500),
        ("bad", "boom", 500),
        ("users", "'; DROP TABLE ab_user; --", 401),
        ("nowhere", "ada", 404),
    ] {
        let body = serde_json::json!({ "username": name, "password": "x" }).to_string();
        let answer = post_json(server.address, &format!("/auth/{backend}/token"), &body);
        assert_eq!(answer.status, status, "{backend} {name}");
        let told = answer.json();
        assert!(known.contains(&told["detail"].as_str().unwrap()), "{told}");
        let members = told.as_object().unwrap().len();
        let id = id(&answer);
        if status == 500 {
            assert_eq!(
                (members, told["request_id"].as_str()),
                (2, Some(id.as_str()))
            );
        } else {
            assert_eq!(members, 1, "{told}");
        }
    }
}

#[test]
fn id_of_a_stranger_is_not_taken() {
    let folder = Folder::new();
    let server = template(&folder);
    assert_ne!(asking(&server, "chosen-by-me"), "chosen-by-me");
}

#[test]
fn id_of_a_trusted_proxy_is_taken_if_it_is_harmless() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(
        &folder,
        &format!("server: {{ trusted_proxies: [127.0.0.0/8] }}\n{TEMPLATE}"),
    );
    assert_eq!(asking(&server, "Root=1-6789-ab.c:d"), "Root=1-6789-ab.c:d");
    let long = "x".repeat(129);
    for bad in ["a b", "a\"b", "a\tb", "{}", "", &long] {
        assert_ne!(asking(&server, bad), bad);
    }
}

#[test]
fn lines_of_a_request_carry_its_id_and_no_query() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::with(&folder, TEMPLATE, &[("RUST_LOG", "debug")]);
    let answer = post_json(server.address, "/auth/token?secret=canary", "{}");
    let id = id(&answer);
    let (_, log) = server.stop();
    assert!(!log.contains("canary"), "{log}");
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let access = lines.iter().find(|line| line["message"] == "answered");
    let access = access.unwrap();
    assert_eq!(access["request"], id.as_str());
    assert_eq!(
        (&access["method"], &access["status"]),
        (&"POST".into(), &400.into())
    );
    assert_eq!(access["path"], "/auth/token");
    assert_eq!(access["address"], "127.0.0.1");
    let audit = lines.iter().find(|line| line["target"] == "audit").unwrap();
    assert_eq!(audit["request"], id.as_str());
}

#[test]
fn lines_of_a_plugin_carry_the_id_where_the_hosts_do() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("floods"), "floods");
    let config =
        "plugins: { directories: [plugins] }\nbackends:\n  loud: { plugin: floods, config: {} }\n";
    let server = Server::start(&folder, config);
    let answer = server.login("ada", "x");
    let id = id(&answer);
    let (_, log) = server.stop();
    let lines = log.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines.collect();
    let spoken = |line: &&Value| line["target"] == "plugin" && line["module"].is_string();
    let spoken = lines.iter().find(spoken).unwrap();
    assert_eq!(spoken["request"], id.as_str(), "{spoken}");
    let fields = spoken["fields"].as_str().unwrap_or_default();
    assert!(!fields.contains("request"), "{spoken}");
}
