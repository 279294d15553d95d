//! What `countersign check` says of wrong settings.

use countersign_tests::Folder;

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
fn settings_that_contradict_each_other_are_told_with_the_key() {
    for (config, key) in [
        ("url: \"http://a.example.com\"", "url"),
        ("url: []", "url"),
        (
            "url: \"ldaps://a.example.com\", start_tls: true",
            "start_tls",
        ),
        ("url: \"ldap://a.example.com\"", "plain_text"),
        (
            "url: \"ldaps://a.example.com\", search: { filter: uid=x }",
            "search.filter",
        ),
        (
            "url: \"ldaps://a.example.com\", tls: { ca: missing.pem }",
            "missing.pem",
        ),
        (
            "url: \"ldaps://a.example.com\", username_format: \"uid=ada\"",
            "username_format",
        ),
        (
            "url: \"ldaps://a.example.com\", timeouts: { connect: soon }",
            "connect",
        ),
    ] {
        let folder = Folder::new();
        let base = match config.contains("search:") || config.contains("username_format") {
            true => "",
            false => ", search: { base: \"dc=x\" }",
        };
        let bind = match config.contains("username_format") {
            true => "",
            false => ", bind_dn: \"cn=svc\", bind_password: x",
        };
        folder.write(
            "config.yaml",
            format!(
                "backends:\n  corp:\n    plugin: ldap\n    config: {{ {config}{base}{bind} }}\n"
            ),
        );
        let done = run(&folder, &["check"], &[]);
        assert_eq!(done.code, 78, "{config}: {done:?}");
        let told = done.stderr.contains(key) && done.stderr.contains("config.yaml:");
        assert!(
            told,
            "{config}: {key:?} and its place are missing in:\n{}",
            done.stderr
        );
    }
}
