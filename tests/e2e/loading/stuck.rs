//! Calls that do not end: the client has its answer at the deadline, the host knows what
//! still runs, and the backend comes back when the plugin lets go.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use countersign_tests::{Folder, Server, artifacts, post_json};

use super::{sinning, until};

/// Asks the backend itself, not the chain.
fn ask(server: &Server, backend: &str, username: &str) -> countersign_tests::Answer {
    let body = format!(r#"{{"username":"{username}","password":"door"}}"#);
    post_json(server.address, &format!("/auth/{backend}/token"), &body)
}

#[test]
fn p09_blocking_calls_end_at_their_deadline_and_hold_their_permits_until_they_really_end() {
    for how in ["sleeps", "spins"] {
        let folder = Folder::new();
        folder.plugin(&artifacts::plugin("template"), "template");
        let more = format!(
            ", config: {{ how: {how} }}, timeout: 200ms, concurrency: 2 }}\n  door: {{ plugin: template, config: {{ password: door }}"
        );
        let server = sinning(&folder, "blocks", &more);
        for _ in 0..2 {
            assert_eq!(ask(&server, "sin", "forever").status, 503);
        }
        // Threads of the plugin are free, but both permits are with calls that go on.
        let refused = ask(&server, "sin", "ada");
        assert_eq!(refused.status, 503, "{how}");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(ask(&server, "door", "ada").status, 201, "another backend");
        fs::write(server.state.join("release"), "").unwrap();
        until("the permits come back", || {
            ask(&server, "sin", "ada").status == 201
        });
        let (code, log) = server.stop();
        assert_eq!(code, 0, "{log}");
        assert!(log.contains("2 of them are stuck"), "{how}:\n{log}");
    }
}

#[test]
fn p09_backend_whose_calls_are_all_stuck_is_not_asked_until_it_answers_again() {
    let folder = Folder::new();
    let more = ", config: { how: sleeps }, timeout: 100ms, concurrency: 100";
    let server = sinning(&folder, "blocks", more);
    // More than the plugin has threads: even a call that would be quick gets none.
    let threads = std::thread::available_parallelism().unwrap().get().max(5);
    for user in 0..threads {
        assert_eq!(server.login(&format!("forever{user}"), "x").status, 503);
    }
    let refused = server.login("ada", "x");
    assert_eq!(refused.status, 503);
    assert!(refused.header("retry-after").is_some());
    fs::write(server.state.join("release"), "").unwrap();
    until("the backend is asked again", || {
        server.login("ada", "x").status == 201
    });
    let (_, log) = server.stop();
    for text in [
        "breaker open: the last calls all timed out",
        "the breaker is open",
        "breaker half open",
        "breaker closed",
    ] {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
}

#[test]
fn p09_work_that_ignores_its_cancellation_is_counted_until_it_ends() {
    let folder = Folder::new();
    let more = ", timeout: 200ms, concurrency: 1";
    let server = sinning(&folder, "ignores_cancellation", more);
    assert_eq!(server.login("forever", "x").status, 503);
    assert_eq!(server.login("ada", "x").status, 503);
    fs::write(server.state.join("release"), "").unwrap();
    until("the permit comes back", || {
        server.login("ada", "x").status == 201
    });
    let (_, log) = server.stop();
    assert!(log.contains("1 of them are stuck"), "{log}");
}

#[test]
fn call_of_a_client_that_goes_away_is_cancelled_in_the_plugin() {
    let folder = Folder::new();
    let more = ", timeout: 1h, concurrency: 1";
    let server = sinning(&folder, "notices_cancellation", more);
    let (begun, cancelled) = (server.state.join("begun"), server.state.join("cancelled"));
    // The second finds the one permit free again.
    for _ in 0..2 {
        let mut client = TcpStream::connect(server.address).unwrap();
        client
            .write_all(b"POST /auth/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            .unwrap();
        until("the call begins", || begun.exists());
        assert!(!cancelled.exists());
        drop(client);
        until("the call is cancelled", || cancelled.exists());
        fs::remove_file(&begun).unwrap();
        fs::remove_file(&cancelled).unwrap();
    }
}

#[test]
fn p14_plugin_that_takes_more_memory_on_each_call_is_served_on() {
    let folder = Folder::new();
    let server = sinning(&folder, "hoards", "");
    for call in 1..=64 {
        let token = server.token("ada", "x");
        let subject = &countersign_tests::token::claims(&token)["sub"];
        assert_eq!(*subject, call.to_string());
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
}
