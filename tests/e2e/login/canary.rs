//! No password, code, state or cookie in any log or page.

use countersign_tests::{Folder, Server, artifacts, get};

use super::{BACKENDS, Browser, PUBLIC};

#[test]
fn c07_secrets_of_a_login_come_out_nowhere() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("signs_in"), "signs_in");
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = format!("{PUBLIC}\n{BACKENDS}");
    let server = Server::with(&folder, &config, &[("RUST_LOG", "trace")]);
    let mut browser = Browser::new(&server);
    let state = browser.begin("/login/company_sso");
    let mut secrets = vec![state.clone()];
    let mut bodies = String::new();
    let callback = format!("/callback/company_sso?code=canary&state={state}");
    for path in [
        &*callback,
        &callback,
        "/callback?code=canary-code&state=canary-state",
        "/nowhere?code=canary-code",
    ] {
        bodies += &browser.get(path).body;
    }
    for code in ["denied", "fault", "unavailable"] {
        let state = browser.begin("/login/company_sso");
        bodies += &browser
            .get(&format!(
                "/callback/company_sso?code={code}&state={state}&more=canary-more"
            ))
            .body;
        secrets.push(state);
    }
    bodies += &browser.sign_in("ada", "canary-password").body;
    bodies += &browser
        .send(
            "POST",
            "/login",
            &[],
            "password=canary-password&password=canary-password",
        )
        .body;
    bodies += &browser
        .send(
            "POST",
            "/login",
            &[],
            "token=canary-token&password=canary-password",
        )
        .body;
    bodies += &browser
        .send(
            "GET",
            "/login",
            &[("authorization", "Bearer canary-bearer")],
            "",
        )
        .body;
    secrets.extend(browser.cookies.iter().map(|(_, value)| value.clone()));
    bodies += &get(server.admin, "/metrics").body;
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(
        log.contains("\"target\":\"audit\""),
        "the log has something to search"
    );
    // The name of who signed in is `canary`, which the log may say.
    secrets.extend(["canary-"].map(str::to_owned));
    for secret in secrets.iter().filter(|secret| secret.len() > 1) {
        for (what, text) in [("a page", &bodies), ("the log", &log)] {
            let place = text.find(secret.as_str());
            let place = place.map(|at| &text[at.saturating_sub(200)..(at + 60).min(text.len())]);
            assert_eq!(place, None, "a secret came out in {what}");
        }
    }
}

#[test]
fn h08_what_a_client_writes_cannot_forge_a_line() {
    let folder = Folder::new();
    let server = super::server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    browser.sign_in(
        "ada\r\n{\"message\":\"signed in\"}\u{1b}[31m\u{202e}",
        "wrong",
    );
    let (_, log) = server.stop();
    assert!(log.contains("\\\\u{d}\\\\u{a}"), "{log}");
    assert!(!log.contains('\u{1b}') && !log.contains('\u{202e}'));
    assert!(!log.lines().any(|line| line.starts_with("{\"message\"")));
}
