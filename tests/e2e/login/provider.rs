//! The way to a provider and back.

use countersign_tests::Folder;

use super::{BACKENDS, Browser, PUBLIC, parameter, server};

#[test]
fn login_leads_to_the_provider_and_back_with_a_session() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let page = browser.get("/login");
    assert_eq!(page.status, 200);
    assert!(
        page.body
            .contains("href=\"/login/company_sso\">Continue with Company SSO</a>"),
        "{page:?}"
    );
    let answer = browser.get("/login/company_sso?return_to=%2Fhome%3Fa%3Db");
    assert_eq!(answer.status, 303);
    let url = answer.header("location").unwrap();
    assert!(
        url.starts_with(
            "https://sso.example/authorize?redirect_uri=http://id.example/callback/company_sso&"
        ),
        "{url}"
    );
    let (state, nonce) = (parameter(url, "state"), parameter(url, "nonce"));
    assert!(
        state.len() >= 22 && nonce.len() >= 22 && state != nonce,
        "128 bits each: {url}"
    );
    assert!(
        !browser.seen.contains("canary-verifier"),
        "what the plugin keeps is sealed"
    );
    let back = browser.get(&format!(
        "/callback/company_sso?code=ada&state={state}&iss=x"
    ));
    assert_eq!(
        (back.status, back.header("location")),
        (303, Some("/home?a=b")),
        "{back:?}"
    );
    assert!(
        browser.cookie("countersign-login").is_empty(),
        "the login's cookie is gone"
    );
    let page = browser.get("/login?return_to=/home");
    for part in [
        "You are signed in",
        "<bdi>ada</bdi>",
        "<dd>Company SSO</dd>",
        "<li><bdi>Op</bdi></li>",
        "Ada &#60;b&#62;",
        "href=\"/home\">Continue",
    ] {
        assert!(page.body.contains(part), "{part} is missing: {page:?}");
    }
    let (_, log) = server.stop();
    let line = log
        .lines()
        .find(|line| line.contains("\"signed in\""))
        .unwrap();
    assert!(
        line.contains("\"user\":\"ada\"") && line.contains("\"path\":\"/callback/{backend}\""),
        "{line}"
    );
}

#[test]
fn o01_state_that_is_missing_wrong_reused_or_anothers_is_refused() {
    let folder = Folder::new();
    let server = server(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, config: {} }\n  other: { plugin: signs_in, config: {} }\n",
        PUBLIC,
    );
    let mut browser = Browser::new(&server);
    let mut stranger = Browser::new(&server);
    let state = browser.begin("/login/company_sso");
    let _ = stranger.begin("/login/company_sso");
    let other = browser.begin("/login/other");
    let callback = format!("/callback/company_sso?code=ada&state={state}");
    let mut refused = vec![
        browser.get("/callback/company_sso?code=ada"),
        browser.get("/callback/company_sso?error=access_denied"),
        browser.get("/callback/company_sso?code=ada&state="),
        browser.get(&format!("/callback/company_sso?code=ada&state={state}x")),
        browser.get(&format!(
            "/callback/company_sso?code=ada&state={}",
            &state[..8]
        )),
        browser.get(&format!("{callback}&state={state}")),
        browser.get(&format!("{callback}&code=eve")),
        browser.get(&format!("{callback}&more={}", "x".repeat(17_000))),
        browser.get(&format!("/callback/company_sso?code=ada&state={other}")),
        browser.get(&format!("/callback/nobody?code=ada&state={state}")),
        stranger.get(&callback),
        Browser::new(&server).get(&callback),
    ];
    let before = browser.cookies.clone();
    assert_eq!(browser.get(&callback).status, 303, "the right one goes on");
    refused.push(browser.get(&callback));
    // Somebody who copied the cookie is too late.
    let mut copied = Browser::new(&server);
    copied.cookies = before;
    refused.push(copied.get(&callback));
    assert!(!copied.is_signed_in() && !stranger.is_signed_in());
    for answer in refused {
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            answer.body.contains("Please start again") && answer.body.contains("href=\"/login\""),
            "{answer:?}"
        );
        let id = answer.header("x-request-id").unwrap();
        assert!(
            answer
                .body
                .contains(&format!("administrator: request {id}")),
            "{answer:?}"
        );
        assert_eq!(answer.header("location"), None);
    }
    let (_, log) = server.stop();
    for reason in [
        "there is no state",
        "a parameter is there twice",
        "the parameters are too long",
        "the state is not of a login that this browser began, or it is too old",
        "the state is of a login at another backend",
        "the state was used before",
    ] {
        assert!(
            log.contains(reason),
            "{reason} is not in the audit log:\n{log}"
        );
    }
}

#[test]
fn logins_in_several_tabs_do_not_disturb_each_other() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let states: Vec<String> = (0..4)
        .map(|tab| browser.begin(&format!("/login/company_sso?return_to=/tab{tab}")))
        .collect();
    for (tab, state) in states.iter().enumerate().rev() {
        let back = browser.get(&format!("/callback/company_sso?code=ada&state={state}"));
        assert_eq!(back.header("location"), Some(&*format!("/tab{tab}")));
    }
    for _ in 0..20 {
        browser.begin("/login/company_sso");
        let cookies = browser.cookie("countersign-login-");
        assert!(cookies.len() <= 5, "{cookies:?}");
    }
    let last = browser.begin("/login/company_sso");
    assert_eq!(
        browser
            .get(&format!("/callback/company_sso?code=ada&state={last}"))
            .status,
        303
    );
}

#[test]
fn h07_refusals_of_a_provider_are_pages_in_plain_words() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    for (code, status, words) in [
        (
            "denied",
            401,
            "was cancelled or did not succeed, or you have no account here",
        ),
        (
            "unavailable",
            503,
            "Company SSO does not answer. Try again in 5 seconds",
        ),
        ("fault", 500, "The fault is not yours"),
        ("", 400, "cannot be understood"),
    ] {
        let answer = browser.come_back(code);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body.contains(words), "{answer:?}");
        assert!(!answer.body.contains("private"), "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        let id = answer.header("x-request-id").unwrap();
        assert!(
            answer
                .body
                .contains(&format!("administrator: request {id}")),
            "{answer:?}"
        );
        assert!(
            browser.cookie("countersign-").is_empty(),
            "nothing is left of it"
        );
    }
    let (_, log) = server.stop();
    for reason in ["private refusal", "private outage", "private fault"] {
        assert!(log.contains(reason), "{reason} is for the audit log");
    }
}

#[test]
fn provider_that_is_down_leaves_the_other_ways() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  down: { plugin: signs_in, title: \"The <old> one\", config: { down: true } }\n  company_sso: { plugin: signs_in, config: {} }\n  door: { plugin: template, config: { password: door } }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    let answer = browser.get("/login/down?return_to=/home");
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("120"))
    );
    for part in [
        "The &#60;old&#62; one does not answer right now. Try again in 2 minutes, or sign in another way.",
        "href=\"/login/company_sso?return_to=%2Fhome\"",
        "name=\"password\"",
        "role=\"alert\"",
    ] {
        assert!(answer.body.contains(part), "{part} is missing: {answer:?}");
    }
    assert!(server.stop().1.contains("private outage"));
}

#[test]
fn what_is_too_large_for_a_cookie_or_no_url_is_a_fault_that_the_log_explains() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  large: { plugin: signs_in, config: { keeps: 8000 } }\n  script: { plugin: signs_in, config: { page: \"javascript:alert(1)\" } }\n  company_sso: { plugin: signs_in, config: {} }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    for path in ["/login/large", "/login/script"] {
        let answer = browser.get(path);
        assert_eq!(
            (answer.status, answer.header("location")),
            (500, None),
            "{answer:?}"
        );
    }
    // Users with many groups have two cookies; with all too many, no session.
    assert_eq!(browser.come_back("ada-120").status, 303);
    assert_eq!(browser.cookie("countersign-session").len(), 2);
    assert!(browser.is_signed_in());
    assert_eq!(browser.come_back("eve").status, 303);
    assert_eq!(browser.cookie("countersign-session").len(), 1);
    assert!(browser.is_signed_in());
    assert_eq!(browser.come_back("bob-1000").status, 500);
    let (_, log) = server.stop();
    for reason in [
        "what begin_login wants to be kept is too large for a cookie",
        "begin_login returned no http(s) URL",
        "is too large for the cookies of a session, with 1000 groups, ",
    ] {
        assert!(log.contains(reason), "{reason} is not in the log");
    }
}

#[test]
fn callback_url_may_be_the_one_without_a_backend() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, callback_url: \"http://id.example/callback\", config: {} }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    let answer = browser.get("/login/company_sso");
    let url = answer.header("location").unwrap();
    assert!(
        url.contains("?redirect_uri=http://id.example/callback&"),
        "{url}"
    );
    let back = browser.get(&format!(
        "/callback?code=ada&state={}",
        parameter(url, "state")
    ));
    assert_eq!(
        (back.status, back.header("location")),
        (303, Some("/login"))
    );
    assert!(browser.is_signed_in());
}

#[test]
fn o01_code_of_another_provider_is_taken_at_its_own_callback_alone() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, callback_url: \"http://id.example/callback\", config: {} }\n  evil: { plugin: signs_in, config: {} }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    for (login, callback) in [
        ("/login/evil", "/callback"),
        ("/login/company_sso", "/callback/company_sso"),
    ] {
        let state = browser.begin(login);
        let back = browser.get(&format!("{callback}?code=ada&state={state}"));
        assert_eq!(back.status, 400, "{login} {back:?}");
        assert!(!browser.is_signed_in());
    }
    let state = browser.begin("/login/evil");
    let back = browser.get(&format!("/callback/evil?code=ada&state={state}"));
    assert_eq!(back.status, 303, "{back:?}");
}

#[test]
fn only_provider_is_gone_to_at_once_if_told_so_but_not_after_the_way_out() {
    let folder = Folder::new();
    let only = "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, config: {} }\n";
    let told = "server: { public_url: \"http://id.example\", login: { auto_redirect: true } }";
    let server_ = server(&folder, only, told);
    let mut browser = Browser::new(&server_);
    let state = browser.begin("/login?return_to=/home");
    let back = browser.get(&format!("/callback/company_sso?code=ada&state={state}"));
    assert_eq!(back.header("location"), Some("/home"));
    let token = browser.token("/logout");
    assert_eq!(browser.post("/logout", &[("token", &token)]).status, 303);
    let page = browser.get("/login");
    assert!(
        page.status == 200 && page.body.contains("You are signed out."),
        "{page:?}"
    );
    assert_eq!(browser.get("/login").status, 303);

    let folder = Folder::new();
    let both = server(&folder, BACKENDS, told);
    assert_eq!(
        Browser::new(&both).get("/login").status,
        200,
        "there is a form, too"
    );
}
