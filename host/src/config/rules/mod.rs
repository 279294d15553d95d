//! The rules that no schema can say, because they join several keys: all
//! checked, all reported. They read the tree and skip what is not of its type:
//! the schema has already said so.

mod backends;
mod bots;
mod keys;
mod login;
mod provision;
mod store;
mod tokens;
mod trust;
mod verify;

use serde_json::Value;

use super::formats;
use super::key::KeyPath;
use super::origins::{Origins, Place};
use super::report::{Finding, Notice};

/// The key id of the key pair that OpenMetadata ships for everyone.
const DEMO_KID: &str = "Gb389a-9f76-gdjs-a92j-0242bk94356";

/// Everything that the rules say of one tree.
pub(super) fn check(value: &Value, origins: &Origins) -> (Vec<Finding>, Vec<Notice>) {
    let mut rules = Rules {
        value,
        origins,
        findings: Vec::new(),
        notices: Vec::new(),
    };
    rules.listeners();
    rules.store();
    rules.tokens();
    rules.keys();
    rules.bots();
    rules.backends();
    rules.login();
    rules.provision();
    rules.roles();
    rules.plugins();
    rules.trust();
    rules.verify();
    (rules.findings, rules.notices)
}

struct Rules<'a> {
    value: &'a Value,
    origins: &'a Origins,
    findings: Vec<Finding>,
    notices: Vec<Notice>,
}

impl<'a> Rules<'a> {
    fn listeners(&mut self) {
        let listen = self.text("server.listen");
        if listen == self.text("admin.listen") && !listen.ends_with(":0") {
            self.error(
                "admin.listen",
                "this is the address of server.listen",
                "give the probes a port of their own, such as 127.0.0.1:8091",
            );
        }
        let public = self.text("server.public_url");
        if public.contains(['@', '?', '#']) {
            self.error(
                "server.public_url",
                "a user, a query or a fragment has no place in it: tokens carry this URL",
                "write scheme, host, port and path only, such as https://auth.example.com",
            );
        }
        self.tls();
        let Some(host) = formats::listen_host(listen) else {
            return;
        };
        if formats::is_loopback(host) {
            return;
        }
        let tls = !self.text("server.tls.certificate").is_empty();
        if !tls && self.flag("server.plain_http") != Some(true) {
            self.error(
                "server.listen",
                "this address can be reached from other machines, and passwords would cross the network in plain HTTP",
                "set server.tls, listen on 127.0.0.1 behind a TLS proxy, or set server.plain_http: true where the network is trusted",
            );
        }
        if self.text("server.public_url").is_empty() && self.text("tokens.issuer").is_empty() {
            self.notice(
                "server.listen",
                "the issuer of tokens is made from this address, which others may not know the server by",
                "set server.public_url to the URL that clients use",
            );
        }
        if self.text("keys.kid") == DEMO_KID {
            self.notice(
                "keys.kid",
                "this is the key id of OpenMetadata's demo keys, whose private half everyone has",
                "generate keys of your own: countersign keys generate",
            );
        }
    }

    fn tls(&mut self) {
        let (certificate, key) = ("server.tls.certificate", "server.tls.private_key");
        for (given, missing) in [(certificate, key), (key, certificate)] {
            if !self.text(given).is_empty() && self.text(missing).is_empty() {
                self.error(
                    given,
                    &format!("a certificate and its key go together, and `{missing}` is missing"),
                    &format!("set {missing} as well"),
                );
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        key.split('.')
            .try_fold(self.value, |value, segment| value.get(segment))
    }

    fn text(&self, key: &str) -> &'a str {
        self.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).and_then(Value::as_bool)
    }

    fn place(&self, key: &KeyPath) -> Place {
        self.origins.of(key).place
    }

    fn error(&mut self, key: &str, message: &str, help: &str) {
        self.error_at(&KeyPath::parse(key), message, help);
    }

    fn error_at(&mut self, key: &KeyPath, message: &str, help: &str) {
        self.findings
            .push(Finding::new(self.place(key), format!("`{key}`: {message}")).help(help));
    }

    fn notice(&mut self, key: &str, message: &str, help: &str) {
        self.notice_at(&KeyPath::parse(key), message, help);
    }

    fn notice_at(&mut self, key: &KeyPath, message: &str, help: &str) {
        self.notices
            .push(Notice::new(self.place(key), format!("`{key}`: {message}")).help(help));
    }
}
