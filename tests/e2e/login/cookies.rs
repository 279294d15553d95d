//! The cookies: what they are called, who may send them, how long they are good.

use countersign_tests::{Folder, Server, artifacts};

use super::{BACKENDS, Browser, PUBLIC, server, set_cookies};

#[test]
fn cookies_are_for_this_host_and_https_and_out_of_reach_of_scripts() {
    let folder = Folder::new();
    let server = server(
        &folder,
        BACKENDS,
        "server: { public_url: \"https://id.example\" }",
    );
    let mut browser = Browser::new(&server);
    let mut seen = Vec::new();
    for answer in [
        browser.get("/login"),
        browser.get("/login/company_sso"),
        browser.come_back("ada"),
    ] {
        seen.extend(set_cookies(&answer).into_iter().map(str::to_owned));
    }
    assert!(seen.len() >= 4, "{seen:?}");
    for cookie in seen {
        assert!(cookie.starts_with("__Host-countersign-"), "{cookie}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(
                cookie.contains(attribute),
                "{attribute} is missing: {cookie}"
            );
        }
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    assert_eq!(browser.cookie("__Host-countersign-session").len(), 1);
}

#[test]
fn cookies_over_plain_http_are_sent_over_it() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let answer = browser.come_back("ada");
    for cookie in set_cookies(&answer) {
        assert!(
            cookie.starts_with("countersign-") && !cookie.contains("Secure"),
            "{cookie}"
        );
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
    }
    assert!(browser.is_signed_in());
}

#[test]
fn cookies_that_were_changed_or_are_of_another_purpose_are_nobodys() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let token = browser.token("/login");
    browser.come_back("ada");
    let session = browser
        .cookies
        .iter()
        .find(|(name, _)| name == "countersign-session")
        .unwrap()
        .1
        .clone();
    let changed = format!("{}A", &session[..session.len() - 1]);
    for value in ["", "x", &changed, &session[..40], &token] {
        if value == session {
            continue;
        }
        let mut other = Browser::new(&server);
        other
            .cookies
            .push(("countersign-session".into(), value.into()));
        assert!(!other.is_signed_in(), "{value}");
    }
}

#[test]
fn sessions_and_logins_outlive_a_reload_and_a_restart() {
    let folder = Folder::new();
    let first = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&first);
    browser.come_back("ada");
    let mut half = Browser::new(&first);
    let state = half.begin("/login/company_sso");
    let reloaded = crate::run(&folder, &["reload"], &[]);
    assert_eq!(reloaded.code, 0, "{reloaded:?}");
    assert!(browser.is_signed_in());
    first.stop();
    let second = server(&folder, BACKENDS, PUBLIC);
    browser.address = second.address;
    half.address = second.address;
    assert!(browser.is_signed_in());
    let back = half.get(&format!("/callback/company_sso?code=ada&state={state}"));
    assert_eq!(back.status, 303);
}

#[test]
fn hosts_that_share_the_key_share_the_sessions() {
    let (one, two) = (Folder::new(), Folder::new());
    let first = server(&one, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&first);
    browser.come_back("ada");
    let mut half = Browser::new(&first);
    let state = half.begin("/login/company_sso");
    let stranger = server(&Folder::new(), BACKENDS, PUBLIC);
    browser.address = stranger.address;
    assert!(!browser.is_signed_in(), "another key");
    let key = std::fs::read(first.state.join("session.key")).unwrap();
    let state_folder = two.join("state");
    std::fs::create_dir(&state_folder).unwrap();
    let place = two.write("state/session.key", key);
    set_mode(&place, 0o600);
    set_mode(&state_folder, 0o700);
    let second: Server = {
        two.plugin(&artifacts::fixture("signs_in"), "signs_in");
        two.plugin(&artifacts::plugin("template"), "template");
        Server::start(&two, &format!("{PUBLIC}\n{BACKENDS}"))
    };
    browser.address = second.address;
    half.address = second.address;
    assert!(browser.is_signed_in());
    assert_eq!(
        half.get(&format!("/callback/company_sso?code=ada&state={state}"))
            .status,
        303
    );
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
