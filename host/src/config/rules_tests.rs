#![allow(clippy::unwrap_used)]
use crate::config::testing::Scene;

#[test]
fn c12_plain_http_off_loopback_is_refused() {
    let report = Scene::new("server: { listen: \"0.0.0.0:8090\" }\n").report();
    assert_eq!(
        report,
        "error: `server.listen`: this address can be reached from other machines, and passwords would cross the network in plain HTTP\n  \
         --> c.yaml:1:19\nhelp: set server.tls, listen on 127.0.0.1 behind a TLS proxy, or set server.plain_http: true where the network is trusted"
    );
    for listen in ["127.0.0.1:1", "[::1]:1", "localhost:1", "127.9.9.9:1"] {
        Scene::new(&format!("server: {{ listen: \"{listen}\" }}\n")).load();
    }
    let notices = Scene::new("server: { listen: \"0.0.0.0:8090\", plain_http: true }\n").notices();
    assert!(
        notices
            .contains("warning: `server.listen`: the issuer of tokens is made from this address"),
        "{notices}"
    );
}

#[test]
fn store_url_is_postgres_or_nothing() {
    Scene::new("store: { url: \"postgres://u:hidden@h/db\" }\n").load();
    let report = Scene::new("store: { url: \"mysql://u:hidden@h/db\" }\n").report();
    assert!(
        report.contains("`store.url`: the store is SQLite in the state folder, or PostgreSQL")
            && !report.contains("hidden"),
        "{report}"
    );
}

#[test]
fn provision_names_another_backend_and_goes_in_no_circle() {
    let file = "\
backends:
  dir: { plugin: ldap, provision: user }
  me: { plugin: ldap, provision: me }
  ping: { plugin: ldap, provision: { backend: pong } }
  pong: { plugin: ldap, provision: { backend: ping, link: name } }
  users: { plugin: db, config: { url: x } }
";
    let report = Scene::new(file).report();
    for part in [
        "error: `backends.dir.provision`: there is no backend of this id\n  --> c.yaml:2:35\nhelp: did you mean users?",
        "error: `backends.me.provision`: a backend cannot provision into itself\n  --> c.yaml:3:34",
        "error: `backends.ping.provision`: these backends provision in a circle: ping → pong → ping\n  --> c.yaml:4:36",
        "error: `backends.pong.provision`: these backends provision in a circle: pong → ping → pong\n  --> c.yaml:5:36",
        "error: `backends.pong.provision.link`: expected one of username, found text\n  --> c.yaml:5:59",
    ] {
        assert!(report.contains(part), "missing:\n{part}\nin:\n{report}");
    }
}

#[test]
fn provision_is_written_short_or_whole() {
    let scene = Scene::new(
        "backends:\n  dir: { plugin: ldap, provision: users }\n  sso: { plugin: ldap, provision: { backend: users, link: username } }\n  users: { plugin: db, config: { url: x } }\n",
    )
    .env("COUNTERSIGN_BACKENDS__SSO__PROVISION__ADOPT_PASSWORD_ROWS", "true");
    let config = scene.load().config;
    let provision = |id: &str| serde_json::to_value(&config.backends[id].provision).unwrap();
    assert_eq!(
        provision("dir"),
        serde_json::json!({ "backend": "users", "link": null, "adopt_password_rows": false })
    );
    assert_eq!(
        provision("sso"),
        serde_json::json!({ "backend": "users", "link": "username", "adopt_password_rows": true })
    );
    assert_eq!(provision("users"), serde_json::json!(null));
}

#[test]
fn settings_of_roles_without_effect_are_noticed() {
    let notices = Scene::new(
        "backends:\n  users: { plugin: db, config: { url: x }, roles: { registration: [Public], sync: replace } }\n",
    )
    .notices();
    for part in [
        "`backends.users.roles.registration`: these roles are given only while",
        "`backends.users.roles.sync`: without provision there is no row",
    ] {
        assert!(notices.contains(part), "missing {part} in:\n{notices}");
    }
}

#[test]
fn audiences_are_checked_like_the_default_one() {
    let file = "\
tokens:
  audiences:
    lake:
      keys: own
      lifetime: 2h
      max_lifetime: 1h
      claims: { aud: x, cnf: x, who: \"{usrname}\" }
    sea: { algorithm: RS265, lifetime: 0s }
    pond: { typ: at+jwt, claims: { client_id: x } }
    brook: { typ: JWT, claims: { client_id: x } }
    well: { typ: jwt }
";
    let report = Scene::new(file).report();
    for part in [
        "error: `tokens.audiences.lake.max_lifetime`: this is less than the audience's lifetime\n  --> c.yaml:6:21",
        "error: `tokens.audiences.lake.claims.aud`: this claim is set by the host alone\n  --> c.yaml:7:22\nhelp: set tokens.audiences.lake.aud",
        "error: `tokens.audiences.lake.claims.cnf`: this claim is set by the host alone",
        "error: `tokens.audiences.lake.claims.who`: the template holds an unknown placeholder",
        "error: `tokens.audiences.sea.algorithm`: expected one of RS256",
        "error: `tokens.audiences.sea.lifetime`: expected a duration above zero",
        "error: `tokens.audiences.pond.claims.client_id`: an access token says here which client asked for it\n  --> c.yaml:9:47",
        "error: `tokens.audiences.well.typ`: expected one of JWT, at+jwt",
    ] {
        assert!(report.contains(part), "missing:\n{part}\nin:\n{report}");
    }
    assert!(!report.contains("brook"), "{report}");
    let notices = Scene::new(
        "tokens: { audiences: { apache-airflow: { claims: { sub: \"{username}\" } } } }\n",
    )
    .notices();
    for part in [
        "`tokens.audiences.apache-airflow`: this is the aud of tokens.audience, too",
        "`tokens.audiences.apache-airflow.claims.sub`: this template decides who every token is about",
    ] {
        assert!(notices.contains(part), "missing {part} in:\n{notices}");
    }
}

#[test]
fn template_for_sub_is_allowed_and_noticed() {
    let notices = Scene::new(
        "tokens: { claims: { sub: \"{username}\", x: \"{{literal} {attributes.dept}\" } }\n",
    )
    .notices();
    assert!(
        notices.starts_with("warning: `tokens.claims.sub`: this template decides"),
        "{notices}"
    );
}

#[test]
fn trusted_issuer_is_one_and_not_ourselves_and_its_keys_come_over_https() {
    let entry = |more: &str| {
        format!(
            "  - {{ issuer: \"https://idp.example\", jwks_url: \"https://idp.example/keys\", audiences: [om]{more} }}\n"
        )
    };
    let twice = format!(
        "trust:\n{}{}",
        entry(""),
        entry("").replace("/keys", "/older")
    );
    assert_eq!(Scene::new(&twice).load().config.trust.len(), 2);
    let other = format!("trust:\n{}{}", entry(""), entry(", groups_claim: teams"));
    let report = Scene::new(&other).report();
    assert!(
        report.contains(
            "error: `trust.1.issuer`: this issuer is named before, with other settings\n  --> c.yaml:3:15"
        ),
        "{report}"
    );
    let bare = entry("").replace("\"https://idp.example\"", "idp.example");
    let report = Scene::new(&format!("trust:\n{}{bare}", entry(""))).report();
    assert!(
        report.contains("error: `trust.1.issuer`: its users would be called like those"),
        "{report}"
    );
    let own = format!(
        "server: {{ public_url: \"https://idp.example/\" }}\ntrust:\n{}",
        entry("")
    );
    let report = Scene::new(&own).report();
    assert!(
        report.contains("`trust.0.issuer`: this is our own issuer"),
        "{report}"
    );
    let at = format!("trust:\n{}", entry("").replace("//idp", "//me@idp"));
    assert!(Scene::new(&at).report().contains("may not hold an @"));
    let plain = entry("").replace("https://idp.example/keys", "http://idp.example/keys");
    let report = Scene::new(&format!("trust:\n{plain}")).report();
    assert!(
        report.contains("error: `trust.0.jwks_url`: keys that are fetched over plain HTTP"),
        "{report}"
    );
    let allowed = plain.replace(" }", ", plain_http: true }");
    let notices = Scene::new(&format!("trust:\n{allowed}")).notices();
    assert!(
        notices.contains("warning: `trust.0.jwks_url`: keys that are fetched over plain HTTP"),
        "{notices}"
    );
    let loopback = plain.replace("http://idp.example", "http://127.0.0.1:1");
    let quiet = Scene::new(&format!("trust:\n{loopback}")).notices();
    assert!(!quiet.contains("trust"), "{quiet}");
}

#[test]
fn audience_with_its_own_keys_has_a_name_that_fits_a_path() {
    Scene::new("tokens: { audiences: { open-metadata_2: { keys: own } } }\n").load();
    for name in ["a/b", "..", "index.json", "ü"] {
        let file = format!("tokens: {{ audiences: {{ \"{name}\": {{ keys: own }} }} }}\n");
        let report = Scene::new(&file).report();
        assert!(
            report.contains("letters, digits, - and _ alone"),
            "{report}"
        );
        let shared = file.replace("keys: own", "keys: shared");
        Scene::new(&shared).load();
    }
}

#[test]
fn schedule_that_could_break_a_verifier_is_refused() {
    let error = |file: &str, key: &str, part: &str| {
        let report = Scene::new(file).report();
        let first = format!("error: `{key}`: ");
        assert!(report.contains(&first) && report.contains(part), "{report}");
    };
    error(
        "keys: { lead: 2h, rotate_every: 1h }\n",
        "keys.rotate_every",
        "before it was published for keys.lead",
    );
    // The default lead counts as well.
    error(
        "keys: { rotate_every: 1h }\n",
        "keys.rotate_every",
        "before it was published for keys.lead",
    );
    error(
        "keys: { lead: 10m, max_age: 11m }\n",
        "keys.max_age",
        "longer than a new key waits",
    );
    error("keys: { max_age: 0s }\n", "keys.max_age", "above zero");
    error(
        "keys: { rotate_every: 24h }\nstore: { url: \"postgres://h/d\" }\n",
        "keys.rotate_every",
        "each host would rotate keys of its own",
    );
    Scene::new("keys: { lead: 1s, max_age: 1s, rotate_every: 1s }\n").load();
    let notices = Scene::new("keys: { lead: 10m, rotate_every: 24h }\n").notices();
    assert!(
        notices.contains("Airflow keeps our keys for an hour"),
        "{notices}"
    );
}

#[test]
fn hosts_on_one_store_share_their_keys_or_are_told_that_they_do_not() {
    let url = "url: \"postgres://h/d\"";
    let notices = Scene::new(&format!("store: {{ {url} }}\n")).notices();
    assert!(notices.contains("signs with keys of its own"), "{notices}");
    let kek = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let notices = Scene::new(&format!("store: {{ {url}, kek: \"{kek}\" }}\n")).notices();
    assert!(!notices.contains("signs with keys of its own"), "{notices}");
    for bad in ["short", "AAECAwQFBgcICQoLDA0ODw=="] {
        let report = Scene::new(&format!("store: {{ kek: \"{bad}\" }}\n")).report();
        assert!(
            report.contains("expected 32 bytes in base64") && !report.contains(bad),
            "{report}"
        );
    }
}

#[test]
fn refresh_token_cannot_outlive_its_sign_in() {
    for good in [
        "{ lifetime: 0s }",
        "{ lifetime: 7d }",
        "{ lifetime: 30d, absolute: 30d }",
    ] {
        Scene::new(&format!("tokens: {{ refresh: {good} }}\n")).load();
    }
    for bad in ["{ lifetime: 8d }", "{ absolute: 1h }"] {
        let report = Scene::new(&format!("tokens: {{ refresh: {bad} }}\n")).report();
        let expected = "`tokens.refresh.lifetime`: this is longer than tokens.refresh.absolute";
        assert!(report.contains(expected), "{report}");
    }
}
