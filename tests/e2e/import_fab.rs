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
fn providers_become_backends_without_their_secrets() {
    let folder = Folder::new();
    let done = import(&folder, "oauth_custom.py");
    assert_eq!(done.code, 1, "{done:?}");
    for told in [
        "class CustomSecurityManager: not converted",
        "FAB_SECURITY_MANAGER_CLASS: not converted",
        "OAUTH_PROVIDERS \"keycloak\" client_secret: not converted: a secret in the file",
        "OAUTH_PROVIDERS: not converted: rows that FAB made for users of \"keycloak\"",
        "OAUTH_PROVIDERS: not converted: rows that FAB made for users of \"github\"",
        "OAUTH_PROVIDERS \"keycloak\" scope: note: without openid, which is added",
    ] {
        assert!(done.stderr.contains(told), "{told}\n{}", done.stderr);
    }
    assert!(!format!("{done:?}").contains("very-secret"), "{done:?}");
    for line in [
        "  # At the provider, register {server.public_url}/callback/keycloak (FAB: /oauth-authorized/keycloak).",
        "  keycloak:",
        "      provider: keycloak",
        "      issuer: \"https://sso.example.com/realms/x\"",
        "      client_id: \"${OAUTH_CLIENT_ID:-airflow}\"",
        "      client_secret: { env: OAUTH_KEYCLOAK_CLIENT_SECRET }  # or { file: … }",
        "      scopes: [openid, email, profile]",
        "  github:",
        "      client_secret: { env: GH_SECRET }  # or { file: … }",
    ] {
        let written = done.stdout.lines().any(|written| written == line);
        assert!(written, "{line}\n{}", done.stdout);
    }
    let secrets = [("OAUTH_KEYCLOAK_CLIENT_SECRET", "x"), ("GH_SECRET", "x")];
    let checked = check(&folder, &secrets);
    assert_eq!(checked.code, 0, "{checked:?}");
    // The secrets' variables are needed from the start.
    let checked = check(&folder, &secrets[..1]);
    assert!(
        checked.code == 78 && checked.stderr.contains("GH_SECRET"),
        "{checked:?}"
    );
}

/// Each provider of FAB's documentation, and what must be decided about it.
#[test]
fn providers_of_the_documentation_are_checked_whole() {
    let folder = Folder::new();
    let done = import(&folder, "oauth_providers.py");
    assert_eq!(done.code, 1, "{done:?}");
    let mut expected = [
        "OAUTH_PROVIDERS", // authentik's rows
        "OAUTH_PROVIDERS", // corp-sso's rows
        "OAUTH_PROVIDERS", // twitter
        "OAUTH_PROVIDERS \"azure\" resource",
        "OAUTH_PROVIDERS \"corp-sso\" access_token_headers",
        "OAUTH_PROVIDERS \"corp-sso\" email_domains",
        "OAUTH_PROVIDERS \"corp-sso\" issuer",
        "OAUTH_PROVIDERS \"corp-sso\" whitelist",
    ];
    let mut told: Vec<&str> = lacking(&done)
        .into_iter()
        .map(|line| line.splitn(3, ':').nth(2).unwrap().trim())
        .collect();
    told.sort_unstable();
    expected.sort_unstable();
    assert_eq!(told, expected, "{}", done.stderr);
    for told in [
        "\"azure\" verify_signature: note: it is never skipped",
        "\"corp-sso\" code_challenge_method: note: PKCE is always used",
        "the provider \"twitter\" speaks no OpenID Connect",
    ] {
        assert!(done.stderr.contains(told), "{told}\n{}", done.stderr);
    }
    assert!(!format!("{done:?}").contains("very-secret"), "{done:?}");
    for line in [
        "client_id: ${GOOGLE_KEY:-}",
        "email_domains: [example.com, example.org]",
        "hd: example.com",
        "username: \"join('_', ['google', sub])\"",
        "tenant: 9f0b1c2d-0000-4000-8000-0123456789ab",
        "scopes: [openid, User.read, email, profile]",
        "issuer: \"https://example.okta.com/oauth2/default\"",
        "issuer: \"https://example.eu.auth0.com/\"",
        "client_authentication: client_secret_post",
        "issuer: \"https://authentik.example.com/application/o/airflow/\"",
        "corp_sso:",
        "issuer: \"${OAUTH_CORP_SSO_ISSUER}\"",
        "email_domains: \"${OAUTH_CORP_SSO_EMAIL_DOMAINS}\"",
        "jwks: \"https://sso.example.com/keys\"",
        "access: full",
        "subject_backend: airflow",
    ] {
        let mut written = done
            .stdout
            .lines()
            .map(|written| written.split("  #").next().unwrap().trim());
        assert!(
            written.any(|written| written == line),
            "{line}\n{}",
            done.stdout
        );
    }
    let links = done.stdout.matches("\n      link: username").count();
    assert_eq!(links, 4, "google azure okta auth0\n{}", done.stdout);

    let mut variables = vec![("GOOGLE_KEY", "g"), ("GOOGLE_SECRET", "x")];
    for secret in [
        "AZURE_SECRET",
        "OKTA_SECRET",
        "AUTH0_SECRET",
        "AUTHENTIK_SECRET",
        "CORP_SECRET",
    ] {
        variables.push((secret, "x"));
    }
    variables.push(("OAUTH_CORP_SSO_ISSUER", "https://sso.example.com"));
    let undecided = check(&folder, &variables);
    assert!(
        undecided.code == 78 && undecided.stderr.contains("OAUTH_CORP_SSO_EMAIL_DOMAINS"),
        "{undecided:?}"
    );
    variables.push(("OAUTH_CORP_SSO_EMAIL_DOMAINS", "example.com,*.example.org"));
    let checked = check(&folder, &variables);
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
