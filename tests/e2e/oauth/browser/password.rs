//! The form for names and passwords, with the keyboard alone.

use countersign_tests::chromium::Chromium;

use super::*;

#[test]
fn keyboard_alone_signs_in_and_out() {
    let site = Site::start();
    let mut browser = Chromium::start();
    browser.goto(&site.page("/login"));
    let mut way = Vec::new();
    while browser.focus() != "input Username" {
        browser.press("Tab");
        way.push(browser.focus());
        assert!(way.len() < 10, "{way:?}");
    }
    assert!(way.contains(&"a Continue with SSO".to_owned()), "{way:?}");
    browser.write("ada");
    browser.press("Tab");
    assert_eq!(browser.focus(), "input Password");
    browser.write(PASSWORD);
    browser.screenshot("keyboard");
    browser.press("Enter");
    browser.see("You are signed in");
    let mut way = Vec::new();
    while browser.focus() != "button Sign out" {
        browser.press("Tab");
        way.push(browser.focus());
        assert!(way.len() < 10, "{way:?}");
    }
    browser.press("Enter");
    browser.see("Continue with SSO");
    assert_eq!(ours_signed_in(&mut browser), 0);
    site.is_clean(&mut browser);
}

/// Cookies of a session.
fn ours_signed_in(browser: &mut Chromium) -> usize {
    let cookies = ours(browser);
    let session = cookies.iter().filter(|cookie| {
        let name = cookie["name"].as_str().unwrap();
        name.ends_with("session")
    });
    session.count()
}

#[test]
fn wrong_password_is_announced_keeps_the_name_and_not_the_password() {
    let site = Site::start();
    let mut browser = Chromium::start();
    for name in ["ada", "nobody"] {
        browser.goto(&site.page("/login"));
        browser.fill("Username", name);
        browser.fill("Password", "wrong");
        browser.click("button", "Sign in");
        browser.see("Request");
        let tree = browser.tree();
        assert!(tree.contains("alert"), "{tree}");
        assert_eq!(
            browser.evaluate("document.querySelector('#username').value"),
            name
        );
        assert_eq!(
            browser.evaluate("document.querySelector('#password').value"),
            ""
        );
        assert!(!tree.contains("wrong"), "{tree}");
    }
    browser.screenshot("wrong-password");
    assert_eq!(ours_signed_in(&mut browser), 0);
    browser.fill("Username", "ada");
    browser.fill("Password", PASSWORD);
    browser.press("Enter");
    browser.see("You are signed in");
    site.is_clean(&mut browser);
}
