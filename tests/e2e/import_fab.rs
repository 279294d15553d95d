//! `countersign config import-fab`: real files in, a configuration that `check` accepts out.

use std::fs;

use countersign_tests::{Done, Folder, artifacts, countersign, tls};

use crate::run;

fn import(folder: &Folder, sample: &str) -> Done {
    let file = artifacts::repository()
        .join("tests/vectors/webserver_config")
        .join(sample);
    fs::copy(file, folder.join("webserver_config.py")).unwrap();
    let done = run(
        folder,
        &["config", "import-fab", "webserver_config.py"],
        &[("COUNTERSIGN_CONFIG", "")],
    );
    folder.write("imported.yaml", &done.stdout);
    done
}

/// What `check` says of what was imported, beside a database with Airflow's tables.
fn check(folder: &Folder, more: &[(&str, &str)]) -> Done {
    if !folder.join("tables").exists() {
        let add = ["users", "add", "ada", "--password-stdin"];
        let environment = [("COUNTERSIGN_STATE", "tables"), ("COUNTERSIGN_CONFIG", "")];
        let made = countersign(folder.path(), &add, &environment, "x\n");
        assert_eq!(made.code, 0, "{made:?}");
    }
    let database = folder.join("tables/users.db");
    let database = format!("sqlite://{}", database.display());
    let environment = [
        &[
            ("COUNTERSIGN_CONFIG", "imported.yaml"),
            ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.as_str()),
        ],
        more,
    ]
    .concat();
    run(folder, &["check"], &environment)
}

/// The lines of standard error that say of a thing that it is lacking.
fn lacking(done: &Done) -> Vec<&str> {
    let lines = done.stderr.lines();
    let lacking = lines.filter(|line| line.contains(": not converted: "));
    lacking
        .map(|line| line.split(": not converted: ").next().unwrap())
        .collect()
}

#[test]
fn airflows_template_is_converted_whole() {
    let folder = Folder::new();
    let done = import(&folder, "default.py");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(lacking(&done), [""; 0]);
    assert!(
        done.stderr
            .contains("webserver_config.py:26: WTF_CSRF_ENABLED: note: "),
        "{done:?}"
    );
    assert!(done.stdout.contains("plugin: db"), "{done:?}");
    let checked = check(&folder, &[]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn directory_behind_starttls_is_converted_whole() {
    let folder = Folder::new();
    let done = import(&folder, "openldap_starttls.py");
    assert_eq!(done.code, 0, "{done:?}");
    let expected = [
        "url: [\"ldap://ldap1.example.com:389\", \"ldap://ldap2.example.com\"]",
        "start_tls: true",
        "ca: \"${LDAP_CA:-/etc/ssl/certs/ca-certificates.crt}\"",
        "bind_dn: \"uid=admin,ou=users,dc=example,dc=com\"",
        "bind_password: { env: LDAP_PW }",
        "base: \"ou=users,dc=example,dc=com\"",
        "filter: \"(&(objectClass=inetOrgPerson)(!(employeeType=gone\\\\2a)))\"",
        "uid_attribute: uid",
        "first_name: givenName",
        "last_name: sn",
        "email: mail",
        "groups: memberOf",
        "on_denied: next",
        "registration: true",
        "registration: [Public]",
        "\"cn=fab_admins,ou=groups,dc=example,dc=com\": [Admin]",
        "sync: replace",
        "link: username",
        "user: 5",
        "address: 5",
        "window: 40s",
    ];
    for line in expected {
        let written = done
            .stdout
            .lines()
            .map(|written| written.split("  #").next().unwrap().trim());
        assert_eq!(
            written.filter(|written| *written == line).count(),
            1,
            "{line}\n{}",
            done.stdout
        );
    }
    assert!(!done.stdout.contains("plain_text"), "{}", done.stdout);
    let ca = tls::certificates(&folder, "tls").join("ca.pem");
    let checked = check(
        &folder,
        &[("LDAP_PW", "x"), ("LDAP_CA", ca.to_str().unwrap())],
    );
    assert_eq!(checked.code, 0, "{checked:?}");
    // The variable of the password is needed from the start.
    let checked = check(&folder, &[("LDAP_CA", ca.to_str().unwrap())]);
    assert!(
        checked.code == 78 && checked.stderr.contains("LDAP_PW"),
        "{checked:?}"
    );
}

#[test]
fn active_directorys_python_is_told_line_by_line_and_its_password_nowhere() {
    let folder = Folder::new();
    let done = import(&folder, "active_directory.py");
    assert_eq!(done.code, 1, "{done:?}");
    let expected = [
        "webserver_config.py:6: SQLALCHEMY_DATABASE_URI",
        "webserver_config.py:8: ldap.set_option",
        "webserver_config.py:9: ldap.set_option",
        "webserver_config.py:13: AUTH_LDAP_TLS_CACERTDIR",
        "webserver_config.py:16: AUTH_LDAP_BIND_PASSWORD",
        "webserver_config.py:26: AUTH_ROLES_MAPPING",
        "webserver_config.py:30: AUTH_ROLES_SYNC_AT_LOGIN",
    ];
    assert_eq!(lacking(&done), expected, "{}", done.stderr);
    assert!(
        done.stderr.contains("help: do what each line says"),
        "{}",
        done.stderr
    );
    assert!(!format!("{done:?}").contains("P@ssw0rd"), "{done:?}");
    for line in [
        "bind_password: { env: LDAP_BIND_PASSWORD }",
        "verify: false",
        "nested: chain",
        "uid_attribute: sAMAccountName",
        "registration: [Viewer]",
    ] {
        assert!(done.stdout.contains(line), "{line}\n{}", done.stdout);
    }
    let checked = check(&folder, &[("LDAP_BIND_PASSWORD", "x")]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn direct_flow_is_converted_whole() {
    let folder = Folder::new();
    let done = import(&folder, "direct.py");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout
            .contains("username_format: \"uid={username},ou=people,dc=example,dc=com\""),
        "{done:?}"
    );
    let checked = check(&folder, &[]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn providers_are_told_and_stand_as_comments_without_their_secrets() {
    let folder = Folder::new();
    let done = import(&folder, "oauth_custom.py");
    assert_eq!(done.code, 1, "{done:?}");
    for told in [
        "OAUTH_PROVIDERS: not converted: the provider \"keycloak\"",
        "OAUTH_PROVIDERS: not converted: the provider \"github\"",
        "class CustomSecurityManager: not converted",
        "FAB_SECURITY_MANAGER_CLASS: not converted",
        "OAUTH_PROVIDERS \"keycloak\" access_token_url: not converted: an expression",
        "OAUTH_PROVIDERS \"keycloak\" client_secret: not converted: a secret in the file",
        "AUTH_ROLES_MAPPING: not converted",
    ] {
        assert!(done.stderr.contains(told), "{told}\n{}", done.stderr);
    }
    assert!(!format!("{done:?}").contains("very-secret"), "{done:?}");
    for line in [
        "#   - name: keycloak",
        "#       client_id: \"${OAUTH_CLIENT_ID:-airflow}\"",
        "#       client_secret: { env: OAUTH_KEYCLOAK_CLIENT_SECRET }",
        "#       client_secret: { env: GH_SECRET }",
    ] {
        assert!(done.stdout.contains(line), "{line}\n{}", done.stdout);
    }
    let checked = check(&folder, &[]);
    assert_eq!(checked.code, 0, "{checked:?}");
}

#[test]
fn file_that_cannot_be_read_is_exit_78() {
    let folder = Folder::new();
    folder.write("latin.py", b"# \xe9\n");
    folder.write("large.py", "#".repeat((1 << 20) + 1));
    for (file, told) in [
        ("missing.py", "No such file"),
        ("latin.py", "not UTF-8"),
        ("large.py", "too large"),
    ] {
        let done = run(
            &folder,
            &["config", "import-fab", file],
            &[("COUNTERSIGN_CONFIG", "")],
        );
        assert!(
            done.code == 78 && done.stderr.contains(told),
            "{file}: {done:?}"
        );
        assert_eq!(done.stdout, "");
    }
}
