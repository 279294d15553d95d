//! Neither a user's password nor the service account's comes out anywhere.

use countersign_tests::{Folder, get};

use super::*;
use crate::run;

const CANARY: &str = "canary-7f3a";

#[test]
fn c07_passwords_come_out_in_no_answer_log_or_metric() {
    let slapd = Slapd::start();
    let base = Slapd::BASE;
    slapd.add(&format!(
        "dn: cn=canary,ou=system,{base}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
         cn: canary\nuserPassword: {CANARY}-service\n"
    ));
    slapd.add(&format!(
        "dn: uid=ada,ou=people,{base}\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: L\nuserPassword: {CANARY}-user\n"
    ));
    let folder = Folder::new();
    let account = |password: &str| {
        format!(
            "bind_dn: \"cn=canary,ou=system,{base}\", bind_password: {CANARY}-{password}, search: {{ base: \"{base}\" }}"
        )
    };
    let format = format!("username_format: \"uid={{username}},ou=people,{base}\"");
    let config = format!(
        "backends:\n  corp: {{ plugin: ldap, config: {{ url: \"{url}\", {} }} }}\n  \
         wrong: {{ plugin: ldap, config: {{ url: \"{url}\", {} }} }}\n  \
         plain: {{ plugin: ldap, config: {{ url: \"{url}\", {format} }} }}\n",
        account("service"),
        account("stale"),
        url = slapd.url,
    );
    let server = Server::with(&folder, &config, &[("RUST_LOG", "trace")]);
    let mut seen = String::new();
    for backend in ["corp", "wrong", "plain"] {
        let typed = [
            format!("{CANARY}-typed"),
            format!("{CANARY}-user"),
            format!("{CANARY}-nul\0"),
        ];
        for (name, password) in ["ada", "nobody", "locked"]
            .iter()
            .flat_map(|name| typed.iter().map(move |password| (name, password)))
        {
            let answer = direct(&server, backend, name, password);
            match answer.status {
                201 => assert!(name == &"ada" && password.ends_with("-user"), "{name}"),
                _ => seen += &format!("{answer:?}"),
            }
        }
    }
    assert_eq!(
        direct(&server, "plain", "ada", &format!("{CANARY}-user")).status,
        201
    );
    for arguments in [
        &["check"][..],
        &["config", "show"],
        &["config", "show", "--origin"],
        &["config", "show", "--json"],
        &["reload"],
    ] {
        seen += &format!("{:?}", run(&folder, arguments, &[]));
    }
    slapd.stop();
    seen += &format!(
        "{:?}",
        direct(&server, "corp", "ada", &format!("{CANARY}-user"))
    );
    seen += &get(server.admin, "/metrics").body;
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(
        log.contains("\"target\":\"audit\""),
        "there is something to search"
    );
    for (what, text) in [("an answer or a command", &seen), ("the log", &log)] {
        let line = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(line, None, "a secret came out in {what}");
    }
}
