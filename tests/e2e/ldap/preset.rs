//! `config/airflow.yaml` with its LDAP block taken out of the comment.

use countersign_tests::preset::uncommented;
use countersign_tests::{Done, Folder, Server, countersign};

use super::provisioning::Rows;
use super::*;
use crate::run;

/// Of "correct horse", as Airflow 3 stores it at a low cost.
const HASH: &str = "scrypt:1024:8:1$Wfhhfv0zDVEVVu7N$8b251e1108e8ec37fb5ff42a10cb36abb8ac205c17f2925538252f21ba2bf9e8c0c50c7f1f9a1a3926e63e18f0e69070986af8d3dd4b821b52aee1c5504e975b";

/// Airflow's, whose table must be open for new rows.
fn airflow() -> String {
    let preset = uncommented("airflow.yaml", "ldap");
    assert!(preset.contains("access: counters"), "{preset}");
    preset.replace("access: counters", "access: full")
}

/// Airflow's variables, and the password of the service account.
fn variables(rows: &Rows) -> [(&'static str, String); 3] {
    let made = countersign(
        rows.folder.path(),
        &[
            "keys",
            "generate",
            "--format",
            "pem",
            "--private-key",
            "jwt.pem",
            "--public-key",
            "jwt.pub",
        ],
        &[],
        "",
    );
    assert_eq!(made.code, 0, "{made:?}");
    [
        (
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            format!("sqlite:///{}", rows.file().display()),
        ),
        (
            "AIRFLOW_JWT_PUBLIC_KEY",
            rows.folder.join("jwt.pub").display().to_string(),
        ),
        ("LDAP_PW", Slapd::SERVICE[1].to_owned()),
    ]
}

fn check(folder: &Folder, variables: &[(&str, &str)]) -> Done {
    run(folder, &["check"], variables)
}

#[test]
fn block_passes_check_as_it_is_written() {
    let rows = Rows::new();
    let variables = variables(&rows);
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    rows.folder.write("config.yaml", airflow());
    let done = check(&rows.folder, &variables);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
}

#[test]
fn directory_is_asked_first_and_the_database_after_it_whatever_it_says() {
    let slapd = Slapd::start();
    let rows = Rows::new();
    rows.say(&format!(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, password, active) VALUES
         (41, '', '', 'bob', 'b@x', '{HASH}', TRUE), (42, '', '', 'local', 'l@x', '{HASH}', TRUE), (43, '', '', 'carol', 'c@x', NULL, TRUE)"
    ));
    let variables = variables(&rows);
    let mut variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()))
        .to_vec();
    variables.push(("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"));
    let ca = slapd.ca.display().to_string();
    let preset = airflow()
        .replace(
            "[ldaps://ldap1.example.com, ldaps://ldap2.example.com]",
            &slapd.secure_url,
        )
        .replace(
            "# tls: { ca: /etc/ssl/certs/corp-ca.pem }",
            &format!("tls: {{ ca: {ca} }}"),
        )
        .replace("cn=airflow,ou=system,dc=example,dc=com", Slapd::SERVICE[0])
        .replace("dc=example,dc=com", Slapd::BASE)
        .replace("cn=airflow-admins", "cn=admins");
    let preset = format!("{preset}\nadmin: {{ listen: \"127.0.0.1:0\" }}\n");
    assert!(
        preset.contains(&ca) && preset.contains(&slapd.secure_url),
        "{preset}"
    );
    let server = Server::with(&rows.folder, &preset, &variables);
    let subject = |name: &str, password: &str| claims(&server, name, password)["sub"].clone();

    let alice = subject("alice", "alice-pw");
    assert!(
        alice.as_str().unwrap().parse::<u64>().unwrap() > 43,
        "{alice}: a row of hers"
    );
    let role =
        "SELECT GROUP_CONCAT(role_id, ' ') FROM (SELECT role_id FROM ab_user_role WHERE user_id = ";
    assert_eq!(
        rows.ask(&format!("{role}{alice} ORDER BY role_id)"))
            .unwrap(),
        "1 2"
    );
    assert_eq!(
        subject("carol", "carol-pw"),
        "43",
        "a row that nobody has a password for"
    );
    assert_eq!(
        subject("local", "correct horse"),
        "42",
        "whom only the database knows"
    );
    assert_eq!(
        subject("bob", "correct horse"),
        "41",
        "refused by the directory"
    );
    assert_eq!(server.login("bob", "neither").status, 401);
    assert_eq!(
        server.login("bob", "bob-pw").status,
        401,
        "a row with a password is not taken"
    );
    slapd.stop();
    assert_eq!(
        subject("local", "correct horse"),
        "42",
        "the directory is down"
    );
}

#[test]
fn openmetadatas_variables_say_where_its_people_are() {
    let slapd = shared();
    let folder = Folder::new();
    let made = countersign(
        folder.path(),
        &[
            "keys",
            "generate",
            "--private-key",
            "private.der",
            "--public-key",
            "public.der",
        ],
        &[],
        "",
    );
    assert_eq!(made.code, 0, "{made:?}");
    let ca = slapd.ca.display().to_string();
    let port = slapd.secure_address().port().to_string();
    let variables = [
        ("RSA_PRIVATE_KEY_FILE_PATH", "private.der"),
        ("RSA_PUBLIC_KEY_FILE_PATH", "public.der"),
        ("JWT_KEY_ID", "own"),
        ("AUTHENTICATION_PROVIDER", "ldap"),
        ("AUTHENTICATION_LDAP_HOST", "127.0.0.1"),
        ("AUTHENTICATION_LDAP_PORT", &port),
        ("AUTHENTICATION_LOOKUP_ADMIN_DN", Slapd::SERVICE[0]),
        ("AUTHENTICATION_LOOKUP_ADMIN_PWD", Slapd::SERVICE[1]),
        ("AUTHENTICATION_USER_LOOKUP_BASEDN", Slapd::BASE),
        (
            "AUTHENTICATION_GROUP_LOOKUP_BASEDN",
            "ou=groups,dc=example,dc=test",
        ),
        ("COUNTERSIGN_BACKENDS__LDAP__CONFIG__TLS__CA", &ca),
    ];
    let preset = uncommented("openmetadata.yaml", "ldap")
        .replace("dc=example,dc=com", Slapd::BASE)
        .replace(
            "preferred_username: \"{username}\" }",
            "preferred_username: \"{username}\", roles: \"{roles}\" }",
        );
    let server = Server::with(&folder, &preset, &variables);
    let alice = claims(&server, "alice@example.test", "alice-pw");
    assert_eq!(
        [
            &alice["preferred_username"],
            &alice["email"],
            &alice["roles"]
        ],
        [
            &json!("alice"),
            &json!("alice@example.test"),
            &json!(["Admin"])
        ]
    );
    assert_eq!(
        server.login("alice", "alice-pw").status,
        401,
        "by address alone"
    );
}
