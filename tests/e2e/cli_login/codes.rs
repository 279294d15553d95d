//! The codes of the authorization endpoint, and what the token endpoint makes of them: asked
//! for by hand, as no client of ours would.

use std::net::SocketAddr;

use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts, send};
use url::{Url, form_urlencoded};

use super::browser::{Browser, Page};
use super::sign_in;
use crate::oauth2::bots::ask;
use crate::{run, template};

/// RFC 7636 appendix B.
pub(super) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Nobody listens there: the browser stops before it.
const REDIRECT: &str = "http://127.0.0.1:4711/callback";

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

/// A client of its own making.
pub(crate) struct Flow {
    address: SocketAddr,
    signed_in: bool,
    key: Option<String>,
}

impl Flow {
    pub(crate) fn new(server: &Server) -> Self {
        Flow {
            address: server.address,
            signed_in: false,
            key: None,
        }
    }

    /// Of a client whose codes are bound to the key with this thumbprint.
    pub(crate) fn bound(server: &Server, key: String) -> Self {
        Flow {
            key: Some(key),
            ..Flow::new(server)
        }
    }

    /// Of a browser whose user has signed in already.
    pub(crate) fn signed_in(server: &Server) -> Self {
        Flow {
            signed_in: true,
            ..Flow::new(server)
        }
    }

    /// The address to open.
    fn url(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", "countersign-cli")
            .append_pair("redirect_uri", REDIRECT)
            .append_pair("code_challenge", CHALLENGE)
            .append_pair("code_challenge_method", "S256")
            .append_pair("state", "a state")
            .extend_pairs(self.key.iter().map(|key| ("dpop_jkt", key)))
            .finish();
        format!("http://{}/oauth2/authorize?{query}", self.address)
    }

    /// The question.
    fn asked(&mut self, browser: &mut Browser) -> Page {
        browser.stops_at = Some(REDIRECT.to_owned());
        match std::mem::replace(&mut self.signed_in, true) {
            false => sign_in(browser, &self.url()),
            true => browser.open(&self.url()),
        }
    }

    /// A code, as the browser would bring it.
    pub(crate) fn code(&mut self, browser: &mut Browser) -> String {
        let asked = self.asked(browser);
        let last = browser.submit(&asked, &[("answer", "allow")]);
        assert_eq!(last.parameter("state").as_deref(), Some("a state"));
        assert!(
            last.parameter("iss")
                .is_some_and(|iss| iss.starts_with("http://"))
        );
        assert_eq!(last.answer.header("cache-control"), Some("no-store"));
        last.parameter("code").unwrap()
    }

    /// Redeems with a good request, changed: an empty value leaves a parameter out.
    pub(crate) fn redeem(&self, changes: &[(&str, &str)]) -> Answer {
        self.redeem_with(&[], changes)
    }

    /// The same with further headers.
    pub(crate) fn redeem_with(&self, more: &[(&str, &str)], changes: &[(&str, &str)]) -> Answer {
        self.post_with(more, &Flow::redemption(changes))
    }

    /// The body of such a request.
    pub(crate) fn redemption(changes: &[(&str, &str)]) -> String {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "countersign-cli"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            form.push((name, value));
        }
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        body.finish()
    }

    fn post(&self, body: &str) -> Answer {
        self.post_with(&[], body)
    }

    fn post_with(&self, more: &[(&str, &str)], body: &str) -> Answer {
        let headers = [&[FORM], more].concat();
        let path = "/oauth2/token";
        send(self.address, "POST", path, &headers, body.as_bytes())
    }
}

fn refused(answer: &Answer, error: &str) {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["error"], error, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn s01_code_gives_a_token_once() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let code = flow.code(&mut browser);
    let answer = flow.redeem(&[("code", &code)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"]),
        (&"Bearer".into(), &3_600.into())
    );
    assert_eq!(claims(body["access_token"].as_str().unwrap())["sub"], "ada");
    refused(&flow.redeem(&[("code", &code)]), "invalid_grant");
    let metrics = countersign_tests::get(server.admin, "/metrics").body;
    let issued = metrics
        .lines()
        .find(|line| line.starts_with("countersign_tokens_issued"));
    assert!(
        issued.is_some_and(|line| line.contains("door")),
        "{metrics}"
    );
}

#[test]
fn o05_code_is_used_up_by_whoever_cannot_prove_that_it_is_his() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    for (name, value) in [
        (
            "code_verifier",
            "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        ),
        // What RFC 7636 calls "plain".
        ("code_verifier", CHALLENGE),
        ("redirect_uri", "http://127.0.0.1:4712/callback"),
        ("redirect_uri", "http://[::1]:4711/callback"),
        ("client_id", "another"),
    ] {
        let code = flow.code(&mut browser);
        refused(
            &flow.redeem(&[("code", &code), (name, value)]),
            "invalid_grant",
        );
        refused(&flow.redeem(&[("code", &code)]), "invalid_grant");
    }
    for code in ["x", "AAAA", &"A".repeat(5_000)] {
        refused(&flow.redeem(&[("code", code)]), "invalid_grant");
    }
}

#[test]
fn s02_malformed_requests_are_refused_and_use_no_code_up() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let code = flow.code(&mut browser);
    for (name, value) in [
        ("code", ""),
        ("code_verifier", ""),
        ("code_verifier", "too-short"),
        ("redirect_uri", ""),
        ("client_id", ""),
        ("grant_type", ""),
    ] {
        refused(
            &flow.redeem(&[("code", &code), (name, value)]),
            "invalid_request",
        );
    }
    let twice = format!("grant_type=authorization_code&code={code}&code={code}");
    refused(&flow.post(&twice), "invalid_request");
    let target = format!("/oauth2/token?grant_type=authorization_code&code={code}");
    refused(
        &send(server.address, "POST", &target, &[FORM], b""),
        "invalid_request",
    );
    let json = ("content-type", "application/json");
    refused(
        &send(server.address, "POST", "/oauth2/token", &[json], b"{}"),
        "invalid_request",
    );
    assert_eq!(
        send(server.address, "GET", "/oauth2/token", &[], b"").status,
        405
    );
    assert_eq!(flow.redeem(&[("code", &code)]).status, 200);
}

/// RFC 9700 section 2.1 and 4.3.2: neither tokens nor who one is come by an address.
#[test]
fn t57_token_in_an_address_opens_nothing() {
    let folder = Folder::new();
    let server = template(&folder);
    let token = server.token("ada", "door");
    let mut browser = Browser::default();
    let url = format!("{}&access_token={token}", Flow::new(&server).url());
    let page = browser.open(&url);
    assert!(page.url.path() == "/login", "{}", page.url);
    let bearer = format!("Bearer {token}");
    let url = Url::parse(&Flow::new(&server).url()).unwrap();
    let page = browser.go("GET", url, &[("authorization", &bearer)], "");
    assert!(page.url.path() == "/login", "{}", page.url);
}

#[test]
fn confirmation_counts_only_from_the_page_and_the_session_that_it_was_shown_to() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let asked = flow.asked(&mut browser);
    let no_code = |page: &Page| {
        assert_eq!(page.answer.status, 400, "{:?}", page.answer);
        assert_eq!(page.answer.header("location"), None);
    };
    // Another browser, signed in as well, and one that is not.
    let mut other = Browser::default();
    Flow::new(&server).asked(&mut other);
    no_code(&other.submit(&asked, &[("answer", "allow")]));
    no_code(&Browser::default().submit(&asked, &[("answer", "allow")]));
    // Another site's page: with all that it could know, and without the rest.
    let url = Url::parse(&format!("http://{}/oauth2/authorize", server.address)).unwrap();
    no_code(&browser.go(
        "POST",
        url.clone(),
        &[("origin", "https://evil.example")],
        "answer=allow",
    ));
    let cross = [("sec-fetch-site", "cross-site")];
    no_code(&browser.go("POST", url, &cross, "answer=allow&request=x"));
    let last = browser.submit(&asked, &[("answer", "allow")]);
    assert!(last.parameter("code").is_some());
}

#[test]
fn code_of_a_backend_that_is_gone_gives_no_token() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let code = flow.code(&mut browser);
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write("config.yaml", crate::TEMPLATE.replace("door:", "gate:"));
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    refused(&flow.redeem(&[("code", &code)]), "invalid_grant");
    let (_, log) = server.stop();
    assert!(log.contains("takes no logins any more"), "{log}");
}

#[test]
fn code_of_a_session_that_was_ended_meanwhile_gives_no_token() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let code = flow.code(&mut browser);
    let question = browser.open(&format!("http://{}/logout", server.address));
    browser.submit(&question, &[]);
    refused(&flow.redeem(&[("code", &code)]), "invalid_grant");
    let (_, log) = server.stop();
    assert!(log.contains("signed out meanwhile"), "{log}");
}

/// Whoever is not the first has the code from somewhere: what the first got is over, too.
#[test]
fn code_that_is_redeemed_by_many_at_once_gives_one_token_at_most() {
    let folder = Folder::new();
    let server = template(&folder);
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let code = flow.code(&mut browser);
    let given: Vec<Answer> = std::thread::scope(|scope| {
        let redeem = || scope.spawn(|| flow.redeem(&[("code", &code)]));
        let all: Vec<_> = (0..8).map(|_| redeem()).collect();
        let answers = all.into_iter().map(|one| one.join().unwrap());
        answers.filter(|answer| answer.status == 200).collect()
    });
    assert!(given.len() <= 1, "{given:?}");
    for tokens in given {
        let tokens = tokens.json();
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "countersign-cli"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        let again = ask(&server, "/oauth2/token", "", &form);
        refused(&again, "invalid_grant");
    }
}
