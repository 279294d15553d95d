//! The way out.

use countersign_tests::Folder;

use super::{BACKENDS, Browser, PUBLIC, server};

#[test]
fn logout_asks_first_and_then_the_session_is_over_for_every_copy_of_it() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in("ada", "door").status, 303);
    let mut copy = Browser::new(&server);
    copy.cookies.clone_from(&browser.cookies);
    let page = browser.get("/logout");
    assert!(
        page.status == 200 && page.body.contains("Sign out?"),
        "{page:?}"
    );
    assert!(browser.is_signed_in(), "a link alone signs nobody out");
    let answer = browser.post("/logout", &[("token", "x")]);
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(browser.is_signed_in() && copy.is_signed_in());
    let token = browser.token("/login");
    let answer = browser.post("/logout", &[("token", &token)]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/login")),
        "{answer:?}"
    );
    assert!(browser.cookie("countersign-session").is_empty());
    assert!(!browser.is_signed_in() && !copy.is_signed_in());
    assert_eq!(browser.get("/logout").header("location"), Some("/login"));
}

#[test]
fn logout_goes_on_at_the_provider() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, config: { logout: \"https://sso.example/out\" } }\n  script: { plugin: signs_in, config: { logout: \"javascript:alert(1)//\" } }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    assert_eq!(browser.come_back("ada").status, 303);
    let token = browser.token("/logout");
    let answer = browser.post("/logout", &[("token", &token)]);
    let expected = "https://sso.example/out?hint=canary-id-token&#38;to=http://id.example/login\"";
    assert_eq!(answer.status, 200);
    for part in ["content=\"0; url=", "href=\""] {
        let part = format!("{part}{expected}");
        assert!(answer.body.contains(&part), "{part} is missing: {answer:?}");
    }
    assert!(browser.cookie("countersign-session").is_empty());
    let state = browser.begin("/login/script");
    browser.get(&format!("/callback/script?code=ada&state={state}"));
    let token = browser.token("/logout");
    let answer = browser.post("/logout", &[("token", &token)]);
    assert_eq!(answer.header("location"), Some("/login"), "{answer:?}");
}

#[test]
fn signing_in_anew_ends_the_session_before() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    browser.come_back("ada");
    let mut copy = Browser::new(&server);
    copy.cookies.clone_from(&browser.cookies);
    browser.come_back("eve");
    assert!(browser.get("/login").body.contains("<bdi>eve</bdi>"));
    assert!(!copy.is_signed_in());
}

#[test]
fn session_of_a_backend_that_is_gone_leads_to_the_ways_to_sign_in() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    browser.come_back("ada");
    for backends in [
        BACKENDS.replace("signs_in, config", "signs_in, login: false, config"),
        BACKENDS.replace("company_sso", "other_sso"),
    ] {
        folder.write("config.yaml", format!("{PUBLIC}\n{backends}"));
        let reloaded = crate::run(&folder, &["reload"], &[]);
        assert_eq!(reloaded.code, 0, "{reloaded:?}");
        let page = browser.get("/login?return_to=/oauth2/authorize");
        assert!(page.body.contains("name=\"password\""), "{page:?}");
        assert!(!page.body.contains("You are signed in"), "{page:?}");
    }
    // What is left of it can still be ended.
    let token = browser.token("/logout");
    assert_eq!(browser.post("/logout", &[("token", &token)]).status, 303);
    assert!(browser.cookie("countersign-session").is_empty());
}
