//! A webserver_config.py of FAB's, imported, served, and logged in with.

use countersign_tests::artifacts::repository;
use countersign_tests::{Server, countersign};

use super::provisioning::Rows;
use super::*;
use crate::run;

/// A sample of another place's, made one of the test bed's, and converted without a remark.
fn imported(rows: &Rows, sample: &str, replaced: &[(&str, &str)]) -> String {
    let file = repository()
        .join("tests/vectors/webserver_config")
        .join(sample);
    let mut text = std::fs::read_to_string(file).unwrap();
    for (there, here) in replaced {
        assert!(text.contains(there), "{there}\n{text}");
        text = text.replace(there, here);
    }
    let import = ["config", "import-fab", "-"];
    let none = [("COUNTERSIGN_CONFIG", "")];
    let done = countersign(rows.folder.path(), &import, &none, &text);
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout
}

#[test]
fn users_of_the_indirect_flow_log_in_with_their_roles_and_a_probe_foresees_it() {
    let slapd = shared();
    let rows = Rows::new();
    let config = imported(
        &rows,
        "openldap_starttls.py",
        &[
            (
                "ldap://ldap1.example.com:389, ldap://ldap2.example.com",
                &slapd.url,
            ),
            ("uid=admin,ou=users,dc=example,dc=com", Slapd::SERVICE[0]),
            ("ou=users,dc=example,dc=com", "ou=people,dc=example,dc=test"),
            ("dc=example,dc=com", Slapd::BASE),
            ("cn=fab_users", "cn=dev"),
            ("cn=fab_admins", "cn=admins"),
        ],
    );
    let database = format!("sqlite:///{}", rows.file().display());
    let ca = slapd.ca.display().to_string();
    let variables = [
        ("LDAP_PW", Slapd::SERVICE[1]),
        ("LDAP_CA", ca.as_str()),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.as_str()),
    ];
    rows.folder.write("config.yaml", &config);
    let before = std::fs::read(rows.file()).unwrap();
    let done = run(&rows.folder, &["check", "--probe", "alice"], &variables);
    assert_eq!(done.code, 0, "{done:?}");
    for line in [
        "probe ldap     reachable, ",
        "  ldap: knows him, ",
        "    groups    cn=admins,ou=groups,dc=example,dc=test",
        "→ Admin (mapping)",
        "    roles     Admin (mapping), Public (registration), User (mapping)",
        "    row       in airflow: no row yet: one would be made",
    ] {
        assert!(
            done.stdout.contains(line),
            "{line} is missing in:\n{}",
            done.stdout
        );
    }
    assert_eq!(
        std::fs::read(rows.file()).unwrap(),
        before,
        "nothing was made"
    );

    let server = Server::with(&rows.folder, &config, &variables);
    let subject = claims(&server, "alice", "alice-pw")["sub"].clone();
    let id = rows.ask("SELECT CAST(id AS TEXT) FROM ab_user WHERE username = 'alice'");
    assert_eq!(subject.as_str(), id.as_deref());
    assert_eq!(rows.roles("alice"), "Admin Public User");
    assert_eq!(server.login("alice", "wrong").status, 401);
}

#[test]
fn users_of_the_direct_flow_log_in_as_themselves() {
    let slapd = shared();
    let rows = Rows::new();
    rows.say(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, password, active)
         VALUES (77, '', '', 'alice', 'a@x', NULL, TRUE)",
    );
    let ca = format!(
        "AUTH_LDAP_USE_TLS = False\nAUTH_LDAP_TLS_CACERTFILE = '{}'",
        slapd.ca.display()
    );
    let config = imported(
        &rows,
        "direct.py",
        &[
            ("ldaps://ldap.example.com", &slapd.secure_url),
            ("dc=example,dc=com", Slapd::BASE),
            ("AUTH_LDAP_USE_TLS = False", &ca),
        ],
    );
    let database = format!("sqlite:///{}", rows.file().display());
    let variables = [("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", database.as_str())];
    let server = Server::with(&rows.folder, &config, &variables);
    assert_eq!(claims(&server, "alice", "alice-pw")["sub"], "77");
    assert_eq!(server.login("alice", "wrong").status, 401);
    assert_eq!(
        server.login("bob", "bob-pw").status,
        401,
        "nobody is registered"
    );
}
