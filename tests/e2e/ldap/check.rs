//! What `countersign check` says of wrong settings.

use countersign_tests::{Folder, tls};

use super::*;
use crate::run;

#[test]
fn c01_all_mistakes_of_a_directory_are_told_in_one_run_with_their_places() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "backends:
  corp:
    plugin: ldap
    config:
      url: [ldaps://a.example.com]
      start_tls: perhaps
      serch: { base: dc=x }
      bind_pasword: canary-7f3a
      timeouts: { conect: 2s }
      groups: { nested: sometimes, depth: many }
    roles: { mapping: { a: Admin }, sync: always }
    provision: nowhere
",
    );
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    for expected in [
        "config.yaml:6:18",
        "start_tls",
        "config.yaml:7:14",
        "did you mean `backends.corp.config.search`",
        "config.yaml:8:21",
        "did you mean `backends.corp.config.bind_password`",
        "config.yaml:9:27",
        "did you mean `backends.corp.config.timeouts.connect`",
        "config.yaml:10:25",
        "auto, off, chain, recursive",
        "config.yaml:10:43",
        "config.yaml:11:",
        "config.yaml:12:",
    ] {
        assert!(
            done.stderr.contains(expected),
            "{expected:?} is missing in:\n{}",
            done.stderr
        );
    }
    assert!(!done.stderr.contains("canary-7f3a"), "{}", done.stderr);
}

#[test]
fn c01_settings_that_contradict_each_other_are_told_with_key_and_place() {
    let ldaps = "url: \"ldaps://a.example.com\"";
    let account = "bind_dn: \"cn=svc\", bind_password: x, search: { base: \"dc=x\" }";
    for (config, key, column) in [
        (
            format!("url: \"http://a.example.com\", {account}"),
            "url",
            20,
        ),
        (format!("url: [], {account}"), "url", 20),
        (
            format!("{ldaps}, start_tls: true, {account}"),
            "start_tls",
            56,
        ),
        (
            format!("url: \"ldap://a.example.com\", {account}"),
            "plain_text",
            20,
        ),
        (
            format!("tls: {{ ca: absent.pem }}, {ldaps}, {account}"),
            "absent.pem",
            26,
        ),
        (
            format!("timeouts: {{ connect: soon }}, {ldaps}, {account}"),
            "connect",
            36,
        ),
        (
            format!("username_format: \"uid=ada\", {ldaps}"),
            "username_format",
            32,
        ),
        (
            format!(
                "search: {{ filter: uid=x, base: \"dc=x\" }}, bind_dn: \"cn=svc\", bind_password: x, {ldaps}"
            ),
            "search.filter",
            33,
        ),
        (ldaps.to_owned(), "bind_dn", 13),
    ] {
        let folder = Folder::new();
        folder.write(
            "config.yaml",
            format!("backends:\n  corp:\n    plugin: ldap\n    config: {{ {config} }}\n"),
        );
        let done = run(&folder, &["check"], &[]);
        assert_eq!(done.code, 78, "{config}: {done:?}");
        let place = format!("  --> config.yaml:4:{column}\n");
        for expected in [key, &place] {
            assert!(
                done.stderr.contains(expected),
                "{config}: {expected:?} is missing in:\n{}",
                done.stderr
            );
        }
    }
}

#[test]
fn c01_each_of_several_contradictions_has_its_place() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "backends:
  corp:
    plugin: ldap
    config:
      url: ldaps://a.example.com
      bind_dn: cn=svc
      search:
        filter: uid=x
      groups:
        filter: (member=*)
",
    );
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    // No password, no base, a filter without parentheses, groups of everybody.
    for expected in [
        "bind_password",
        "search.base",
        "search.filter",
        "groups.filter",
        "config.yaml:8:17\n",
        "config.yaml:10:17\n",
    ] {
        assert!(
            done.stderr.contains(expected),
            "{expected:?} is missing in:\n{}",
            done.stderr
        );
    }
}

#[test]
fn files_are_found_from_the_folder_of_the_configuration() {
    let folder = Folder::new();
    tls::certificates(&folder, "etc/tls");
    folder.write(
        "etc/config.yaml",
        "backends:
  corp:
    plugin: ldap
    config:
      url: ldaps://a.example.com
      tls: { ca: tls/ca.pem, certificate: tls/client.pem, private_key: { file: tls/client.key } }
      username_format: \"{username}@example.com\"
",
    );
    let done = run(
        &folder,
        &["check"],
        &[("COUNTERSIGN_CONFIG", "etc/config.yaml")],
    );
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn l11_probe_tells_of_users_groups_outages_and_locks_and_changes_nothing() {
    let slapd = shared();
    add(slapd, "probed", &["probed-ops"]);
    add(slapd, "shut", &["shut-ops"]);
    slapd.modify(&format!(
        "dn: uid=shut,ou=people,{}\nchangetype: modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n",
        Slapd::BASE
    ));
    let folder = Folder::new();
    let mapping = format!(
        ", registration: true, provision: users, roles: {{ mapping: {{ \"cn=probed-ops,ou=groups,{base}\": [Op], Shut-Ops: [Viewer] }} }}",
        base = Slapd::BASE
    );
    let rows = "  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";
    let corps = corp(&slapd.url, &service(), &mapping);
    folder.write("config.yaml", format!("{corps}{rows}"));
    let probe = |user: &str| run(&folder, &["check", "--probe", user], &[]);
    let told = |user: &str, code: u8, lines: &[&str]| {
        let done = probe(user);
        assert_eq!(done.code, i32::from(code), "{done:?}");
        for line in lines {
            assert!(
                format!("{}{}", done.stdout, done.stderr).contains(line),
                "{line:?} is missing in:\n{}{}",
                done.stdout,
                done.stderr
            );
        }
    };
    told(
        "probed",
        0,
        &[
            "  corp: knows him, ",
            "→ Op (mapping)",
            "    roles     Op (mapping)\n",
            "    row       in users: no row yet: one would be made",
        ],
    );
    told(
        "shut",
        1,
        &[
            "  corp: would refuse him: the account is locked",
            "no role (warning: misses the mapping's key \"Shut-Ops\"",
            "shut would not be let in",
        ],
    );
    assert!(
        !probe("shut").stdout.contains("    row "),
        "he comes to none"
    );
    told("nobody-such", 1, &["  corp: does not know him, "]);
    told("dup", 1, &["  corp: would refuse him: "]);

    // The direct flow can ask for nobody, and the black hole ends in time.
    let direct = "username_format: \"uid={username},ou=people,dc=example,dc=test\"";
    folder.write("config.yaml", corp(&slapd.url, direct, ""));
    told(
        "probed",
        0,
        &["probe corp  reachable, ", "  corp: offers no look-up"],
    );
    folder.write(
        "config.yaml",
        corp("\"ldap://127.0.0.1:1\"", &service(), ""),
    );
    told(
        "probed",
        1,
        &[
            "probe corp  NOT REACHABLE, ",
            "127.0.0.1:1",
            "cannot be reached: corp",
        ],
    );
    let leaked = probe("probed");
    assert!(
        !format!("{leaked:?}").contains(Slapd::SERVICE[1]),
        "{leaked:?}"
    );
    assert!(!folder.join("state").exists());
}
