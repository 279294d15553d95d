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
fn many_roles_are_folded_away_and_few_are_not() {
    for (count, folded) in [(10, false), (11, true)] {
        let folder = Folder::new();
        let roles: Vec<String> = (0..count).map(|number| format!("role_{number}")).collect();
        let more = format!("roles: {{ pass: [], default: [{}] }},", roles.join(", "));
        let backends = BACKENDS.replace("door: {", &format!("door: {{ {more}"));
        let server = server(&folder, &backends, PUBLIC);
        let mut browser = Browser::new(&server);
        assert_eq!(browser.sign_in("ada", "door").status, 303);
        let page = browser.get("/login").body;
        assert!(page.contains("<bdi>role_9</bdi>"), "{page}");
        assert_eq!(page.contains("<summary>11 roles</summary>"), folded);
        assert_eq!(page.contains("<details>"), folded, "{page}");
    }
}

#[test]
fn people_who_typed_another_address_are_told_on_a_page_and_programs_in_json() {
    let folder = Folder::new();
    let server = server(&folder, BACKENDS, PUBLIC);
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let person = |path| send(server.address, "GET", path, &[("accept", accept)], b"");
    let root = person("/");
    assert_eq!(
        (root.status, root.header("location")),
        (303, Some("/login"))
    );
    for path in ["/logn", "/auth/nobody/at/all", "//evil.example"] {
        let answer = person(path);
        assert_eq!(answer.status, 404, "{answer:?}");
        assert!(answer.body.contains("There is no such page"), "{answer:?}");
        assert!(answer.body.contains("href=\"/login\""), "{answer:?}");
        assert!(answer.header("content-security-policy").is_some());
    }
    for accept in ["*/*", "application/json"] {
        for path in ["/", "/logn"] {
            let answer = send(server.address, "GET", path, &[("accept", accept)], b"");
            assert_eq!(answer.status, 404, "{answer:?}");
            assert_eq!(answer.json()["detail"], "Not Found");
        }
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
