//! Three servers on one PostgreSQL.

use std::time::Duration;

use countersign::accounts::store::{Revocable, Store};
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, artifacts, post_json};

use super::{place, verify, wait};

const SECOND: Duration = Duration::from_secs(1);

fn three(folder: &[Folder; 3], config: &str) -> [Server; 3] {
    folder.each_ref().map(|folder| {
        for fixture in ["answers", "provisions"] {
            folder.plugin(&artifacts::fixture(fixture), fixture);
        }
        folder.plugin(&artifacts::plugin("template"), "template");
        Server::start(folder, config)
    })
}

#[test]
fn d11_failures_at_all_hosts_are_counted_together() {
    let server = Postgres::start();
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nstore: {{ url: \"{}\" }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        server.url
    );
    let hosts = three(&folders, &config);
    let login = |host: &Server, name: &str, password: &str| host.login(name, password).status;
    for n in 0..10 {
        assert_eq!(login(&hosts[n % 3], "ada", "wrong"), 401);
    }
    for host in &hosts {
        wait(SECOND, "everywhere", || login(host, "ada", "wrong") == 429);
        assert_eq!(login(host, "ada", "door"), 429);
        assert_eq!(login(host, "bob", "door"), 201, "{}", host.log());
    }
    // A success clears the count everywhere.
    for _ in 0..9 {
        assert_eq!(login(&hosts[0], "eve", "wrong"), 401);
    }
    let entries = |host: &Server| {
        let page = countersign_tests::get(host.admin, "/metrics").body;
        let line = page
            .lines()
            .find(|line| line.starts_with("countersign_throttle_entries "));
        line.unwrap().to_owned()
    };
    let before = entries(&hosts[0]);
    wait(SECOND, "the others know", || entries(&hosts[1]) == before);
    assert_eq!(login(&hosts[1], "eve", "door"), 201);
    wait(SECOND, "cleared", || entries(&hosts[0]) != before);
    for _ in 0..9 {
        assert_eq!(login(&hosts[0], "eve", "wrong"), 401);
    }
    for host in hosts {
        let (code, log) = host.stop();
        assert_eq!(code, 0, "{log}");
    }
}

#[test]
fn link_that_one_host_made_is_everybodys() {
    let server = Postgres::start();
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nstore: {{ url: \"{}\" }}\ntokens: {{ subject_backend: users }}\nbackends:\n  dir: {{ plugin: answers, config: {{}}, provision: users, registration: true }}\n  users: {{ plugin: provisions, config: {{}} }}\n",
        server.url
    );
    let hosts = three(&folders, &config);
    let body = r#"{"username":"ada","password":"x"}"#;
    let first = post_json(hosts[0].address, "/auth/dir/token", body);
    assert_eq!(first.status, 201, "{}", hosts[0].log());
    assert_eq!(
        post_json(hosts[0].address, "/auth/dir/token", body).status,
        201
    );
    // The fixture's rows are each host's own: that of the link is at the first alone, and a
    // linked row that is gone is never made anew.
    for host in &hosts[1..] {
        let answer = post_json(host.address, "/auth/dir/token", body);
        assert_eq!(answer.status, 401, "{}", host.log());
    }
}

#[test]
fn r10_hosts_with_one_key_encryption_key_have_one_set_of_keys() {
    let server = Postgres::start();
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    let config = |kek: &str| {
        format!(
            "plugins: {{ directories: [plugins] }}\nkeys: {{ algorithm: EdDSA }}\ntokens: {{ issuer: \"http://id.example\" }}\nstore: {{ url: \"{}\", kek: \"{kek}\" }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
            server.url
        )
    };
    let kek = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let hosts = three(&folders, &config(kek));
    let keys = |host: &Server| countersign_tests::get(host.address, "/.well-known/jwks.json").body;
    let before = keys(&hosts[0]);
    assert!(hosts.iter().all(|host| keys(host) == before));
    // One rotates, all do.
    let done = crate::run(&folders[1], &["keys", "rotate", "--now"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    let after = keys(&hosts[1]);
    assert_ne!(before, after);
    for host in &hosts {
        wait(SECOND, "everywhere", || keys(host) == after);
    }
    // Where the private halves are, nobody reads them, and no host keeps a copy.
    for host in &hosts {
        let folder = host.state.join("keys");
        let left = std::fs::read_dir(folder).map(|files| files.count());
        assert_eq!(left.unwrap_or_default(), 0, "{}", host.state.display());
    }
    // A token of one is a token of all, until it is revoked by any.
    let token = hosts[0].token("ada", "door");
    assert!(hosts.iter().all(|host| verify(host, &token) == 200));
    let jti = countersign_tests::token::claims(&token)["jti"].clone();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(place(&server.url)).await.unwrap();
        let what = Revocable::Token(jti.as_str().unwrap());
        store.revoke(what, None, super::NOW).await.unwrap();
        store.close().await;
    });
    for host in &hosts {
        wait(SECOND, "refused", || verify(host, &token) == 401);
    }
    let [first, second, third] = hosts;
    // Killed and started again, it has them still; another key-encryption key opens nothing.
    drop(first);
    let again = Server::start(&folders[0], &config(kek));
    assert_eq!(keys(&again), after);
    assert_eq!(verify(&again, &token), 401);
    for host in [again, second, third] {
        assert_eq!(host.stop().0, 0);
    }
    folders[0].write("config.yaml", config(&kek.replace("AAEC", "AAED")));
    let refused = crate::run(
        &folders[0],
        &["serve"],
        &[
            ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
            ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
        ],
    );
    assert_ne!(refused.code, 0);
    assert!(!format!("{refused:?}").contains("AAED"), "{refused:?}");
}
