//! A plugin that tells what it knows: the host takes the secrets out of its lines.

use countersign_tests::{Folder, artifacts, send};

const CONFIG: &str = r#"
plugins: { directories: [plugins] }
backends:
  sin:
    plugin: sin
    config: { url: "ldap://reader:canary-url@directory", bind_password: canary-bind }
"#;

#[test]
fn c07_secrets_that_a_plugin_tells_are_hidden_in_its_lines_panics_and_failures() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("leaks_secrets"), "sin");
    let server = countersign_tests::Server::with(&folder, CONFIG, &[("RUST_LOG", "trace")]);
    let basic = "Basic YWRhOmNhbmFyeS1iYXNpYw=="; // ada:canary-basic
    let mut seen = String::new();
    for authorization in [basic, "Bearer canary-bearer"] {
        for username in ["ada", "boom", "invalid"] {
            // What JSON and Rust each write in their own way.
            let body = serde_json::json!({ "username": username, "password": "canary \"typed\"\n\u{1}\u{e9}" });
            let answer = send(
                server.address,
                "POST",
                "/auth/token",
                &[
                    ("content-type", "application/json"),
                    ("authorization", authorization),
                ],
                body.to_string().as_bytes(),
            );
            seen += &format!("{answer:?}");
        }
        let headers = [
            ("content-type", "application/json"),
            ("authorization", authorization),
        ];
        seen += &format!(
            "{:?}",
            send(server.address, "POST", "/auth/token", &headers, b"{}")
        );
    }
    let (_, log) = server.stop();
    for text in [
        "as fields",
        "as text: [secret]",
        "only a header",
        "configured: ldap://reader:[secret]@directory [secret]",
        "bound as",
    ] {
        assert!(
            (seen.clone() + &log).contains(text),
            "{text:?} is missing in:\n{log}"
        );
    }
    for (what, text) in [("an answer", &seen), ("the log", &log)] {
        for secret in ["canary", "YWRhOmNhbmFye", "typed"] {
            let place = text
                .find(secret)
                .map(|at| &text[at.saturating_sub(300)..(at + 60).min(text.len())]);
            assert_eq!(place, None, "a secret came out in {what}");
        }
    }
}

#[test]
fn c07_secret_in_the_reason_of_a_failed_start_is_hidden() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("leaks_secrets"), "sin");
    let refusing = CONFIG.replace("bind_password:", "refuse: true, bind_password:");
    folder.write("config.yaml", refusing);
    let done = crate::run(&folder, &["check"], &[("RUST_LOG", "trace")]);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(done.stderr.contains("no entry with [secret]"), "{done:?}");
    assert!(!format!("{done:?}").contains("canary"), "{done:?}");
}
