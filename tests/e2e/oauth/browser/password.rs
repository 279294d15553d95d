//! The form for names and passwords: with the keyboard alone, and where it leads on to.

use std::io::{Read, Write};

use countersign_tests::chromium::{Chromium, Kind};

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

#[test]
fn password_leads_on_to_a_listed_origin_that_leads_on_to_another() {
    let end = answering("200 OK", "");
    let listed = answering("302 Found", &format!("Location: {end}/home\r\n"));
    let site = Site::with(
        "  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n",
        &format!(", return_to: [\"{listed}\"]"),
    );
    for plain in [false, true] {
        let mut browser = Chromium::with(Kind {
            plain,
            ..Kind::default()
        });
        browser.goto(&site.page(&format!("/login?return_to={listed}/dags")));
        browser.fill("Username", "ada");
        browser.fill("Password", PASSWORD);
        browser.click("button", "Sign in");
        assert_eq!(browser.at(&end), format!("{end}/home"));
        assert!(ours_signed_in(&mut browser) > 0);
        site.is_clean(&mut browser);
    }
}

/// The origin of a server that has one answer for everybody.
fn answering(status: &str, header: &str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let answer =
        format!("HTTP/1.1 {status}\r\n{header}Content-Length: 2\r\nConnection: close\r\n\r\nhi");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    origin
}
