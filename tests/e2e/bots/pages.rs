//! `/tokens`: a user's own tokens in the browser.

use countersign_tests::{Folder, Server, token};

use super::{CONFIG, add_user, call};
use crate::login::{Browser, hidden};

/// A browser in which ada is signed in.
fn signed_in(folder: &Folder, server: &Server) -> Browser {
    add_user(folder, "ada", "Op");
    let mut browser = Browser::new(server);
    assert_eq!(browser.sign_in("ada", "s3cret").status, 303);
    browser
}

#[test]
fn token_is_made_shown_once_and_revoked() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let mut browser = signed_in(&folder, &server);
    assert!(browser.get("/login").body.contains("href=\"/tokens\""));
    let page = browser.get("/tokens");
    assert!(page.body.contains("You have none."), "{page:?}");
    assert!(
        !page.body.contains("Unlimited") && !page.body.contains("countersign\""),
        "{page:?}"
    );
    let guard = hidden(&page, "token");
    let fields = [
        ("token", &*guard),
        ("name", "<laptop>"),
        ("expiry", "30"),
        ("audience", "openmetadata"),
        ("form", "jwt"),
    ];
    let made = browser.post("/tokens", &fields);
    assert_eq!(
        (made.status, made.header("cache-control")),
        (200, Some("no-store"))
    );
    let value = made
        .body
        .split("value=\"")
        .find(|part| part.starts_with("eyJ"))
        .unwrap();
    let secret = value.split('"').next().unwrap();
    assert_eq!(token::claims(secret)["sub"], "ada");
    let bearer = format!("Bearer {secret}");
    let me = || call(&server, "GET", "/api/v1/users/loggedInUser", &bearer, "").status;
    assert_eq!(me(), 200);
    // Whoever reloads the answer sends the form again.
    let again = browser.post("/tokens", &fields);
    assert_eq!(again.status, 409, "{again:?}");
    assert!(again.body.contains("was sent before"), "{again:?}");
    let page = browser.get("/tokens");
    assert_eq!(page.body.matches("name=\"revoke\"").count(), 1);
    assert!(
        page.body.contains("&#60;laptop&#62;") && !page.body.contains(secret),
        "{page:?}"
    );
    let (guard, id) = (hidden(&page, "token"), hidden(&page, "revoke"));
    let revoked = browser.post("/tokens", &[("token", &guard), ("revoke", &id)]);
    assert_eq!(
        (revoked.status, revoked.header("location")),
        (303, Some("/tokens"))
    );
    assert_eq!(me(), 401);
    assert!(browser.get("/tokens").body.contains("You have none."));
    let (_, log) = server.stop();
    assert!(!log.contains(secret), "{log}");
}

#[test]
fn form_of_another_site_changes_nothing_and_neither_does_one_with_nonsense() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let mut browser = signed_in(&folder, &server);
    let guard = hidden(&browser.get("/tokens"), "token");
    let body = format!("token={guard}&name=x&expiry=30");
    let foreign = browser.send(
        "POST",
        "/tokens",
        &[("sec-fetch-site", "cross-site")],
        &body,
    );
    assert_eq!(foreign.status, 403, "{foreign:?}");
    let without = browser.post("/tokens", &[("name", "x"), ("expiry", "30")]);
    assert_eq!(without.status, 403);
    for (name, expiry) in [("x", "Unlimited"), ("x", ""), ("", "30"), (" ", "30")] {
        let guard = hidden(&browser.get("/tokens"), "token");
        let fields = [("token", &*guard), ("name", name), ("expiry", expiry)];
        let refused = browser.post("/tokens", &fields);
        assert_eq!(refused.status, 400, "{name} {expiry} {refused:?}");
    }
    // For our own API who does not manage gets what opens nothing, and no other's tokens.
    let of_another = [
        ("token", &*guard),
        ("revoke", "00000000000000000000000000000000"),
    ];
    assert_eq!(browser.post("/tokens", &of_another).status, 303);
    assert!(browser.get("/tokens").body.contains("You have none."));
}

#[test]
fn page_is_for_those_who_signed_in_and_only_where_users_may_have_tokens() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let mut browser = Browser::new(&server);
    let answer = browser.get("/tokens");
    let login = Some("/login?return_to=%2Ftokens");
    assert_eq!((answer.status, answer.header("location")), (303, login));
    drop(server);
    let closed = CONFIG.replace("personal_tokens: true", "personal_tokens: false");
    let server = Server::start(&folder, &closed);
    let mut browser = signed_in(&folder, &server);
    assert_eq!(browser.get("/tokens").status, 404);
    assert!(!browser.get("/login").body.contains("/tokens"));
}
