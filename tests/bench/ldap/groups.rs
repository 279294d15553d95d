//! Searches of one login of a user in five hundred groups, ten levels deep, as the
//! server's own log counts them; the search for the user is among them.

use std::fmt::Write;

use countersign_tests::Folder;
use countersign_tests::slapd::Slapd;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{PASSWORD, settings};
use crate::plugin;
use crate::table::{Row, Target};

const GROUPS: usize = 500;
const DEPTH: usize = 10;

pub(super) fn measure() -> Vec<Row> {
    let slapd = Slapd::start();
    slapd.bulk(1);
    slapd.add(&groups());
    let recursive = searches(&slapd, "recursive", Some(GROUPS));
    // OpenLDAP does not know the rule, so that it finds no group by it: what it costs is the same.
    let chain = searches(&slapd, "chain", None);
    let row = |name: &'static str, count: usize, most: usize| Row {
        name: format!("searches, {GROUPS} groups, depth {DEPTH}, {name}").into(),
        value: count as f64,
        measured: count.to_string(),
        reference: String::new(),
        unit: "",
        target: Target::AtMost(most as f64),
        note: String::new(),
    };
    vec![
        row("chain rule", chain, 3),
        row("level by level", recursive, DEPTH + 2),
    ]
}

/// `g1` … hold the user; `n1` holds `g1`, `n2` holds `n1`, and so on.
fn groups() -> String {
    let base = Slapd::BASE;
    let mut ldif = String::new();
    let mut add = |name: String, member: String| {
        let _ = write!(
            ldif,
            "dn: cn={name},ou=groups,{base}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n\n"
        );
    };
    for group in 1..=GROUPS - (DEPTH - 1) {
        add(format!("g{group}"), format!("uid=u0,ou=people,{base}"));
    }
    for level in 1..DEPTH {
        let below = match level {
            1 => "g1".to_owned(),
            level => format!("n{}", level - 1),
        };
        add(format!("n{level}"), format!("cn={below},ou=groups,{base}"));
    }
    ldif
}

fn searches(slapd: &Slapd, nested: &str, expected: Option<usize>) -> usize {
    let folder = Folder::new();
    let mut settings = settings(&[&slapd.url]);
    let base = format!("ou=groups,{}", Slapd::BASE);
    settings["groups"] = json!({ "base": base, "nested": nested, "depth": DEPTH + 2 });
    settings["attributes"] = Value::from(serde_json::Map::from_iter([(
        "groups".to_owned(),
        json!(""),
    )]));
    let runtime = Runtime::new().unwrap();
    let ldap = runtime.block_on(plugin::instance("ldap", settings, &folder));
    let login = || {
        let answer = runtime.block_on(ldap.create_token(plugin::login("u0", PASSWORD)));
        answer.unwrap().unwrap().groups.len()
    };
    login(); // What is asked of a new connection is no part of it.
    let before = slapd.count(" SRCH base=");
    let found = login();
    if let Some(expected) = expected {
        // The group `big` of the bulk, too.
        assert_eq!(found, expected + 1);
    }
    slapd.count(" SRCH base=") - before
}
