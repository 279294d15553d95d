//! Answers beyond all measure: each is a fault that is named, or is cut.

use countersign_tests::{Folder, Server, patched};

use super::sinning;

#[test]
fn p11_answer_beyond_the_limits_is_a_fault_that_names_what() {
    let folder = Folder::new();
    let mut server = sinning(&folder, "talks_nonsense", "");
    for username in ["id", "nul", "role", "roles", "attributes"] {
        assert_eq!(server.login(username, "x").status, 500, "{username}");
    }
    assert_eq!(server.login("ada", "x").status, 201);
    assert!(server.is_running());
    let (_, log) = server.stop();
    for text in [
        "the user's id is longer than 1024 bytes",
        "id has control characters",
        "a role is longer than 1024 bytes",
        "more than 1000 roles",
        "the user's attributes is longer than",
    ] {
        assert!(log.contains(text), "{text:?} is missing");
    }
}

#[test]
fn p11_text_beyond_its_limit_is_cut_in_logs_and_refusals() {
    let folder = Folder::new();
    let server = sinning(&folder, "talks_nonsense", "");
    assert_eq!(server.login("log", "x").status, 201);
    assert_eq!(server.login("refusal", "x").status, 401);
    let refused = server.login("public", "x");
    assert_eq!(refused.status, 400);
    assert!(refused.body.len() < 10_000, "{} bytes", refused.body.len());
    let (_, log) = server.stop();
    let longest = log.lines().map(str::len).max();
    assert!(longest.is_some_and(|length| length < 40_000), "{longest:?}");
}

#[test]
fn p11_text_that_is_not_utf8_is_a_fault_that_names_it() {
    // Safe code cannot make one: the plugin is built against a boundary that can.
    let version = (
        "sdk/abi/Cargo.toml",
        "version = \"1.0.0\"",
        "version = \"1.0.1\"",
    );
    let change = (
        "sdk/abi/src/types.rs",
        "            email: user.email.into(),\n",
        "            // SAFETY: none; it is what a broken plugin would do.\n            email: unsafe { RString::from_utf8_unchecked(RVec::from(vec![0xff, 0xfe])) },\n",
    );
    let folder = Folder::new();
    folder.plugin(&patched::plugin("not_utf8", &[version, change]), "sin");
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  sin: { plugin: sin, config: { password: door } }\n",
    );
    assert_eq!(server.login("ada", "door").status, 500);
    assert_eq!(server.login("ada", "wrong").status, 401);
    let (_, log) = server.stop();
    assert!(log.contains("the user's email is not UTF-8"), "{log}");
}
