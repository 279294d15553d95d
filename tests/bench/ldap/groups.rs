//! Searches of one login of a user in five hundred groups, ten levels deep, as the server
//! counts them: level by level on OpenLDAP, by the chain rule on a scripted server which
//! knows it. The search for the user is among them.

use std::fmt::Write;

use countersign_tests::Folder;
use countersign_tests::slapd::Slapd;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::scripted::{DOMAIN, Directory, Scripted};
use super::{PASSWORD, settings};
use crate::plugin;
use crate::table::{Row, Target};

const GROUPS: usize = 500;
const DEPTH: usize = 10;

pub(super) fn measure() -> Vec<Row> {
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
        row("chain rule", by_chain(), 3),
        row("level by level", by_level(), DEPTH + 2),
    ]
}

fn by_chain() -> usize {
    let mut directory = Directory::active_directory();
    directory.user("svc");
    let user = directory.user("u0");
    let mut below = directory.group("g0", &[&user]);
    for group in 1..=GROUPS - DEPTH {
        directory.group(&format!("g{group}"), &[&user]);
    }
    for level in 1..DEPTH {
        below = directory.group(&format!("n{level}"), &[&below]);
    }
    let server = Scripted::start(directory);
    let settings = json!({
        "url": server.url(),
        "bind_dn": format!("CN=svc,CN=Users,{DOMAIN}"),
        "bind_password": "svc-pw",
        "search": { "base": DOMAIN },
        "groups": { "nested": "chain" },
    });
    // Domain Users, his primary group, too.
    searches(settings, "u0-pw", GROUPS + 1, || server.searches())
}

fn by_level() -> usize {
    let slapd = Slapd::start();
    slapd.bulk(1);
    slapd.add(&groups());
    let mut settings = settings(&[&slapd.url]);
    let base = format!("ou=groups,{}", Slapd::BASE);
    settings["groups"] = json!({ "base": base, "nested": "recursive" });
    settings["attributes"] = Value::from(serde_json::Map::from_iter([(
        "groups".to_owned(),
        json!(""),
    )]));
    // The group `big` of the bulk, too.
    searches(settings, PASSWORD, GROUPS + 1, || {
        slapd.count(" SRCH base=")
    })
}

/// The first of ten levels: `g0` … hold the user; then `n1` holds `g0`, `n2` holds `n1`, and so on.
fn groups() -> String {
    let base = Slapd::BASE;
    let mut ldif = String::new();
    let mut add = |name: String, member: String| {
        let _ = write!(
            ldif,
            "dn: cn={name},ou=groups,{base}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n\n"
        );
    };
    for group in 0..=GROUPS - DEPTH {
        add(format!("g{group}"), format!("uid=u0,ou=people,{base}"));
    }
    for level in 1..DEPTH {
        let below = match level {
            1 => "g0".to_owned(),
            level => format!("n{}", level - 1),
        };
        add(format!("n{level}"), format!("cn={below},ou=groups,{base}"));
    }
    ldif
}

/// How many a login of `u0` adds to those that the server has counted; his groups are so many.
fn searches(settings: Value, password: &str, groups: usize, counted: impl Fn() -> usize) -> usize {
    let folder = Folder::new();
    let runtime = Runtime::new().unwrap();
    let ldap = runtime.block_on(plugin::instance("ldap", settings, &folder));
    let login = || {
        let answer = runtime.block_on(ldap.create_token(plugin::login("u0", password)));
        assert_eq!(answer.unwrap().unwrap().groups.len(), groups);
    };
    login(); // What is asked of a new connection is no part of it.
    let before = counted();
    login();
    counted() - before
}
