//! Who may enter, and what is done only by forms of the console's own pages.

use countersign_tests::chromium::Chromium;
use countersign_tests::send;

use super::Site;
use crate::login::{Browser, hidden};

const PAGES: [&str; 4] = [
    "/console/bots",
    "/console/keys",
    "/console/backends",
    "/console/decisions",
];

#[test]
fn without_a_session_every_page_leads_to_the_login_and_back() {
    let site = Site::start();
    let mut plain = Browser::new(&site.server);
    for path in PAGES.into_iter().chain(["/console", "/console/bots/etl"]) {
        let answer = plain.get(&format!("{path}?a=b"));
        let encoded = path.replace('/', "%2F");
        let expected = format!("/login?return_to={encoded}%3Fa%3Db");
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(&*expected))
        );
        assert_eq!(answer.body, "");
    }
    let posted = plain.post("/console/bots/etl", &[("do", "delete")]);
    assert_eq!(
        posted.header("location"),
        Some("/login?return_to=%2Fconsole%2Fbots")
    );
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/decisions?user=ada");
    browser.see("Who asked, and what became of it");
    assert_eq!(
        browser.goto(&site.page("/console")),
        200,
        "the session is there"
    );
    browser.at(&site.page("/console/bots"));
    browser.click("link", "Sign out");
    browser.click("button", "Sign out");
    browser.goto(&site.page("/console/keys"));
    browser.at(&site.page("/login?return_to="));
    site.is_clean(&mut browser);
}

#[test]
fn user_without_the_role_is_told_which_one_he_needs() {
    let site = Site::start();
    let mut browser = Chromium::start();
    for path in PAGES {
        site.enter(&mut browser, "bob", path);
        let text = browser.text();
        for part in [
            "You may not use the console",
            "the role Admin",
            "signed in as bob",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("Backends"), "{text}");
        browser.screenshot("console-forbidden");
        browser.click("link", "Sign out");
        browser.click("button", "Sign out");
    }
    let mut plain = Browser::new(&site.server);
    plain.sign_in("bob", "x");
    assert_eq!(plain.get("/console/keys").status, 403);
    let posted = plain.post("/console/bots", &[("name", "etl")]);
    assert_eq!(posted.status, 403);
    let (_, log) = site.server.stop();
    assert!(log.contains("none of his roles is one of admin.roles"));
}

#[test]
fn roles_of_managers_are_the_configured_ones() {
    let site = Site::with("admin: { roles: [Own, Steward] }\n");
    let mut plain = Browser::new(&site.server);
    plain.sign_in("bob", "x");
    assert_eq!(plain.get("/console/keys").status, 200);
}

#[test]
fn form_that_is_not_of_our_page_changes_nothing() {
    let site = Site::start();
    let mut plain = Browser::new(&site.server);
    plain.sign_in("ada", "x");
    let page = plain.get("/console/bots");
    let token = hidden(&page, "token");
    let form = format!("token={token}&name=etl");
    for (headers, body) in [
        (vec![("sec-fetch-site", "cross-site")], form.as_str()),
        (vec![("origin", "http://evil.example")], form.as_str()),
        (vec![("sec-fetch-site", "same-origin")], "name=etl"),
        (vec![("sec-fetch-site", "same-origin")], "token=x&name=etl"),
    ] {
        let answer = plain.send("POST", "/console/bots", &headers, body);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(answer.body.contains("Nothing was changed"), "{answer:?}");
    }
    assert!(plain.get("/console/bots").body.contains("no bot yet"));
    let same = [("token", &*token), ("name", "etl")];
    assert_eq!(plain.post("/console/bots", &same).status, 303);
}

#[test]
fn h04_other_methods_are_405() {
    let site = Site::start();
    for path in PAGES.into_iter().chain(["/console/bots/etl"]) {
        let allowed = match path.starts_with("/console/bots") {
            true => "GET, HEAD, POST",
            false => "GET, HEAD",
        };
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE"] {
            let answer = send(site.server.address, method, path, &[], b"");
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allowed)),
                "{method} {path}"
            );
        }
    }
}

#[test]
fn every_page_loads_nothing_runs_nothing_and_is_kept_by_nobody() {
    let site = Site::start();
    let mut plain = Browser::new(&site.server);
    plain.sign_in("ada", "x");
    let token = hidden(&plain.get("/console/bots"), "token");
    plain.post("/console/bots", &[("token", &token), ("name", "etl")]);
    let mut answers: Vec<_> = PAGES.map(|path| plain.get(path)).into();
    let page = plain.get("/console/bots/etl");
    let token = hidden(&page, "token");
    answers.push(page);
    let fields = [
        ("token", &*token),
        ("do", "generate"),
        ("expiry", "7"),
        ("form", "jwt"),
        ("earlier", "stay"),
    ];
    answers.push(plain.post("/console/bots/etl", &fields));
    assert_eq!(answers.last().unwrap().status, 201);
    answers.push(plain.get("/console/bots/nobody"));
    for answer in answers {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let body = &answer.body;
        assert!(
            !body.contains("<script")
                && !body.contains("style=\"")
                && !body.contains("onclick")
                && !body.contains("href=\"javascript"),
            "{body}"
        );
        assert_eq!(body.matches("<h1").count(), 1, "{body}");
    }
}
