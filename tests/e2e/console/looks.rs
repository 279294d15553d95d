//! Light and dark, on a desk and on a phone: everything is there, fits and can be read.

use countersign_tests::chromium::Chromium;
use countersign_tests::looks::{LIGHT, LOOKS, PHONE};

use super::{Site, add, generate};

#[test]
fn pages_fit_and_can_be_read_in_light_and_dark_on_a_desk_and_on_a_phone() {
    let site = Site::with("admin: { roles: [Admin, Owner] }\n");
    for name in ["carl", "denied", "unavailable", "fault", "carl", "invalid"] {
        site.server.login(name, "x");
    }
    let mut browser = Chromium::start();
    for (name, kind) in LOOKS {
        browser.open(kind);
        let look = |browser: &mut Chromium, page: &str| {
            browser.look(&format!("console-{name}-{page}"));
        };
        let open = "document.querySelectorAll('details').forEach((e) => { e.open = true })";
        site.enter(&mut browser, "ada", "/console/bots");
        let bot = format!("nightly-load-of-{name}");
        add(&mut browser, &bot, "Op, Data Steward, Viewer");
        generate(&mut browser, "90 days", "signed (JWT)");
        look(&mut browser, "token");
        browser.click("link", &format!("I have copied it: back to {bot}"));
        generate(&mut browser, "1 hour", "opaque, to be exchanged");
        browser.click("link", &format!("I have copied it: back to {bot}"));
        look(&mut browser, "bot");
        browser.evaluate(open);
        look(&mut browser, "bot-open");
        browser.click("link", "Bots");
        look(&mut browser, "bots");
        browser.evaluate(open);
        look(&mut browser, "bots-open");
        browser.fill("Name", &bot);
        browser.click("button", "Add");
        browser.see("There is a bot");
        look(&mut browser, "bots-refused");
        for page in ["Keys", "Backends", "Decisions"] {
            browser.click("link", page);
            browser.evaluate(open);
            look(&mut browser, &page.to_lowercase());
        }
        site.is_clean(&mut browser);
    }
}

#[test]
fn screen_reader_finds_headings_labels_tables_and_where_it_is() {
    let site = Site::start();
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/bots");
    add(&mut browser, "etl", "Op");
    generate(&mut browser, "7 days", "signed (JWT)");
    for (_, kind) in [LIGHT, PHONE] {
        browser.open(kind);
        site.enter(&mut browser, "ada", "/console/bots");
        let tree = browser.tree();
        for line in [
            "navigation \"Console\"",
            "link \"Decisions\"",
            "main",
            "heading \"Bots\" [level=1]",
            "searchbox \"Search\"",
            "button \"Search\"",
            "table",
            "link \"etl\"",
        ] {
            assert!(tree.contains(line), "{line} in\n{tree}");
        }
        if !kind.phone {
            assert!(tree.contains("columnheader \"Next expiry\""), "{tree}");
        }
        let here = "document.querySelector('[aria-current]').innerText";
        assert_eq!(browser.evaluate(here), "Bots");
        assert_eq!(browser.evaluate("document.scripts.length"), 0);
    }
}
