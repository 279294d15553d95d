//! Light and dark, on a desk and on a phone: everything is there, fits and can be read.

use countersign_tests::chromium::Chromium;
use countersign_tests::looks::{DARK, LOOKS};
use serde_json::json;

use super::*;

#[test]
fn pages_fit_and_can_be_read_in_light_and_dark_on_a_desk_and_on_a_phone() {
    let site = Site::start();
    let mut browser = Chromium::start();
    for (name, kind) in LOOKS {
        browser.open(kind);
        let look = |browser: &mut Chromium, page: &str| {
            browser.look(&format!("{name}-{page}"));
        };
        browser.goto(&site.page("/login"));
        look(&mut browser, "login");
        browser.fill("Username", "ada");
        browser.fill("Password", "wrong");
        browser.click("button", "Sign in");
        browser.see("Request");
        look(&mut browser, "wrong");
        site.sign_in(&mut browser, "amelia");
        look(&mut browser, "signed-in");
        browser.goto(&site.page("/logout"));
        browser.see("Sign out?");
        look(&mut browser, "logout");
        browser.goto(&site.page("/callback/sso?code=x&state=y"));
        look(&mut browser, "trouble");
        site.is_clean(&mut browser);
    }
    // Dark is dark.
    browser.open(DARK.1);
    browser.goto(&site.page("/login"));
    let colour = browser.evaluate("getComputedStyle(document.body).backgroundColor");
    let numbers = colour.as_str().unwrap();
    let first: f64 = numbers
        .trim_start_matches("rgb(")
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(first < 64.0, "{colour}");
}

#[test]
fn screen_reader_finds_headings_labels_and_buttons() {
    let site = Site::start();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    let tree = browser.tree();
    for line in [
        "main",
        "heading \"Sign in\" [level=1]",
        "link \"Continue with SSO\"",
        "textbox \"Username\"",
        "textbox \"Password\"",
        "button \"Sign in\"",
    ] {
        assert!(tree.contains(line), "{line} in\n{tree}");
    }
    assert_eq!(browser.evaluate("document.documentElement.lang"), "en");
    assert_eq!(browser.evaluate("document.scripts.length"), 0);
    let completes =
        "[...document.querySelectorAll('#username, #password')].map((e) => e.autocomplete)";
    assert_eq!(
        browser.evaluate(completes),
        json!(["username", "current-password"])
    );
}
