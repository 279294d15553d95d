//! Users of a directory: a real OpenLDAP behind the built plugin in the built server.

mod check;
mod groups;
mod import;
mod login;
mod outages;
mod preset;
pub(crate) mod provisioning;
mod refusals;
mod reload;
mod secrets;

use std::sync::OnceLock;

use countersign_tests::slapd::Slapd;
use countersign_tests::{Answer, Folder, Server, post_json, token};
use serde_json::{Value, json};

/// One server for all tests that break nothing in it: each adds entries with names of its own.
fn shared() -> &'static Slapd {
    static SLAPD: OnceLock<Slapd> = OnceLock::new();
    SLAPD.get_or_init(Slapd::start)
}

/// Settings of the indirect flow, but for the url.
fn service() -> String {
    let [dn, password] = Slapd::SERVICE;
    format!(
        "bind_dn: \"{dn}\", bind_password: {password}, search: {{ base: \"{}\" }}",
        Slapd::BASE
    )
}

/// A configuration whose one backend is `corp`; `more` are keys of the backend's own.
fn corp(url: &str, config: &str, more: &str) -> String {
    format!(
        "tokens: {{ claims: {{ roles: \"{{roles}}\", name: \"{{username}}\", mail: \"{{email}}\", first: \"{{first_name}}\", last: \"{{last_name}}\" }} }}\n\
         backends:\n  corp: {{ plugin: ldap, config: {{ url: {url}, {config} }}{more} }}\n"
    )
}

/// A server of the indirect flow.
fn start(folder: &Folder, slapd: &Slapd, more: &str) -> Server {
    Server::start(folder, &corp(&slapd.url, &service(), more))
}

/// The claims of a login that must succeed.
fn claims(server: &Server, username: &str, password: &str) -> Value {
    token::claims(&server.token(username, password))
}

/// `POST /auth/{backend}/token`.
fn direct(server: &Server, backend: &str, username: &str, password: &str) -> Answer {
    let body = json!({ "username": username, "password": password }).to_string();
    post_json(server.address, &format!("/auth/{backend}/token"), &body)
}

/// Adds a user with the password `alice-pw` to people, and groups of these names that hold only him.
fn add(slapd: &Slapd, uid: &str, groups: &[&str]) {
    slapd.add(&format!(
        "dn: uid={uid},ou=people,{base}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: Of {uid}\n\
         givenName: Given\nmail: {uid}@example.test\nuserPassword: alice-pw\n",
        base = Slapd::BASE
    ));
    for group in groups {
        slapd.add(&format!(
            "dn: cn={group},ou=groups,{base}\nobjectClass: groupOfNames\ncn: {group}\n\
             member: uid={uid},ou=people,{base}\n",
            base = Slapd::BASE
        ));
    }
}

/// Lines of the audit log.
fn audit(log: &str) -> Vec<Value> {
    log.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["target"] == "audit")
        .collect()
}
