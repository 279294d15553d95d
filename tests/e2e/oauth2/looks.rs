//! `/device` in a real browser: light and dark, on a desk and on a phone, and by keyboard.

use countersign_tests::Folder;
use countersign_tests::chromium::Chromium;
use countersign_tests::looks::{LIGHT, PHONE_DARK};

use super::bots::ask;
use crate::template;

#[test]
fn o14_pages_of_the_device_work_fit_and_can_be_read() {
    let folder = Folder::new();
    let server = template(&folder);
    let url = format!("http://{}/device", server.address);
    let mut browser = Chromium::start();
    for (name, kind) in [LIGHT, PHONE_DARK] {
        browser.open(kind);
        let look = |browser: &mut Chromium, page: &str| {
            browser.look(&format!("device-{name}-{page}"));
        };
        let client = [("client_id", "countersign-cli")];
        let device = ask(&server, "/oauth2/device_authorization", "", &client).json();
        browser.goto(&url);
        browser.fill("Username", "ada");
        browser.fill("Password", "door");
        browser.click("button", "Sign in");
        browser.at(&url);
        browser.see("Connect a device");
        look(&mut browser, "code");
        browser.fill("Code", "BBBB-BBBB");
        browser.click("button", "Continue");
        browser.see("No device waits");
        look(&mut browser, "wrong");
        browser.fill("Code", device["user_code"].as_str().unwrap());
        browser.click("button", "Continue");
        browser.see("Give a token to the device?");
        look(&mut browser, "confirm");
        browser.click("button", "Give the token");
        browser.see("The device has its token");
        look(&mut browser, "said");
        assert_eq!(browser.evaluate("document.scripts.length"), 0);
    }
}
