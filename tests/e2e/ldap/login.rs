//! Who gets a token, and what it says.

use countersign_tests::Folder;
use serde_json::json;

use super::*;

#[test]
fn user_gets_the_same_token_over_plain_text_start_tls_and_ldaps() {
    let slapd = shared();
    let tls = format!("{}, tls: {{ ca: \"{}\" }}", service(), slapd.ca.display());
    let start_tls = format!("{tls}, start_tls: true");
    let mut subjects = Vec::new();
    for (url, config) in [
        (&slapd.url, &service()),
        (&slapd.url, &start_tls),
        (&slapd.secure_url, &tls),
    ] {
        let folder = Folder::new();
        let server = Server::start(&folder, &corp(url, config, ""));
        let alice = claims(&server, "alice", "alice-pw");
        assert_eq!(
            [
                &alice["name"],
                &alice["mail"],
                &alice["first"],
                &alice["last"]
            ],
            ["alice", "alice@example.test", "Alice", "Adams"],
            "{config}"
        );
        subjects.push(alice["sub"].clone());
        // The directory compares without case, and the token says what the directory says.
        assert_eq!(claims(&server, "ALICE", "alice-pw")["name"], "alice");
        assert_eq!(direct(&server, "corp", "alice", "alice-pw").status, 201);
    }
    assert_eq!(subjects[0].as_str().unwrap().len(), 36, "an entryUUID");
    assert!(
        subjects.iter().all(|subject| *subject == subjects[0]),
        "{subjects:?}"
    );
}

#[test]
fn names_with_characters_of_filters_and_dns_log_in_as_themselves_alone() {
    let folder = Folder::new();
    let server = start(&folder, shared(), "");
    for (name, password, full) in [
        ("carol", "carol-pw", "Chen"), // her DN has a comma, a plus and a blank
        ("e*v(e)\\x", "eve-pw", "Evans"),
        ("josé", "uni-pw", "Ñandú"),
    ] {
        let claims = claims(&server, name, password);
        assert_eq!(
            (&claims["name"], &claims["last"]),
            (&json!(name), &json!(full))
        );
    }
    // L03: none of them is anybody.
    for name in [
        "*",
        "ali*",
        "alice)(uid=*",
        "*)(uid=*",
        "alice\\2a",
        "admin)(&)",
    ] {
        assert_eq!(server.login(name, "alice-pw").status, 401, "{name}");
    }
}

#[test]
fn direct_flow_binds_as_the_user_with_and_without_a_search() {
    let slapd = shared();
    let format = format!(
        "username_format: \"uid={{username}},ou=people,{}\"",
        Slapd::BASE
    );
    let folder = Folder::new();
    let server = Server::start(&folder, &corp(&slapd.url, &format, ""));
    assert_eq!(claims(&server, "alice", "alice-pw")["name"], "alice");
    assert_eq!(server.login("alice", "wrong").status, 401);
    // L04: a part of a name is no part of a DN.
    let other = format!("alice,ou=people,{},uid=x", Slapd::BASE);
    assert_eq!(server.login(&other, "alice-pw").status, 401);

    let search = format!("{format}, search: {{ base: \"{}\" }}", Slapd::BASE);
    let folder = Folder::new();
    let server = Server::start(&folder, &corp(&slapd.url, &search, ""));
    let alice = claims(&server, "alice", "alice-pw");
    assert_eq!(
        (&alice["mail"], &alice["last"]),
        (&json!("alice@example.test"), &json!("Adams"))
    );
}

#[test]
fn client_certificate_stands_for_the_service_account() {
    let slapd = shared();
    let tls = slapd.ca.parent().unwrap().display();
    let external = format!(
        "sasl_external: true, search: {{ base: \"{}\" }}, tls: {{ ca: \"{tls}/ca.pem\", certificate: \"{tls}/client.pem\", private_key: {{ file: \"{tls}/client.key\" }} }}",
        Slapd::BASE
    );
    for (url, config) in [
        (&slapd.secure_url, external.clone()),
        (&slapd.url, format!("{external}, start_tls: true")),
    ] {
        let folder = Folder::new();
        let server = Server::start(&folder, &corp(url, &config, ""));
        assert_eq!(claims(&server, "alice", "alice-pw")["last"], "Adams");
        assert_eq!(server.login("alice", "wrong").status, 401);
    }
}

#[test]
fn groups_become_roles_whatever_way_their_names_are_written() {
    let folder = Folder::new();
    let mapping = r#", roles: { mapping: {
      "CN = admins , OU=groups,DC=example,  dc=test": [Admin],
      'cn=ops\, night\+shift,ou=groups,dc=example,dc=test': [Op],
      "cn=dev,ou=groups,dc=elsewhere,dc=test": [User],
      "cn=dev": [User] }, default: [Public] }"#;
    let server = start(&folder, shared(), mapping);
    assert_eq!(
        claims(&server, "alice", "alice-pw")["roles"],
        json!(["Admin", "Op"])
    );
    // In dev alone, which no key names.
    assert_eq!(
        claims(&server, "carol", "carol-pw")["roles"],
        json!(["Public"])
    );
}

#[test]
fn groups_are_searched_and_nested_ones_count_where_that_is_asked_for() {
    let slapd = shared();
    let base = Slapd::BASE;
    let mapping = format!(
        ", roles: {{ mapping: {{ \"cn=dev,ou=groups,{base}\": [User], \"cn=staff,ou=groups,{base}\": [Op], \"cn=ring-b,ou=groups,{base}\": [Viewer] }} }}"
    );
    for (nested, roles) in [
        ("off", json!(["User"])),
        ("recursive", json!(["Op", "User", "Viewer"])),
        ("auto", json!(["Op", "User", "Viewer"])),
    ] {
        let config = format!(
            "{}, attributes: {{ groups: \"\" }}, groups: {{ base: \"ou=groups,{base}\", nested: {nested} }}",
            service()
        );
        let folder = Folder::new();
        let server = Server::start(&folder, &corp(&slapd.url, &config, &mapping));
        assert_eq!(claims(&server, "bob", "bob-pw")["roles"], roles, "{nested}");
    }
}
