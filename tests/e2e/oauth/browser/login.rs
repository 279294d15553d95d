//! To the provider's page and back, out again, and the ways that fail.

use countersign_tests::chromium::{Chromium, Kind};

use super::*;

#[test]
fn whole_login_leads_to_the_provider_and_back_and_logout_ends_it_at_both() {
    let site = Site::start();
    let mut browser = Chromium::start();
    assert_eq!(browser.goto(&site.page("/login")), 200);
    browser.see("Example data platform");
    browser.screenshot("login");
    browser.click("link", "Continue with SSO");
    browser.at(&site.provider.issuer);
    browser.screenshot("provider");
    site.at_provider(&mut browser, "amelia");
    browser.see("You are signed in");
    let text = browser.text();
    for shown in ["amelia", "amelia@example.test", "SSO", "airflow_admin"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!text.contains("Viewer"), "{text}");
    let address = browser.evaluate("location.href");
    assert!(!address.as_str().unwrap().contains("code="), "{address}");
    browser.screenshot("signed-in");

    let session = ours(&mut browser);
    assert!(!session.is_empty());
    for cookie in &session {
        assert_eq!(cookie["httpOnly"], true, "{cookie}");
        assert_eq!(cookie["sameSite"], "Lax", "{cookie}");
        assert_eq!(cookie["path"], "/", "{cookie}");
    }
    assert_eq!(browser.evaluate("document.cookie"), "");
    // Signed in is signed in, as long as the session lasts.
    browser.goto(&site.page("/login"));
    browser.see("You are signed in");

    browser.click("button", "Sign out");
    browser.at(&site.provider.issuer);
    browser.screenshot("provider-sign-out");
    browser.click("button", "Yes, sign me out");
    browser.at(&site.page("/login"));
    browser.see("Continue with SSO");
    browser.screenshot("signed-out");
    site.is_clean(&mut browser);

    // The provider has forgotten him, too: it asks for the password again.
    browser.click("link", "Continue with SSO");
    browser.at(&site.provider.issuer);
    browser.see("Sign in");
    // And the cookie that was good a moment ago is worth nothing.
    browser.open(Kind::default());
    browser.set_cookies(&session, &site.url);
    browser.goto(&site.page("/login"));
    browser.see("Continue with SSO");
    site.is_clean(&mut browser);
}

#[test]
fn login_leads_back_to_where_it_was_wanted_and_nowhere_else() {
    let site = Site::with("", ", return_to: [\"http://127.0.0.1:9\"]");
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login?return_to=%2Fopenapi.json%3Fa%3Db"));
    browser.click("link", "Continue with SSO");
    site.at_provider(&mut browser, "oscar");
    browser.at(&site.page("/openapi.json?a=b"));
    for evil in [
        "//evil.example",
        "%5C%5Cevil.example",
        "/%5Cevil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "http://127.0.0.1:9@evil.example/",
        "/%09/evil.example",
        "http://127.0.0.1:99/",
    ] {
        browser.open(Kind::default());
        browser.goto(&site.page(&format!("/login/sso?return_to={evil}")));
        // A refusal at once is as good as one afterwards.
        if browser.evaluate("document.title") == "Sign in" {
            site.at_provider(&mut browser, "oscar");
        }
        let address = browser.evaluate("location.href");
        let address = address.as_str().unwrap();
        assert!(address.starts_with(&site.url), "{evil}: {address}");
    }
}

#[test]
fn login_that_was_given_up_at_the_provider_says_so_and_can_be_tried_again() {
    let site = Site::start();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    browser.click("link", "Continue with SSO");
    browser.at(&site.provider.issuer);
    browser.click("button", "Cancel");
    browser.at(&site.url);
    let tree = browser.tree();
    assert!(tree.contains("heading"), "{tree}");
    assert!(!tree.contains("You are signed in"), "{tree}");
    browser.screenshot("given-up");
    site.is_clean(&mut browser);
    site.sign_in(&mut browser, "bob");
    site.is_clean(&mut browser);
}

#[test]
fn o01_way_back_of_one_browser_lets_no_other_one_in() {
    let site = Site::start();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    let way = browser
        .evaluate("document.querySelector('a[href*=\"/login/sso\"]').href")
        .as_str()
        .unwrap()
        .to_owned();
    let path = way.strip_prefix(&site.url).unwrap();
    let begun = countersign_tests::get(site.server.address, path);
    let back = site
        .provider
        .follow(begun.header("location").unwrap(), "mallory");
    assert!(back.starts_with(&site.page("/callback/sso?")), "{back}");
    let status = browser.goto(&back);
    assert!(status >= 400, "{status}");
    assert!(!browser.text().contains("You are signed in"));
    browser.screenshot("foreign-way-back");
    browser.goto(&site.page("/login"));
    browser.see("Continue with SSO");
    site.is_clean(&mut browser);
}

#[test]
fn provider_that_is_down_is_said_to_be_so_and_passwords_go_on() {
    let site = Site::start();
    site.provider.stop();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    browser.click("link", "Continue with SSO");
    let text = browser.text();
    assert!(!text.contains("127.0.0.1"), "{text}");
    browser.screenshot("provider-down");
    browser.goto(&site.page("/login"));
    browser.fill("Username", "ada");
    browser.fill("Password", PASSWORD);
    browser.click("button", "Sign in");
    browser.see("You are signed in");
    site.is_clean(&mut browser);
}

#[test]
fn login_needs_no_script() {
    let site = Site::start();
    let mut browser = Chromium::with(Kind {
        plain: true,
        ..Kind::default()
    });
    site.sign_in(&mut browser, "alice");
    browser.click("button", "Sign out");
    browser.at(&site.provider.issuer);
}
