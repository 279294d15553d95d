#![allow(clippy::unwrap_used)]
use super::*;
use crate::config::testing::Scene;

#[test]
fn no_file_gives_the_built_in_defaults() {
    let scene = Scene::empty();
    let loaded = scene.load();
    assert_eq!(loaded.config.server.listen, "127.0.0.1:8090");
    assert_eq!(loaded.config.backends["users"].plugin, "db");
    let url = loaded.config.backends["users"].config["url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        url,
        format!("sqlite://{}/users.db", scene.path(".countersign"))
    );
    assert_eq!(loaded.config.state, scene.sources.cwd.join(".countersign"));
    assert_eq!(loaded.notices, []);
}

#[test]
fn shipped_file_equals_the_defaults_of_the_shapes() {
    let shipped = serde_json::to_value(Scene::empty().load().config).unwrap();
    let empty = serde_json::to_value(Scene::new("").load().config).unwrap();
    let strip = |value: &Value| value.to_string().replace(|c: char| c.is_ascii_digit(), "");
    assert_eq!(strip(&shipped), strip(&empty));
}

#[test]
fn backends_of_a_file_are_all_there_are_and_keep_its_order() {
    let scene = Scene::new(
        "backends:\n  zeta: { plugin: ldap }\n  alpha: { plugin: ldap }\n  mid: { plugin: ldap }\n",
    );
    let ids: Vec<String> = scene.load().config.backends.into_keys().collect();
    assert_eq!(ids, ["zeta", "alpha", "mid"]);
}

#[test]
fn c02_precedence_is_defaults_files_environment_flags() {
    let base = || {
        Scene::new("tokens: { audience: first, lifetime: 1h }\n")
            .with_file("d.yaml", "tokens: { audience: second }\n")
    };
    assert_eq!(base().load().config.tokens.audience, "second");
    assert_eq!(base().load().config.tokens.lifetime.as_secs(), 3600);
    assert_eq!(base().load().config.tokens.leeway.as_secs(), 10);
    let by_variable = base().env("COUNTERSIGN_TOKENS__AUDIENCE", "third");
    assert_eq!(by_variable.load().config.tokens.audience, "third");
    let by_flag = by_variable.flag("tokens.audience", "fourth");
    let loaded = by_flag.load();
    assert_eq!(loaded.config.tokens.audience, "fourth");
    assert_eq!(
        loaded
            .origins
            .of(&KeyPath::parse("tokens.audience"))
            .to_string(),
        "command line, tokens.audience"
    );
    assert_eq!(
        loaded
            .origins
            .of(&KeyPath::parse("tokens.lifetime"))
            .to_string(),
        "c.yaml:1:38"
    );
    assert_eq!(
        loaded
            .origins
            .of(&KeyPath::parse("tokens.leeway"))
            .to_string(),
        "default"
    );
}

#[test]
fn c02_environment_overrides_reach_nested_keys_items_and_map_keys() {
    let file = "\
server: { trusted_proxies: [10.0.0.1, 10.0.0.2] }
tokens: { claims: { \"my-claim.x\": \"{username}\" } }
trust:
  - { issuer: i, jwks_url: \"https://h/jwks\", audiences: [a] }
backends:
  users: { plugin: db, config: { url: x } }
  dir: { plugin: ldap }
";
    let scene = Scene::new(file)
        .env("COUNTERSIGN_SERVER__TRUSTED_PROXIES__1", "10.0.0.9")
        .env("COUNTERSIGN_SERVER__TRUSTED_PROXIES__2", "::1")
        .env("COUNTERSIGN_TOKENS__CLAIMS__MY_CLAIM_X", "{id}")
        .env("COUNTERSIGN_TOKENS__CLAIMS__EXTRA", "{email}")
        .env("COUNTERSIGN_TRUST__0__AUDIENCES", "a,b")
        .env("COUNTERSIGN_BACKENDS__USERS__CONFIG__URL", "sqlite://y")
        .env("countersign_backends__dir__config__port", "636")
        .env(
            "COUNTERSIGN_BACKENDS__DIR__CONFIG__SERVERS",
            "[\"a\",\"b\"]",
        )
        .env("COUNTERSIGN_BACKENDS__DIR__CONFIG__BIND", "000123")
        .env("COUNTERSIGN_BACKENDS__DIR__CONFIG__VERIFY", "True")
        .env("COUNTERSIGN_TOKENS__AUDIENCE", "true")
        .env("COUNTERSIGN_STATE", "elsewhere");
    let config = scene.load().config;
    assert_eq!(
        config.server.trusted_proxies,
        ["10.0.0.1", "10.0.0.9", "::1"]
    );
    assert_eq!(
        serde_json::to_value(&config.tokens.claims).unwrap(),
        json!({ "my-claim.x": "{id}", "extra": "{email}" })
    );
    assert_eq!(config.trust[0].issuer, "i");
    assert_eq!(config.trust[0].audiences, ["a", "b"]);
    assert_eq!(
        config.backends["users"].config,
        json!({ "url": "sqlite://y" })
    );
    assert_eq!(
        config.backends["dir"].config,
        json!({ "port": 636, "servers": ["a", "b"], "bind": "000123", "verify": true })
    );
    assert_eq!(config.tokens.audience, "true");
    assert_eq!(config.state, scene.sources.cwd.join("elsewhere"));
}

#[test]
fn c02_default_backend_is_overridden_by_the_environment() {
    let scene = Scene::empty().env(
        "COUNTERSIGN_BACKENDS__USERS__CONFIG__URL",
        "sqlite://other.db",
    );
    assert_eq!(
        scene.load().config.backends["users"].config["url"],
        "sqlite://other.db"
    );
}

#[test]
fn c06_value_and_file_together_or_unusable_files_are_errors() {
    let url = "COUNTERSIGN_BACKENDS__USERS__CONFIG__URL";
    let by_file = "COUNTERSIGN_BACKENDS__USERS__CONFIG__URL_FILE";
    let report = Scene::empty().env(url, "a").env(by_file, "b").report();
    assert_eq!(
        report,
        "error: `backends.users.config.url`: COUNTERSIGN_BACKENDS__USERS__CONFIG__URL and \
         COUNTERSIGN_BACKENDS__USERS__CONFIG__URL_FILE are both set\n  --> environment variable \
         COUNTERSIGN_BACKENDS__USERS__CONFIG__URL_FILE\nhelp: unset one of the two"
    );
    let table = [
        ("value", "value"),
        ("value\n", "value"),
        ("value\r\n", "value"),
        ("value\n\n", "value\n"),
        (" value ", " value "),
    ];
    for (content, expected) in table {
        let scene = Scene::empty().env(by_file, "secret.txt");
        scene.put("secret.txt", content);
        assert_eq!(
            scene.load().config.backends["users"].config["url"],
            expected
        );
    }
    for (content, expected) in [("", "the file is empty"), ("\n", "the file is empty")] {
        let scene = Scene::empty().env(by_file, "secret.txt");
        scene.put("secret.txt", content);
        assert!(scene.report().contains(expected), "{}", scene.report());
    }
    let large = Scene::empty().env(by_file, "secret.txt");
    large.put("secret.txt", &"x".repeat((1 << 20) + 1));
    assert!(large.report().contains("larger than 1 MiB"));
    assert!(
        Scene::empty()
            .env(by_file, "absent.txt")
            .report()
            .contains("No such file")
    );
}

#[test]
fn c06_secret_references_are_read_only_where_the_schema_says_secret() {
    let file = "\
backends:
  dir:
    plugin: ldap
    config: { password: { file: secrets/pw }, certificate: ca.pem }
  users:
    plugin: db
    config: { url: { env: DB_URL } }
";
    let scene = Scene::empty()
        .with_file("etc/c.yaml", file)
        .env("DB_URL_FILE", "url.txt");
    scene.put("etc/secrets/pw", "hunter2\r\n");
    scene.put("url.txt", "sqlite://{state}/x.db");
    let loaded = scene.load();
    assert_eq!(loaded.config.backends["dir"].config["password"], "hunter2");
    assert_eq!(
        loaded.config.backends["dir"].config["certificate"],
        scene.path("etc/ca.pem")
    );
    let url = format!("sqlite://{}/x.db", scene.path(".countersign"));
    assert_eq!(loaded.config.backends["users"].config["url"], url);

    let report = Scene::new(
        "backends: { d: { plugin: ldap, config: { bind: { env: X }, password: { env: Y } } } }\n",
    )
    .report();
    assert!(
        report.contains("`backends.d.config.bind`: expected text, found a map of keys"),
        "{report}"
    );
    assert!(report.contains("stand for secrets only"), "{report}");
    assert!(report.contains("`backends.d.config.password`: the secret cannot be read\n  --> c.yaml:1:70\ncaused by: the variable Y is not set"), "{report}");
    assert_eq!(report.matches("error:").count(), 2, "{report}");
}

#[test]
fn c07_secrets_are_never_printed() {
    let canary = "c4n4ry";
    let file = "\
backends:
  users: { plugin: db, config: { url: \"postgres://u:c4n4ry@h/db\" } }
  dir: { plugin: ldap, config: { password: c4n4ry, bind: \"ldap://u:c4n4ry@h\" } }
";
    let scene = Scene::new(file);
    let loaded = scene.load();
    assert!(!format!("{loaded:?} {:?}", loaded.config).contains(canary));
    let secrets: Vec<String> = loaded
        .secrets()
        .iter()
        .map(|secret| secret.expose().to_owned())
        .collect();
    assert!(
        secrets.contains(&canary.to_owned())
            && secrets.contains(&"postgres://u:c4n4ry@h/db".to_owned())
    );

    let broken = "\
server: { listen: c4n4ry, plain_http: c4n4ry, c4n4: 1 }
store: { url: c4n4ry }
keys: { algorithm: c4n4ry }
tokens: { lifetime: c4n4ry, claims: { a: \"{c4n4ry}\" } }
trust: c4n4ry
backends:
  users: { plugin: db, config: { url: [c4n4ry], access: c4n4ry } }
  dir: { plugin: ldap, config: { password: { file: absent }, port: c4n4ry, servers: \"${L}\" }, match: { username: \"(c4n4ry\" } }
  env: { plugin: ldap, config: { password: { c4n4: c4n4ry } } }
";
    let report = Scene::new(broken)
        .env("L", canary)
        .env("COUNTERSIGN_ADMIN__LISTEN", canary)
        .report();
    assert!(report.matches("error:").count() >= 10, "{report}");
    assert!(!report.contains(canary), "{report}");
}

#[test]
fn files_are_found_by_variable_then_in_the_usual_places() {
    let scene = Scene::empty();
    let find = |environment: &[(&str, &str)]| {
        let environment = environment
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Sources::find(
            Vec::new(),
            environment,
            Vec::new(),
            scene.sources.cwd.clone(),
        )
        .files
    };
    scene.put("config/countersign.yaml", "");
    assert_eq!(
        find(&[]),
        [std::path::PathBuf::from("config/countersign.yaml")]
    );
    assert_eq!(
        find(&[("COUNTERSIGN_CONFIG", "x.yaml")]),
        [std::path::PathBuf::from("x.yaml")]
    );
}
