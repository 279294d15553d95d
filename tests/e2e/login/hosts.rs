//! Hosts behind one address that share PostgreSQL and `store.kek`: a browser may meet any.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use countersign_tests::fault::{Fault, Way};
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server};

use super::{BACKENDS, Browser, server};

const KEK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn host(folder: &Folder, url: &str) -> Server {
    let more = format!(
        "server: {{ public_url: \"http://id.example\" }}\nkeys: {{ algorithm: EdDSA }}\nstore: {{ url: \"{url}\", kek: \"{KEK}\" }}"
    );
    server(folder, BACKENDS, &more)
}

/// The same browser, whose next request goes to another host.
fn at(browser: &Browser, host: &Server) -> Browser {
    Browser {
        address: host.address,
        cookies: browser.cookies.clone(),
        seen: String::new(),
    }
}

#[test]
fn session_is_good_at_every_host_and_over_at_every_host() {
    let database = Postgres::start();
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let hosts = folders.each_ref().map(|folder| host(folder, &database.url));
    let mut browser = Browser::new(&hosts[0]);
    // Begun at one, ended at another.
    let state = browser.begin("/login/company_sso");
    let mut second = at(&browser, &hosts[1]);
    let path = format!("/callback/company_sso?code=ada&state={state}");
    assert_eq!(second.get(&path).status, 303, "{}", hosts[1].log());
    // Back again with what the browser had: it is used up at all hosts.
    for host in &hosts {
        let again = at(&browser, host).get(&path);
        assert_eq!(again.status, 400, "{again:?}");
    }
    for host in &hosts {
        assert!(at(&second, host).is_signed_in());
    }
    let mut third = at(&second, &hosts[2]);
    let token = third.token("/logout");
    assert_eq!(third.post("/logout", &[("token", &token)]).status, 303);
    let begun = Instant::now();
    for host in &hosts {
        while at(&second, host).is_signed_in() {
            assert!(begun.elapsed() < Duration::from_secs(1));
        }
    }
    // Nor is it good where the host was away meanwhile.
    let [first, ..] = hosts;
    assert_eq!(first.stop().0, 0);
    let late = host(&folders[0], &database.url);
    assert!(!at(&second, &late).is_signed_in());
}

#[test]
fn store_that_does_not_answer_lets_nobody_in_twice_and_ends_no_session_elsewhere() {
    let database = Postgres::start();
    let url = url::Url::parse(&database.url).unwrap();
    let port = url.port().unwrap();
    let network = Fault::before(SocketAddr::from(([127, 0, 0, 1], port)));
    let mut through = url;
    through.set_port(Some(network.address.port())).unwrap();
    let folder = Folder::new();
    let host = host(&folder, through.as_str());
    let mut browser = Browser::new(&host);
    assert_eq!(browser.sign_in("ada", "door").status, 303);
    let token = browser.token("/logout");
    let mut other = Browser::new(&host);
    let state = other.begin("/login/company_sso");

    network.set(Way::Refuse);
    let answer = browser.post("/logout", &[("token", &token)]);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert!(!browser.is_signed_in(), "ended here at once");
    let path = format!("/callback/company_sso?code=eve&state={state}");
    let held = other.cookies.clone();
    let answer = other.get(&path);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!other.is_signed_in());
    // Who types his password needs nothing to be remembered.
    assert_eq!(Browser::new(&host).sign_in("bob", "door").status, 303);

    network.set(Way::Open);
    let begun = Instant::now();
    while browser.post("/logout", &[("token", &token)]).status != 303 {
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", host.log());
    }
    assert!(!browser.is_signed_in());
    other.cookies = held;
    assert_eq!(other.get(&path).status, 303, "it was not used up");
    let (code, log) = host.stop();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("\"outcome\":\"unavailable\""), "{log}");
    assert!(!log.contains(KEK) && !log.contains("testbed-pw"), "{log}");
}
