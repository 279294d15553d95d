//! Decisions, backends and keys: what the pages say is what happened.

use countersign_tests::chromium::Chromium;
use countersign_tests::get;
use serde_json::json;

use super::{Site, add, generate};

#[test]
fn decisions_are_shown_and_found_by_user_outcome_and_request() {
    let site = Site::start();
    let denied = site.server.login("denied", "x");
    let request = denied.header("x-request-id").unwrap().to_owned();
    assert_eq!(site.server.login("carl", "the-secret").status, 201);
    assert_eq!(site.server.login("fault", "x").status, 500);
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/decisions");
    for text in [
        "private reason",
        "private fault",
        "token issued",
        "signed in",
    ] {
        browser.see(text);
    }
    let rows = "document.querySelectorAll('tbody tr').length";
    let all = browser.evaluate(rows);
    assert_eq!(all, 4, "{}", browser.text());
    browser.fill("User", "CARL");
    browser.click("button", "Filter");
    browser.see("token issued");
    assert_eq!(browser.evaluate(rows), 1);
    browser.click("link", "Show all");
    browser.select("Outcome", "fault");
    browser.click("button", "Filter");
    browser.see("private fault");
    assert_eq!(browser.evaluate(rows), 1);
    browser.click("link", "Show all");
    browser.fill("Request", &request);
    browser.press("Enter");
    browser.see("private reason");
    assert_eq!(browser.evaluate(rows), 1);
    browser.evaluate("document.querySelector('details').open = true");
    browser.see(&request);
    browser.see("/auth/token");
    browser.fill("User", "nobody at all");
    browser.press("Enter");
    browser.see("No decision is like that.");
    assert!(!browser.text().contains("the-secret"));
    site.is_clean(&mut browser);
}

#[test]
fn older_decisions_are_a_page_away_and_texts_of_strangers_are_texts() {
    let site = Site::start();
    for number in 0..60 {
        site.server.login(&format!("carl{number}"), "x");
    }
    site.server.login("<script>alert(1)</script>\u{202e}", "x");
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/decisions");
    browser.see("<script>alert(1)</script>\\u{202e}");
    assert!(!browser.text().contains("carl0 "));
    browser.click("link", "Older");
    browser.see("carl0");
    browser.click("link", "Newest");
    browser.see("carl59");
    site.is_clean(&mut browser);
}

#[test]
fn backends_say_what_is_loaded_and_how_their_calls_ended() {
    let site = Site::start();
    for name in ["carl", "carl", "denied", "unavailable"] {
        site.server.login(name, "x");
    }
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/backends");
    let text = browser.text();
    for part in [
        "staff",
        "others",
        "Everybody else",
        "ready",
        "at create_token: private outage",
        "libcountersign_answers.so",
        "passwords, lookups",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let hash = "document.querySelector('dd.mono').innerText.length";
    assert_eq!(browser.evaluate(hash), 64);
    // Who looks at a page is looked up.
    let table = "[...document.querySelectorAll('section')].map((s) => [...s.querySelectorAll('tbody tr')].map((r) => r.cells[0].innerText + ' ' + r.cells[2].innerText))";
    assert_eq!(
        browser.evaluate(table),
        json!([
            ["authenticated 1", "done 1"],
            ["authenticated 2", "denied 1", "unavailable 1"]
        ])
    );
    assert!(browser.tree().contains("img \"Calls by the minute"));
    site.is_clean(&mut browser);
}

#[test]
fn keys_are_those_that_are_published_with_their_lives() {
    let site = Site::with("keys: { algorithm: EdDSA, lead: 1s }\n");
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/keys");
    let published = |browser: &mut Chromium| {
        let jwks = get(site.server.address, "/.well-known/jwks.json").json();
        let text = browser.text();
        for key in jwks["keys"].as_array().unwrap() {
            assert!(text.contains(key["kid"].as_str().unwrap()), "{text}");
        }
        assert!(!text.contains("PRIVATE"), "{text}");
        text
    };
    let text = published(&mut browser);
    for part in ["active", "next", "may sign", "signs since"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("signs no more"), "{text}");
    let states = "[...document.querySelectorAll('tbody tr')].map((r) => r.querySelector('.badge').innerText + ': ' + [...r.querySelectorAll('rect')].map((b) => b.getAttribute('class')).join(' '))";
    assert_eq!(
        browser.evaluate(states),
        json!(["active: active", "next: next ready"])
    );

    let done = site.command(&["keys", "rotate", "--now"]);
    assert_eq!(done.code, 0, "{done:?}");
    browser.reload();
    let text = published(&mut browser);
    for part in ["retiring", "signs no more since", "leaves"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let states = browser.evaluate(states).to_string();
    assert!(states.contains("retiring: active retiring"), "{states}");
    browser.evaluate("document.querySelector('details.more').open = true");
    browser.see("countersign keys rotate");
    browser.screenshot("console-keys-rotated");
    site.is_clean(&mut browser);
}

#[test]
fn key_that_a_token_keeps_for_ever_says_which() {
    let site = Site::with("bots: { allow_unlimited: true }\n");
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/bots");
    add(&mut browser, "etl", "Op");
    generate(&mut browser, "unlimited", "signed (JWT)");
    let done = site.command(&["keys", "rotate", "--now"]);
    assert_eq!(done.code, 0, "{done:?}");
    browser.click("link", "Keys");
    browser.see("kept by bot etl (token");
    site.is_clean(&mut browser);
}
