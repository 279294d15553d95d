//! `/tokens` in a real browser: light and dark, on a desk and on a phone.

use countersign_tests::chromium::Chromium;
use countersign_tests::looks::{LIGHT, PHONE_DARK};
use countersign_tests::{Folder, Server};

use super::{CONFIG, add_user};

#[test]
fn page_of_own_tokens_works_fits_and_can_be_read() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    let url = format!("http://{}", server.address);
    let mut browser = Chromium::start();
    for (name, kind) in [LIGHT, PHONE_DARK] {
        browser.open(kind);
        let look = |browser: &mut Chromium, page: &str| {
            browser.look(&format!("tokens-{name}-{page}"));
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
