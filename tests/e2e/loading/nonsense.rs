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
    // Safe code cannot make one: the plugin is built against a boundary whose users have
    // the text that the boundary's own tests have.
    let changes = [
        (
            "sdk/abi/Cargo.toml",
            "version = \"1.0.0\"",
            "version = \"1.0.1\"",
        ),
        (
            "sdk/abi/src/types.rs",
            "            email: user.email.into(),\n",
            "            email: crate::received::tests::not_utf8(),\n",
        ),
        (
            "sdk/abi/src/received.rs",
            "#[cfg(test)]\nmod tests {\n",
            "pub(crate) mod tests {\n",
        ),
        (
            "sdk/abi/src/received.rs",
            "    fn not_utf8()",
            "    pub(crate) fn not_utf8()",
        ),
    ];
    let folder = Folder::new();
    folder.plugin(&patched::plugin("not_utf8", &changes), "sin");
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  sin: { plugin: sin, config: { password: door } }\n",
    );
    assert_eq!(server.login("ada", "door").status, 500);
    assert_eq!(server.login("ada", "wrong").status, 401);
    let (_, log) = server.stop();
    assert!(log.contains("the user's email is not UTF-8"), "{log}");
}
