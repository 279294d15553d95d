//! The pages themselves: their headers, their methods, their markup.

use countersign_tests::{Folder, send};

use super::{BACKENDS, Browser, PUBLIC, server};

#[test]
fn every_page_says_what_a_browser_must_not_do_with_it() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let mut browser = Browser::new(&server);
    let mut answers = vec![
        browser.get("/login"),
        browser.get("/login/company_sso"),
        browser.get("/login/nobody"),
        browser.get("/callback/company_sso"),
        browser.get("/callback"),
        browser.get("/logout"),
        browser.sign_in("ada", "wrong"),
        browser.send("PUT", "/login", &[], ""),
        browser.sign_in("ada", "door"),
    ];
    answers.push(browser.get("/login"));
    answers.push(browser.get("/logout"));
    for answer in answers {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        if answer.status == 303 {
            continue;
        }
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "style-src 'sha256-",
            "form-action 'self';",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{part} is missing: {policy}");
        }
        assert!(
            !policy.contains("unsafe") && !answer.body.contains("<script"),
            "{answer:?}"
        );
        let body = &answer.body;
        assert_eq!(body.matches("<h1").count(), 1, "{body}");
        for part in [
            "<html lang=\"en\">",
            "name=\"viewport\"",
            "<title>",
            "<main>",
        ] {
            assert!(body.contains(part), "{part} is missing: {body}");
        }
        assert!(!body.contains("style=\""), "{body}");
        let fields = body.matches("<input id=").count();
        assert_eq!(body.matches("<label for=").count(), fields, "{body}");
    }
}

#[test]
fn h04_other_methods_are_405_and_head_is_get_without_its_body() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    for (path, allowed) in [
        ("/login", "GET, HEAD, POST"),
        ("/login/door", "GET, HEAD, POST"),
        ("/logout", "GET, HEAD, POST"),
        ("/callback", "GET"),
        ("/callback/company_sso", "GET"),
    ] {
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE"] {
            let answer = send(server.address, method, path, &[], b"");
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some(allowed)),
                "{method} {path}"
            );
        }
    }
    let head = send(server.address, "HEAD", "/login", &[], b"");
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(
        send(server.address, "POST", "/callback/company_sso", &[], b"").status,
        405
    );
}

#[test]
fn title_is_the_operators_and_backends_are_named_as_he_says() {
    let folder = Folder::new();
    let backends = "plugins: { directories: [plugins] }\nbackends:\n  company_sso: { plugin: signs_in, title: \"Öffnen & <go>\", config: {} }\n  hidden: { plugin: signs_in, login: false, config: {} }\n";
    let settings =
        "server: { public_url: \"http://id.example\", login: { title: \"Data <Platform>\" } }";
    let server = server(&folder, backends, settings);
    let mut browser = Browser::new(&server);
    let page = browser.get("/login");
    assert!(
        page.body
            .contains("<title>Sign in – Data &#60;Platform&#62;</title>"),
        "{page:?}"
    );
    assert!(
        page.body
            .contains("Continue with Öffnen &#38; &#60;go&#62;"),
        "{page:?}"
    );
    assert!(
        !page.body.contains("hidden\"") && !page.body.contains("password"),
        "{page:?}"
    );
    assert_eq!(browser.get("/login/hidden").status, 404);
}
