//! Two hosts on one PostgreSQL: what is good once is good once at both together, and what was
//! stolen ends at both.

use std::time::Duration;

use countersign::accounts::store::{Location, Store};
use countersign_tests::postgres::Postgres;
use countersign_tests::{Answer, Folder, Server, artifacts};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::bots::{Beside, ask, basic, said};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::hosts::wait;

const TOKEN: &str = "/oauth2/token";
const ISSUER: &str = "http://id.example";
const TRIES: usize = 5;

pub(super) fn two(
    folders: &[Folder; 2],
    database: &Postgres,
    environment: &[(&str, &str)],
) -> [Server; 2] {
    let config = format!(
        "plugins: {{ directories: [plugins] }}\ntokens: {{ issuer: \"{ISSUER}\" }}\nkeys: {{ algorithm: EdDSA }}\nstore: {{ url: \"{}\", kek: \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        database.url
    );
    folders.each_ref().map(|folder| {
        folder.plugin(&artifacts::plugin("template"), "template");
        Server::with(folder, &config, environment)
    })
}

pub(super) fn beside(database: &Postgres) -> Beside {
    let runtime = Runtime::new().unwrap();
    let place = Location::Postgres(database.url.clone().into());
    let store = runtime.block_on(Store::open(place)).unwrap();
    Beside { store, runtime }
}

/// Asks both at once.
pub(super) fn both(hosts: &[Server; 2], asks: impl Fn(&Server) -> Answer + Sync) -> [Answer; 2] {
    std::thread::scope(|scope| {
        let asked = hosts.each_ref().map(|host| scope.spawn(|| asks(host)));
        asked.map(|one| one.join().unwrap())
    })
}

pub(super) fn good(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

#[test]
fn s06_t54_assertions_and_codes_are_good_once_at_all_hosts_and_what_was_stolen_ends_at_all() {
    let database = Postgres::start();
    let folders = [Folder::new(), Folder::new()];
    let hosts = two(&folders, &database, &[]);
    let beside = beside(&database);
    let key = beside.key(&beside.bot("reports"));
    for n in 0..TRIES {
        let assertion = key.sign("JWT", &said("reports", ISSUER, &n.to_string()));
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", kind),
            ("client_assertion", &assertion),
        ];
        let answers = both(&hosts, |host| ask(host, TOKEN, "", &form));
        assert_eq!(good(&answers), 1, "{answers:?}");
    }

    let (mut browser, mut flow) = (Browser::default(), Flow::new(&hosts[0]));
    for _ in 0..TRIES {
        let code = flow.code(&mut browser);
        let redeem = |host: &Server| Flow::new(host).redeem(&[("code", &code)]);
        let answers = both(&hosts, redeem);
        assert!(good(&answers) <= 1, "{answers:?}");
    }

    let code = flow.code(&mut browser);
    let first = Flow::new(&hosts[1]).redeem(&[("code", &code)]).json();
    let refresh = |host: &Server, tokens: &Value| {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", "countersign-cli"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
        ];
        ask(host, TOKEN, "", &form)
    };
    let next = both(&hosts, |host| refresh(host, &first));
    assert_eq!(good(&next), 2, "refreshing at once is forgiven: {next:?}");
    let last = refresh(&hosts[0], &next[1].json());
    assert_eq!(last.status, 200, "{last:?}");
    assert_eq!(
        refresh(&hosts[1], &first).status,
        400,
        "somebody has a copy"
    );
    let (_, secret) = beside.client("airflow");
    let client = basic("airflow", &secret);
    let all = [&first, &next[0].json(), &next[1].json(), &last.json()];
    for (host, tokens) in hosts.iter().flat_map(|host| all.map(|one| (host, one))) {
        assert_eq!(refresh(host, tokens).status, 400);
        let token = tokens["access_token"].as_str().unwrap();
        wait(Duration::from_secs(1), "refused", || {
            let answer = ask(host, "/oauth2/introspect", &client, &[("token", token)]);
            answer.json()["active"] == false
        });
    }
}
