//! Sign-ins that go on: with a browser on another device, and renewed without one.

use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_tests::token::claims;
use countersign_tests::{Folder, Server};
use serde_json::{Value, json};

use super::browser::Browser;
use super::terminal::{Terminal, login};
use super::{good, sign_in};
use crate::oauth2::bots::{Beside, ask, basic};
use crate::template;

/// The one file that the terminal keeps.
fn kept(folder: &Folder) -> PathBuf {
    let files = std::fs::read_dir(folder.join(".cache/countersign/tokens")).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files[0].clone()
}

fn read(folder: &Folder) -> Value {
    serde_json::from_slice(&std::fs::read(kept(folder)).unwrap()).unwrap()
}

/// As if hours had gone by.
fn age(folder: &Folder, change: impl FnOnce(&mut Value)) {
    let mut written = read(folder);
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = part(json!({ "iss": "http://127.0.0.1", "iat": 1_000, "exp": 4_600 }));
    let token = format!("{}.{claims}.c2ln", part(json!({ "alg": "RS256" })));
    written["access_token"] = token.into();
    change(&mut written);
    std::fs::write(kept(folder), written.to_string()).unwrap();
}

fn signed_in(folder: &Folder, server: &Server) -> String {
    let terminal = Terminal::start(folder, server, &[]);
    let mut browser = Browser::default();
    let asked = sign_in(&mut browser, &terminal.address);
    browser.submit(&asked, &[("answer", "allow")]);
    good(&terminal.end()).to_owned()
}

#[test]
fn token_that_is_over_is_renewed_without_a_browser() {
    let folder = Folder::new();
    let server = template(&folder);
    let first = signed_in(&folder, &server);
    let before = read(&folder)["refresh_token"].clone();
    age(&folder, |_| {});
    let done = login(&folder, &server, &["--no-browser"], "");
    let second = good(&done).to_owned();
    assert_eq!(done.stderr, "");
    assert!(second != first && claims(&second)["sub"] == "ada");
    let after = read(&folder)["refresh_token"].clone();
    assert!(after.is_string() && after != before);
    assert_eq!(
        good(&login(&folder, &server, &[], "")),
        second,
        "it is kept"
    );
    // One that the server does not take any more: the user signs in again.
    age(&folder, |written| {
        written["refresh_token"] = "cst_refresh_x".into()
    });
    let terminal = Terminal::start(&folder, &server, &[]);
    assert!(terminal.address.contains("/oauth2/authorize?"));
    drop(terminal);
    let (_, log) = server.stop();
    assert!(!log.contains(before.as_str().unwrap()));
}

#[test]
fn forgotten_token_is_no_good_at_the_server_either() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    let token = signed_in(&folder, &server);
    let is_active = || {
        let answer = ask(&server, "/oauth2/introspect", &client, &[("token", &token)]);
        answer.json()["active"].as_bool().unwrap()
    };
    assert!(is_active());
    let done = login(&folder, &server, &["--forget"], "");
    assert!(
        done.code == 0 && done.stderr.contains("is not renewed"),
        "{done:?}"
    );
    assert!(!is_active());
    let done = login(&folder, &server, &["--forget"], "");
    assert!(
        done.code == 0 && done.stderr.contains("no token is kept"),
        "{done:?}"
    );
}

#[test]
fn token_is_forgotten_here_though_the_server_cannot_be_told() {
    let folder = Folder::new();
    let server = template(&folder);
    signed_in(&folder, &server);
    let file = kept(&folder);
    let url = format!("http://{}", server.address);
    server.stop();
    let home = folder.path().to_str().unwrap();
    let environment = [("COUNTERSIGN_SERVER", url.as_str()), ("HOME", home)];
    let done =
        countersign_tests::countersign(folder.path(), &["login", "--forget"], &environment, "");
    assert!(
        done.code == 0 && done.stderr.contains("was not told"),
        "{done:?}"
    );
    assert!(!file.exists());
}

#[test]
fn o14_terminal_without_a_browser_gets_its_token_by_another_device() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut terminal = Terminal::with(&folder, &server, &["--device"], &[]);
    assert_eq!(
        terminal.address,
        format!("http://{}/device", server.address)
    );
    let line = terminal.line("type the code");
    let code = line.split_whitespace().last().unwrap().to_owned();
    let mut browser = Browser::default();
    let form = browser.open(&format!("{}?user_code={code}", terminal.address));
    let asked = browser.submit(&form, &[("username", "ada"), ("password", "door")]);
    assert!(asked.answer.body.contains(&code), "{:?}", asked.answer);
    browser.submit(&asked, &[("answer", "allow")]);
    let token = good(&terminal.end()).to_owned();
    assert_eq!(claims(&token)["sub"], "ada");
    assert!(read(&folder)["refresh_token"].is_string());
    assert_eq!(good(&login(&folder, &server, &[], "")), token);
    let nobody = login(&folder, &server, &["--device", "--audience", "nobody"], "");
    assert!(
        nobody.code == 1 && nobody.stderr.contains("tokens.audiences"),
        "{nobody:?}"
    );
    let both = login(&folder, &server, &["--device", "--username", "ada"], "");
    assert_eq!(both.code, 64, "{both:?}");
}
