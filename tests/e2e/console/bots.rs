//! Bots: their whole life on the console's pages.

use countersign_tests::chromium::Chromium;
use countersign_tests::token;

use super::{Site, add, generate};
use crate::login::{Browser, hidden};

#[test]
fn bot_is_added_gets_a_token_once_and_ends() {
    let site = Site::start();
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/bots");
    browser.see("There is no bot yet.");
    add(&mut browser, "etl", "Op, Data Steward");
    let here = browser.at(&site.page("/console/bots/etl"));
    assert_eq!(here, site.page("/console/bots/etl"));
    browser.see("Brings the day's rows over <night>");

    browser.evaluate("document.querySelector('#about ~ details').open = true");
    let lines = "Brings the day's rows.\n\nAsk Ada.";
    browser.fill("What it is for", lines);
    browser.click("button", "Save");
    browser.see("The bot is changed.");
    for place in ["('dd .lines').innerText", "('#description').value"] {
        let shown = browser.evaluate(&format!("document.querySelector{place}"));
        assert_eq!(shown, lines, "{place}");
    }

    let token = generate(&mut browser, "7 days", "signed (JWT)");
    browser.screenshot("console-token");
    let claims = token::claims(&token);
    assert_eq!(claims["sub"], "bot:etl");
    let lifetime = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(lifetime, 7 * 86_400);
    assert!(!browser.at(&site.url).contains("ey"), "never in an address");
    assert_eq!(browser.focus(), "input Token", "ready to be copied");

    // Who loads the answer anew makes no second one, and sees none.
    assert_eq!(browser.reload(), 409);
    browser.see("nothing was made now");
    assert!(!browser.text().contains(&token));
    browser.goto(&here);
    let text = browser.text();
    assert!(text.contains("live") && !text.contains(&token), "{text}");
    let tokens = "document.querySelectorAll('tbody tr').length";
    assert_eq!(browser.evaluate(tokens), 1);
    let id = claims["jti"].as_str().unwrap();
    assert!(text.contains(id), "{text}");

    generate(&mut browser, "1 hour", "signed (JWT)");
    browser.goto(&here);
    assert_eq!(browser.evaluate(tokens), 2);
    let revoke = "document.querySelectorAll('td details').forEach((e) => { e.open = e.innerText.includes('ID') })";
    browser.evaluate(&revoke.replace("ID", id));
    browser.click("button", "Yes, revoke it");
    browser.see(&format!(
        "Token {id} is revoked: it is refused here at once, and so is what it was exchanged for."
    ));
    browser.screenshot("console-revoked");

    browser.click("link", "Bots");
    browser.fill("Search", "nightly");
    browser.press("Enter");
    browser.see("1 bot");
    browser.see("Show all");
    browser.fill("Search", "nothing like it");
    browser.press("Enter");
    browser.see("No bot has “nothing like it”");
    browser.goto(&here);
    browser.evaluate("document.querySelector('#end ~ div details:last-of-type').open = true");
    browser.click("button", "Yes, delete etl");
    browser.see("There is no bot yet.");
    assert_eq!(browser.goto(&here), 404);

    browser.goto(&site.page("/console/decisions"));
    for change in ["bot created: by ada", "bot token issued", "bot deleted"] {
        browser.see(change);
    }
    site.is_clean(&mut browser);
    let (_, log) = site.server.stop();
    assert!(!log.contains(&token), "the log holds the token");
}

#[test]
fn keyboard_alone_adds_a_bot_and_makes_its_token() {
    let site = Site::start();
    let mut browser = Chromium::start();
    site.enter(&mut browser, "ada", "/console/bots");
    browser.press("Tab");
    assert_eq!(browser.focus(), "a Skip to the content");
    let to = |browser: &mut Chromium, place: &str| {
        let mut way = Vec::new();
        while browser.focus() != place {
            browser.press("Tab");
            way.push(browser.focus());
            assert!(way.len() < 30, "{place}: {way:?}");
        }
    };
    to(&mut browser, "summary Add a bot");
    browser.press("Enter");
    to(&mut browser, "input Name");
    browser.write("etl");
    browser.press("Enter");
    browser.see("It has no token.");
    to(&mut browser, "summary Generate a token");
    browser.press("Enter");
    browser.press("Tab");
    browser.write("7 d");
    to(&mut browser, "button Generate");
    browser.press("Enter");
    browser.see("Copy it now");
    browser.see("in 7 days");
    to(&mut browser, "a I have copied it: back to etl");
    browser.press("Enter");
    browser.see("live");
    to(&mut browser, "summary Delete the bot");
    browser.press("Enter");
    to(&mut browser, "button Yes, delete etl");
    browser.press("Enter");
    browser.see("There is no bot yet.");
    site.is_clean(&mut browser);
}

/// A browser of ada's, with a bot `etl`.
fn with_bot(site: &Site) -> Browser {
    let mut plain = Browser::new(&site.server);
    plain.sign_in("ada", "x");
    let token = plain.token("/console/bots");
    let fields = [("token", &*token), ("name", "etl")];
    assert_eq!(plain.post("/console/bots", &fields).status, 303);
    plain
}

fn asked(plain: &mut Browser, fields: &[(&str, &str)]) -> countersign_tests::Answer {
    let token = plain.token("/console/bots/etl");
    let fields = [&[("token", &*token), ("do", "generate")], fields].concat();
    plain.post("/console/bots/etl", &fields)
}

#[test]
fn b01_every_expiry_is_made_and_unlimited_only_where_it_is_allowed() {
    const DAY: u64 = 86_400;
    let site = Site::start();
    let mut plain = with_bot(&site);
    for (expiry, seconds) in [
        ("OneHour", 3_600),
        ("1", DAY),
        ("7", 7 * DAY),
        ("30", 30 * DAY),
        ("60", 60 * DAY),
        ("90", 90 * DAY),
    ] {
        let answer = asked(
            &mut plain,
            &[("expiry", expiry), ("form", "jwt"), ("earlier", "stay")],
        );
        assert_eq!(answer.status, 201, "{answer:?}");
        let claims = token::claims(&shown(&answer));
        assert_eq!(
            claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
            seconds
        );
    }
    let unlimited = [
        ("expiry", "Unlimited"),
        ("form", "jwt"),
        ("earlier", "stay"),
    ];
    let refused = asked(&mut plain, &unlimited);
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused.body.contains("must be allowed explicitly"),
        "{refused:?}"
    );
    let allowed = [&unlimited[..], &[("unlimited", "1")]].concat();
    let answer = asked(&mut plain, &allowed);
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(token::claims(&shown(&answer)).get("exp").is_none());
    let odd = [("expiry", "31"), ("form", "jwt"), ("earlier", "stay")];
    assert_eq!(asked(&mut plain, &odd).status, 400);
}

/// The token of the page that shows it.
fn shown(answer: &countersign_tests::Answer) -> String {
    let field = answer.body.split_once("id=\"new-token\"").unwrap().1;
    let value = field.split_once("value=\"").unwrap().1;
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn b02_opaque_token_and_audience_are_as_asked_and_earlier_ones_end() {
    let site = Site::start();
    let mut plain = with_bot(&site);
    let fields = [
        ("expiry", "30"),
        ("form", "opaque"),
        ("earlier", "stay"),
        ("token_name", "laptop <b>"),
    ];
    let opaque = shown(&asked(&mut plain, &fields));
    assert!(opaque.starts_with("cst_bot_"), "{opaque}");
    let page = plain.get("/console/bots/etl").body;
    assert!(
        page.contains("laptop &#60;b&#62;") && !page.contains(&opaque),
        "{page}"
    );

    let fields = [
        ("expiry", "30"),
        ("form", "jwt"),
        ("audience", "openmetadata"),
        ("earlier", "stay"),
    ];
    let first = shown(&asked(&mut plain, &fields));
    assert_eq!(token::claims(&first)["aud"], "om");
    let page = plain.get("/console/bots/etl").body;
    assert!(page.contains("for openmetadata"), "{page}");
    let replaced = fields.map(|(name, value)| match name {
        "earlier" => (name, "3600"),
        _ => (name, value),
    });
    assert_eq!(asked(&mut plain, &replaced).status, 201);
    let page = plain.get("/console/bots/etl").body;
    assert_eq!(page.matches("replaced, ends soon").count(), 1, "{page}");
    let elsewhere = [
        ("expiry", "30"),
        ("form", "jwt"),
        ("audience", "elsewhere"),
        ("earlier", "stay"),
    ];
    assert_eq!(asked(&mut plain, &elsewhere).status, 400);
}

#[test]
fn b04_managing_role_is_given_by_those_who_have_it_and_names_are_checked() {
    let site = Site::with("admin: { roles: [Admin, Owner] }\n");
    let mut plain = with_bot(&site);
    for (name, roles, status, text) in [
        ("boss", "Owner", 403, "manages this server"),
        ("a b", "", 400, "is no name for a bot"),
        ("ETL", "", 409, "there is a bot"),
    ] {
        let token = plain.token("/console/bots");
        let fields = [("token", &*token), ("name", name), ("roles", roles)];
        let answer = plain.post("/console/bots", &fields);
        assert_eq!(answer.status, status, "{answer:?}");
        let body = answer.body.to_lowercase();
        assert!(body.contains(text), "{answer:?}");
        assert!(body.contains("role=\"alert\""), "{answer:?}");
        assert!(
            answer.body.contains(&format!("value=\"{name}\"")),
            "what was typed stays: {answer:?}"
        );
    }
    let page = plain.get("/console/bots/etl");
    let token = hidden(&page, "token");
    let change = [
        ("token", &*token),
        ("do", "change"),
        ("roles", "Op,Viewer"),
        ("display_name", "Load"),
        ("description", ""),
    ];
    let answer = plain.post("/console/bots/etl", &change);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("<bdi>Viewer</bdi>"), "{answer:?}");
    let change = change.map(|(name, value)| match name {
        "roles" => (name, "Owner"),
        _ => (name, value),
    });
    assert_eq!(plain.post("/console/bots/etl", &change).status, 403);
}

#[test]
fn many_bots_are_shown_page_by_page() {
    let site = Site::start();
    let mut plain = Browser::new(&site.server);
    plain.sign_in("ada", "x");
    let token = plain.token("/console/bots");
    for number in 0..55 {
        let name = format!("bot-{number:02}");
        let answer = plain.post("/console/bots", &[("token", &token), ("name", &name)]);
        assert_eq!(answer.status, 303);
    }
    let first = plain.get("/console/bots").body;
    assert!(first.contains("55 bots") && first.contains(">bot-49<") && !first.contains(">bot-50<"));
    let next = plain.get("/console/bots?after=bot-49").body;
    assert!(next.contains(">bot-50<") && next.contains(">bot-54<") && next.contains("First page"));
    assert!(first.contains("/console/bots?after=bot-49"), "{first}");
}

#[test]
fn b06_token_that_ends_soon_is_told_above_the_list() {
    let site = Site::start();
    let mut plain = with_bot(&site);
    let fields = [("expiry", "30"), ("form", "jwt"), ("earlier", "stay")];
    assert_eq!(asked(&mut plain, &fields).status, 201);
    let fields = [("expiry", "OneHour"), ("form", "jwt"), ("earlier", "stay")];
    assert_eq!(asked(&mut plain, &fields).status, 201);
    let list = plain.get("/console/bots").body;
    assert!(!list.contains("Ending soon"), "{list}");
    site.sql("UPDATE tokens SET created_at = created_at - 2160000, expires_at = expires_at - 2160000 WHERE expiry = '30'");
    let list = plain.get("/console/bots").body;
    assert!(list.contains("Ending soon"), "{list}");
    assert!(list.contains(">in 5 days</time>"), "{list}");
    let page = plain.get("/console/bots/etl").body;
    assert!(page.contains("expires soon"), "{page}");
}

#[test]
fn h07_store_that_fails_is_a_page_without_a_detail_and_nothing_is_shown() {
    let site = Site::start();
    let mut plain = with_bot(&site);
    let token = plain.token("/console/bots/etl");
    site.sql("DROP TABLE tokens");
    let fields = [
        ("token", &*token),
        ("do", "generate"),
        ("expiry", "30"),
        ("form", "jwt"),
        ("earlier", "stay"),
    ];
    let answers = [
        plain.get("/console/bots"),
        plain.get("/console/bots/etl"),
        plain.post("/console/bots/etl", &fields),
    ];
    for answer in answers {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.body.contains("The store does not answer"));
        assert!(!answer.body.contains("table") && !answer.body.contains("new-token"));
    }
    let (_, log) = site.server.stop();
    assert!(log.contains("no such table"), "{log}");
}
