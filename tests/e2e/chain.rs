//! The chain: which backend is asked, which one decides, and what the client gets.

use std::collections::HashMap;
use std::fmt::Write as _;

use countersign_tests::{Answer, Folder, Server, artifacts, send, token};
use serde_json::Value;

/// An outcome, and what the fixture answers it to.
const OUTCOMES: [(&str, &str); 6] = [
    ("authenticated", "ada"),
    ("denied", "denied"),
    ("invalid", "invalid"),
    ("unavailable", "unavailable"),
    ("fault", "fault"),
    ("not_applicable", "nobody"),
];

/// The table as it should be, to be read by people; its head says what the columns are.
const TABLE: &str = include_str!("chain_table.txt");

/// Two backends of the fixture; `first` are settings of the first one.
fn two(folder: &Folder, first: &str, second: &str) -> Server {
    folder.plugin(&artifacts::fixture("answers"), "answers");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nserver: {{ throttle: {{ user: 0, address: 0 }} }}\nbackends:\n  first: {{ plugin: answers, config: {{ place: 0 }}, {first} }}\n  second: {{ plugin: answers, config: {{ place: 1 }}, {second} }}\n"
    );
    Server::start(folder, &config)
}

fn post(server: &Server, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = [&[("content-type", "application/json")], headers].concat();
    send(server.address, "POST", path, &headers, body.as_bytes())
}

fn login(server: &Server, path: &str, username: &str) -> Answer {
    let body = format!(r#"{{"username":"{username}","password":"x"}}"#);
    post(server, path, &[], &body)
}

fn subject(answer: &Answer) -> String {
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    token::claims(&token)["sub"].as_str().unwrap().to_owned()
}

#[test]
fn p24_every_pair_of_outcomes_under_every_setting_is_as_the_table_says() {
    let head = TABLE.lines().take_while(|line| line.starts_with('#'));
    let mut table = head.fold(String::new(), |text, line| text + line + "\n");
    for on_denied in ["stop", "next"] {
        for on_unavailable in ["stop", "next"] {
            let settings = format!("on_denied: {on_denied}, on_unavailable: {on_unavailable}");
            let folder = Folder::new();
            let server = two(&folder, &settings, "");
            let pairs = OUTCOMES.map(|first| OUTCOMES.map(|second| (first, second)));
            let asked: Vec<_> = pairs
                .iter()
                .flatten()
                .map(|((first, a), (second, b))| {
                    let answer = login(&server, "/auth/token", &format!("{a}+{b}"));
                    (first, second, answer)
                })
                .collect();
            let decided = decisions(&server.stop().1);
            writeln!(table, "\n{settings}\n").unwrap();
            for (first, second, answer) in asked {
                let pause = answer.header("retry-after").unwrap_or("-");
                let who = decided[answer.header("x-request-id").unwrap()].as_str();
                let status = answer.status;
                writeln!(
                    table,
                    "  {first:<14} {second:<15} {status:<7} {pause:<12} {who}"
                )
                .unwrap();
            }
        }
    }
    let differ = TABLE.lines().zip(table.lines()).filter(|(a, b)| a != b);
    let differ: Vec<_> = differ.collect();
    assert!(table == TABLE, "expected, found: {differ:#?}\n{table}");
}

/// Request id → the backend that the audit log names.
fn decisions(log: &str) -> HashMap<String, String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let text = |line: &Value, key: &str| Some(line[key].as_str()?.to_owned());
    lines
        .filter(|line| line["target"] == "audit")
        .filter_map(|line| {
            let who = text(&line, "backend").unwrap_or_else(|| "nobody".to_owned());
            Some((text(&line, "request")?, who))
        })
        .collect()
}

#[test]
fn match_asks_a_backend_only_if_all_that_is_given_holds() {
    let name = r#"{"username":"ada@corp","password":"x"}"#;
    let other = r#"{"username":"ada@corp.evil","password":"x"}"#;
    let field = r#"{"username":"ada@corp","password":"x","tenant":null}"#;
    let number = r#"{"username":7,"password":"x","tenant":1}"#;
    let team: &[(&str, &str)] = &[("x-team", "")];
    let none: &[(&str, &str)] = &[];
    for (rules, asked) in [
        (
            "username: '.*@corp'",
            [
                (name, none, true),
                (other, none, false),
                (number, none, false),
            ],
        ),
        (
            "username: 'a|.*p'",
            [
                (name, none, true),
                (other, none, false),
                (number, team, false),
            ],
        ),
        (
            "header: X-Team",
            [(name, none, false), (name, team, true), (other, team, true)],
        ),
        (
            "body: tenant",
            [
                (name, none, false),
                (field, none, true),
                (name, team, false),
            ],
        ),
        (
            "username: '.*@corp', header: x-team, body: tenant",
            [
                (field, team, true),
                (field, none, false),
                (name, team, false),
            ],
        ),
    ] {
        let folder = Folder::new();
        let server = two(&folder, &format!("match: {{ {rules} }}"), "");
        for (body, headers, is_asked) in asked {
            let answer = post(&server, "/auth/token", headers, body);
            let first = answer.status == 201 && subject(&answer).starts_with("first:");
            assert_eq!(first, is_asked, "{rules}: {body} {headers:?}: {answer:?}");
            // The direct path is no way round it.
            let direct = post(&server, "/auth/first/token", headers, body);
            assert_eq!(
                direct.status == 201,
                is_asked,
                "{rules}: {body}: {direct:?}"
            );
        }
    }
}

#[test]
fn login_false_is_never_asked_by_the_chain_nor_directly() {
    let folder = Folder::new();
    let server = two(&folder, "login: false", "");
    assert_eq!(
        subject(&login(&server, "/auth/token", "ada")),
        "second:id-ada"
    );
    assert_eq!(login(&server, "/auth/token", "denied+ada").status, 201);
    assert_eq!(login(&server, "/auth/first/token", "ada").status, 404);
    assert_eq!(login(&server, "/auth/second/token", "ada").status, 201);
}

#[test]
fn direct_false_closes_the_way_round_the_order() {
    let folder = Folder::new();
    let server = two(&folder, "", "direct: false");
    // Whom the first refuses, the second would let in.
    assert_eq!(login(&server, "/auth/token", "denied+ada").status, 401);
    assert_eq!(
        login(&server, "/auth/second/token", "denied+ada").status,
        404
    );
    // In its turn it is asked all the same.
    assert_eq!(login(&server, "/auth/token", "nobody+ada").status, 201);
    drop(server);
    let server = two(&folder, "", "");
    assert_eq!(
        login(&server, "/auth/second/token", "denied+ada").status,
        201
    );
}

#[test]
fn direct_path_asks_one_backend_alone_whatever_follows_in_the_chain() {
    let folder = Folder::new();
    let server = two(&folder, "on_denied: next, on_unavailable: next", "");
    for (asked, in_chain, directly) in [
        ("denied+ada", 201, 401),
        ("unavailable+ada", 201, 503),
        ("nobody+ada", 201, 401),
        ("ada+denied", 201, 201),
    ] {
        assert_eq!(
            login(&server, "/auth/token", asked).status,
            in_chain,
            "{asked}"
        );
        assert_eq!(
            login(&server, "/auth/first/token", asked).status,
            directly,
            "{asked}"
        );
    }
}
