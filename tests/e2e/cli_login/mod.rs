//! `countersign login`: the whole way from a terminal, through a browser, to a token.

pub(crate) mod browser;
pub(crate) mod codes;
mod password;
mod renewed;
pub(crate) mod terminal;

use std::os::unix::fs::PermissionsExt;

use countersign_tests::token::claims;
use countersign_tests::{Done, Folder, Server, artifacts, countersign, get, send};
use serde_json::Value;
use url::Url;

use crate::template;
use browser::{Browser, Page};
use terminal::{Terminal, login};

const AUDIENCES: &str = r#"
plugins: { directories: [plugins] }
tokens: { audiences: { api: { aud: "https://api.example" } } }
backends:
  door: { plugin: template, config: { password: door } }
"#;

/// Signs in by the form, up to the question.
pub(crate) fn sign_in(browser: &mut Browser, address: &str) -> Page {
    let form = browser.open(address);
    assert_eq!(form.answer.status, 200, "{:?}", form.answer);
    let asked = browser.submit(&form, &[("username", "ada"), ("password", "door")]);
    assert!(
        asked.answer.body.contains("countersign login"),
        "{:?}",
        asked.answer
    );
    asked
}

fn good(done: &Done) -> &str {
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout.strip_suffix('\n').unwrap()
}

#[test]
fn browser_gives_the_terminal_a_token_that_is_kept_until_forgotten() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut browser = Browser::default();
    let terminal = Terminal::start(&folder, &server, &[]);
    let asked = sign_in(&mut browser, &terminal.address);
    assert!(asked.answer.body.contains("ada"), "{:?}", asked.answer);
    assert!(
        asked.answer.body.contains("apache-airflow"),
        "{:?}",
        asked.answer
    );
    let policy = asked.answer.header("content-security-policy").unwrap();
    let redirect = asked.parameter("redirect_uri").unwrap();
    let origin = redirect.strip_suffix("/callback").unwrap();
    let targets = format!("form-action 'self' {origin};");
    assert!(
        policy.contains(&targets) && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    let last = browser.submit(&asked, &[("answer", "allow")]);
    assert!(last.url.as_str().starts_with(&redirect));
    assert!(
        last.answer.body.contains("You can close this window"),
        "{:?}",
        last.answer
    );
    let done = terminal.end();
    let token = good(&done).to_owned();
    let said = claims(&token);
    assert_eq!(
        (said["sub"].as_str(), said["aud"].as_str()),
        (Some("ada"), Some("apache-airflow"))
    );
    assert_eq!(
        said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(),
        3_600
    );
    assert!(!done.stderr.contains(&token));

    // From the file, in each form, without a question.
    assert_eq!(good(&login(&folder, &server, &[], "")), token);
    let header = login(&folder, &server, &["--print", "header"], "");
    assert_eq!(good(&header), format!("Authorization: Bearer {token}"));
    let json = login(&folder, &server, &["--print", "json"], "");
    let json: Value = serde_json::from_str(good(&json)).unwrap();
    assert_eq!(
        (&json["access_token"], &json["expires_at"]),
        (&token.as_str().into(), &said["exp"])
    );
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let kept = folder.join(".cache/countersign/tokens");
    let files: Vec<_> = std::fs::read_dir(&kept)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    assert_eq!(
        (mode(&kept), files.len(), mode(&files[0])),
        (0o700, 1, 0o600)
    );
    std::fs::set_permissions(&files[0], PermissionsExt::from_mode(0o644)).unwrap();
    let open = login(&folder, &server, &[], "");
    assert_eq!((open.code, open.stdout.as_str()), (1, ""));
    assert!(open.stderr.contains("open to others"), "{open:?}");
    assert_eq!(login(&folder, &server, &["--forget"], "").code, 0);
    assert!(!files[0].exists());

    // The session is still there: one click, another token.
    let terminal = Terminal::start(&folder, &server, &[]);
    let asked = browser.open(&terminal.address);
    browser.submit(&asked, &[("answer", "allow")]);
    assert_ne!(good(&terminal.end()), token);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    let issued = log.lines().filter(|line| line.contains("token issued"));
    let lines: Vec<Value> = issued
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ours = lines
        .iter()
        .find(|line| line["jti"] == said["jti"])
        .unwrap();
    assert_eq!(
        (&ours["path"], &ours["user"]),
        (&"/oauth2/token".into(), &"ada".into())
    );
    assert_eq!(
        (&ours["backend"], &ours["sub"]),
        (&"door".into(), &"ada".into())
    );
}

#[test]
fn browser_of_the_environment_is_opened_with_the_address_that_is_printed() {
    let folder = Folder::new();
    let server = template(&folder);
    let script = folder.write("browser", "#!/bin/sh\nprintf '%s' \"$2\" > address\n");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    // Reading a pipe waits for the browser.
    let pipe = folder.join("address");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let named = format!("{} --new", script.display());
    let terminal = Terminal::with(&folder, &server, &[], &[("BROWSER", &named)]);
    let opened = std::fs::read_to_string(&pipe).unwrap();
    assert_eq!(opened, terminal.address);
    let mut browser = Browser::default();
    let asked = sign_in(&mut browser, &opened);
    browser.submit(&asked, &[("answer", "allow")]);
    good(&terminal.end());
}

#[test]
fn user_who_says_no_gives_no_token() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut browser = Browser::default();
    let terminal = Terminal::start(&folder, &server, &[]);
    let asked = sign_in(&mut browser, &terminal.address);
    let last = browser.submit(&asked, &[("answer", "deny")]);
    assert!(
        last.answer.body.contains("No token was given"),
        "{:?}",
        last.answer
    );
    let done = terminal.end();
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(done.stderr.contains("access_denied"), "{done:?}");
}

#[test]
fn token_is_for_the_audience_that_was_asked_for_and_no_other() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(&folder, AUDIENCES);
    let mut browser = Browser::default();
    let terminal = Terminal::start(
        &folder,
        &server,
        &["--audience", "api", "--backend", "door"],
    );
    let asked = sign_in(&mut browser, &terminal.address);
    assert!(
        asked.answer.body.contains("https://api.example"),
        "{:?}",
        asked.answer
    );
    browser.submit(&asked, &[("answer", "allow")]);
    let token = good(&terminal.end()).to_owned();
    assert_eq!(claims(&token)["aud"], "https://api.example");

    for (option, error) in [
        ("--audience", "invalid_target"),
        ("--backend", "invalid_request"),
    ] {
        let terminal = Terminal::start(&folder, &server, &[option, "nobody"]);
        browser.open(&terminal.address);
        let done = terminal.end();
        assert_eq!((done.code, done.stdout.as_str()), (1, ""));
        assert!(done.stderr.contains(error), "{done:?}");
    }
}

#[test]
fn o01_callback_of_another_sign_in_is_refused_and_the_right_one_still_taken() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut browser = Browser::default();
    let terminal = Terminal::start(&folder, &server, &[]);
    let asked = sign_in(&mut browser, &terminal.address);
    let redirect = Url::parse(&asked.parameter("redirect_uri").unwrap()).unwrap();
    let port = redirect.socket_addrs(|| None).unwrap()[0];
    for target in [
        "/",
        "/callback",
        "/callback?code=x&state=foreign&iss=http%3A%2F%2F127.0.0.1%3A0",
        "/callback?error=access_denied&state=foreign",
    ] {
        let answer = get(port, target);
        assert!([400, 404].contains(&answer.status), "{target}: {answer:?}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
    }
    browser.submit(&asked, &[("answer", "allow")]);
    good(&terminal.end());
}

#[test]
fn what_cannot_be_is_said_with_the_exit_code_and_nothing_on_standard_output() {
    let folder = Folder::new();
    let server = template(&folder);
    let named = ["--username", "ada", "--password-stdin"];
    for (more, input, code, expected) in [
        (&named[..], "canary-7f3a\n", 1, "Invalid credentials"),
        (&named, "\n", 1, "empty"),
        (&["--username", "ada"], "door\n", 64, "--password-stdin"),
        (&["--password-stdin"], "door\n", 64, "--username"),
        (
            &["--server", "http://auth.example.com"],
            "",
            64,
            "--plain-http",
        ),
        (&["--server", "https://a:canary-7f3a@b"], "", 64, "password"),
        (&["--backend", "../x"], "", 64, "letters"),
        (&["--ca", "no-such-file"], "", 74, "no-such-file"),
        (&["--server", "http://127.0.0.1:1"], "", 1, "127.0.0.1:1"),
        (&["--print", "xml"], "", 64, "xml"),
    ] {
        let done = login(&folder, &server, more, input);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (code, ""),
            "{more:?} {done:?}"
        );
        assert!(done.stderr.contains(expected), "{more:?} {done:?}");
        assert!(!done.stderr.contains("canary-7f3a"), "{done:?}");
    }
    let unnamed = [("HOME", "/nowhere")];
    // As on a computer that has the program alone.
    let alone = ["login", "--set", "plugins.directories=[nowhere]"];
    let done = countersign(folder.path(), &alone, &unnamed, "");
    assert_eq!((done.code, done.stdout.as_str()), (64, ""), "{done:?}");
    assert!(done.stderr.contains("no server is named"), "{done:?}");
    let nowhere = [&named[..], &["--backend", "nobody"]].concat();
    let done = login(&folder, &server, &nowhere, "door\n");
    assert!(
        done.code == 1 && done.stderr.contains("no backend nobody"),
        "{done:?}"
    );
}

#[test]
fn c07_code_verifier_token_and_password_are_in_no_log() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::with(&folder, crate::TEMPLATE, &[("RUST_LOG", "trace")]);
    let mut browser = Browser::default();
    let mut flow = codes::Flow::new(&server);
    let code = flow.code(&mut browser);
    let answer = flow.redeem(&[("code", &code)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let again = flow.redeem(&[("code", &code)]);
    assert_eq!(again.status, 400);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let signature = token.rsplit_once('.').unwrap().1.to_owned();
    // A code in a header or a query that has no business there.
    let target = format!("/oauth2/token?code={code}&access_token={token}");
    send(server.address, "POST", &target, &[], b"");
    let (_, log) = server.stop();
    for secret in [code.as_str(), codes::VERIFIER, &signature] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
    }
    assert!(log.contains("the code was used before"), "{log}");
}
