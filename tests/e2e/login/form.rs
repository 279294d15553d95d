//! The form for a username and a password.

use countersign_tests::Folder;

use super::{BACKENDS, Browser, PUBLIC, encoded, server};

#[test]
fn right_password_is_a_session_and_the_way_on() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let token = browser.token("/login?return_to=/home");
    let fields = [
        ("token", &*token),
        ("username", "ada"),
        ("password", "door"),
        ("return_to", "/home"),
    ];
    let answer = browser.post("/login", &fields);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, Some("/home")),
        "{answer:?}"
    );
    assert!(browser.is_signed_in());
    let metrics = countersign_tests::get(server.admin, "/metrics").body;
    assert!(
        metrics.contains("path=\"/login\"") || metrics.contains("route=\"/login\""),
        "{metrics}"
    );
    let (_, log) = server.stop();
    let line = log
        .lines()
        .find(|line| line.contains("\"signed in\""))
        .unwrap();
    assert!(
        line.contains("\"backend\":\"door\"") && line.contains("\"path\":\"/login\""),
        "{line}"
    );
}

#[test]
fn wrong_password_shows_the_page_again_and_says_nothing_more() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let answer = browser.sign_in("\"><script>x", "wrong");
    assert_eq!(answer.status, 401);
    assert!(
        answer.body.contains("Wrong username or password."),
        "{answer:?}"
    );
    assert!(
        answer
            .body
            .contains("value=\"&#34;&#62;&#60;script&#62;x\""),
        "{answer:?}"
    );
    assert!(
        answer.body.contains("aria-describedby=\"problem\"") && !answer.body.contains("wrong\"")
    );
    assert!(!browser.is_signed_in());
    let answer = browser.sign_in("ada", "");
    assert_eq!(answer.status, 400);
    assert!(
        answer
            .body
            .contains("Username and password must be provided."),
        "{answer:?}"
    );
}

#[test]
fn throttle_and_outages_are_told_in_words_and_in_retry_after() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  first: { plugin: answers, config: {} }\n";
    let settings = "server: { public_url: \"http://id.example\", throttle: { user: 1 } }";
    let server = server(&folder, backends, settings);
    let mut browser = Browser::new(&server);
    let answer = browser.sign_in("unavailable", "x");
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (503, Some("7"))
    );
    assert!(
        answer.body.contains("Try again in 7 seconds.") && !answer.body.contains("private"),
        "{answer:?}"
    );
    let answer = browser.sign_in("fault", "x");
    assert!(
        answer.status == 500 && !answer.body.contains("private"),
        "{answer:?}"
    );
    assert_eq!(browser.sign_in("denied", "x").status, 401);
    let answer = browser.sign_in("denied", "x");
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert!(
        answer.body.contains("Too many attempts. Try again in"),
        "{answer:?}"
    );
}

#[test]
fn forms_of_other_sites_are_refused() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let token = browser.token("/login");
    let mut stranger = Browser::new(&server);
    let strange = stranger.token("/login");
    let body =
        |token: &str| encoded(&[("token", token), ("username", "ada"), ("password", "door")]);
    for (token, headers) in [
        ("", vec![]),
        ("x", vec![]),
        (&*strange, vec![("sec-fetch-site", "same-origin")]),
        (&*token, vec![("sec-fetch-site", "cross-site")]),
        (&*token, vec![("sec-fetch-site", "same-site")]),
        (&*token, vec![("origin", "https://evil.example")]),
        (&*token, vec![("origin", "http://id.example.evil.example")]),
        (&*token, vec![("origin", "null")]),
    ] {
        let answer = browser.send("POST", "/login", &headers, &body(token));
        assert_eq!(answer.status, 403, "{headers:?} {answer:?}");
        assert!(answer.body.contains("Please try again."), "{answer:?}");
        assert!(!browser.is_signed_in());
    }
    let cookies = std::mem::take(&mut browser.cookies);
    let answer = browser.send("POST", "/login", &[], &body(&token));
    assert_eq!(answer.status, 403, "without its cookie: {answer:?}");
    for origin in ["http://id.example", &format!("http://{}", server.address)] {
        browser.cookies.clone_from(&cookies);
        let answer = browser.send("POST", "/login", &[("origin", origin)], &body(&token));
        assert_eq!(answer.status, 303, "{origin}: {answer:?}");
    }
}

#[test]
fn s02_forms_that_are_none_are_refused_as_pages() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let token = browser.token("/login");
    let good = encoded(&[("token", &token), ("username", "ada"), ("password", "door")]);
    for (body, status) in [
        (format!("{good}&username=eve"), 400),
        (format!("{good}&p=1&p=2"), 400),
        (format!("{good}&more={}", "x".repeat(65 * 1024)), 413),
    ] {
        let answer = browser.send("POST", "/login", &[], &body);
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(
            answer.body.contains("The form cannot be read"),
            "{answer:?}"
        );
    }
    let json = [("content-type", "application/json")];
    let answer = countersign_tests::send(server.address, "POST", "/login", &json, b"{}");
    assert_eq!(answer.status, 415);
    assert!(answer.body.contains("<!doctype html>"), "{answer:?}");
}

#[test]
fn one_backends_form_asks_it_alone_and_only_if_it_may_be_asked_directly() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  door: { plugin: template, config: { password: door } }\n  gate: { plugin: template, config: { password: gate }, match: { username: never } }\n  back: { plugin: template, direct: false, config: { password: back } }\n  shut: { plugin: template, login: false, config: { password: shut } }\n";
    let server = server(&folder, backends, PUBLIC);
    let mut browser = Browser::new(&server);
    let page = browser.get("/login/door");
    assert!(
        page.body.contains("Sign in with Door") && page.body.contains("action=\"/login/door\""),
        "{page:?}"
    );
    let token = super::hidden(&page, "token");
    let fields = [
        ("token", &*token),
        ("username", "ada"),
        ("password", "back"),
    ];
    assert_eq!(browser.post("/login/door", &fields).status, 401);
    for path in ["/login/back", "/login/shut", "/login/nobody", "/login/%ff"] {
        assert_eq!(browser.post(path, &fields).status, 404, "{path}");
        let page = browser.get(path);
        assert!(
            page.status == 404 && page.body.contains("There is no such page"),
            "{page:?}"
        );
    }
    let fields = [
        ("token", &*token),
        ("username", "ada"),
        ("password", "door"),
    ];
    assert_eq!(browser.post("/login/door", &fields).status, 303);
}
