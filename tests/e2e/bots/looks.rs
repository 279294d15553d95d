//! `/tokens` in a real browser: light and dark, on a desk and on a phone.

use countersign_tests::chromium::{Chromium, FAULTS, Kind};
use countersign_tests::{Folder, Server};
use serde_json::json;

use super::{CONFIG, add_user};

#[test]
fn page_of_own_tokens_works_fits_and_can_be_read() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    let url = format!("http://{}", server.address);
    let mut browser = Chromium::start();
    for (name, dark, phone) in [("light", false, false), ("phone-dark", true, true)] {
        browser.open(Kind {
            dark,
            phone,
            ..Kind::default()
        });
        let look = |browser: &mut Chromium, page: &str| {
            browser.screenshot(&format!("tokens-{name}-{page}"));
            assert_eq!(browser.evaluate(FAULTS), json!([]), "{name}, {page}");
            // Letters twice as large (WCAG 2.2, 1.4.4).
            browser.evaluate("document.documentElement.style.fontSize = '200%'");
            assert_eq!(browser.evaluate(FAULTS), json!([]), "{name}, {page}, large");
            browser.evaluate("document.documentElement.style.fontSize = ''");
        };
        browser.goto(&format!("{url}/tokens"));
        browser.fill("Username", "ada");
        browser.fill("Password", "s3cret");
        browser.click("button", "Sign in");
        browser.at(&format!("{url}/tokens"));
        browser.see("You have none.");
        look(&mut browser, "none");
        browser.fill("Name, such as the program that uses it", "laptop");
        browser.select("Good for", "7 days");
        browser.click("button", "Make the token");
        browser.see("Copy it now");
        look(&mut browser, "new");
        browser.click("link", "I have copied it");
        browser.see("Last used");
        look(&mut browser, "list");
        browser.click("button", "Revoke laptop");
        browser.see("You have none.");
        assert_eq!(browser.evaluate("document.scripts.length"), 0);
    }
}
