#![allow(clippy::unwrap_used)]
use super::*;
use crate::config::testing::Scene;

#[test]
fn c01_all_errors_come_in_one_report_sorted_by_place() {
    let file = "\
server:
  listen: 127.0.0.1
  pubic_url: x
tokens:
  lifetime: soon
  claims: { iss: me, name: \"{usrname}\" }
  subject_backend: user
keys: { algorithm: RS265 }
keys: { kid: a }
state:
\t- x
backends:
  users:
    plugin: db
    config: { urll: x, access: maybe }
  Bad__Id: { plugin: ldap, concurrency: many, match: { username: \"(\" } }
  gone: { plugin: nope }
";
    let scene = Scene::new(file)
        .env("COUNTERSIGN_TOKENS__LIFETME", "1h")
        .env("COUNTERSIGN_ADMIN__LISTEN", "nowhere");
    let expected = "\
error: `server.listen`: expected an address and port such as 127.0.0.1:8090, found text
  --> c.yaml:2:11

error: `server.pubic_url` is not a known key
  --> c.yaml:3:14
help: did you mean `server.public_url`?

error: `tokens.lifetime`: expected a duration above zero, such as 10s, 15m, 24h or 7d, found text
  --> c.yaml:5:13

error: `tokens.claims.iss`: this claim is set by the host alone
  --> c.yaml:6:18
help: set tokens.issuer

error: `tokens.claims.name`: the template holds an unknown placeholder
  --> c.yaml:6:28
help: did you mean {username}?

error: `tokens.subject_backend`: there is no backend of this id
  --> c.yaml:7:20
help: did you mean users?

error: `keys.algorithm`: expected one of RS256, RS384, RS512, PS256, ES256, ES384, EdDSA, found text
  --> c.yaml:8:20
help: did you mean RS256?

error: the key `keys` is written twice
  --> c.yaml:9:1
caused by: first written at c.yaml:8:1
help: keep one of the two

error: a tab indents this line
  --> c.yaml:11:1
help: YAML indents with spaces only";
    let report = scene.report();
    assert!(report.starts_with(expected), "{report}");
    for part in [
        "error: `state`: expected a path, found a list\n  --> c.yaml:11:3",
        "error: `backends.users.config.url` is missing: expected text\n  --> c.yaml:15:13\nhelp: Where the users are.",
        "error: `backends.users.config.urll` is not a known key\n  --> c.yaml:15:21\nhelp: did you mean `backends.users.config.url`?",
        "error: `backends.users.config.access`: expected one of read, counters, full, found text\n  --> c.yaml:15:32",
        "error: `backends.Bad__Id`: this is not a backend id\n  --> c.yaml:16:12",
        "error: `backends.Bad__Id.concurrency`: expected a whole number, found text\n  --> c.yaml:16:41",
        "error: `backends.Bad__Id.match.username`: expected a regular expression, found text\n  --> c.yaml:16:66",
        "error: `backends.gone.plugin`: the plugin `nope` cannot be used\n  --> c.yaml:17:19\ncaused by: there is no file libcountersign_nope.so\n  looked in: nowhere",
        "error: `admin.listen`: expected an address and port such as 127.0.0.1:8090, found text\n  --> environment variable COUNTERSIGN_ADMIN__LISTEN",
        "error: `tokens.lifetme` is not a known key\n  --> environment variable COUNTERSIGN_TOKENS__LIFETME\nhelp: did you mean COUNTERSIGN_TOKENS__LIFETIME?",
    ] {
        assert!(report.contains(part), "missing:\n{part}\nin:\n{report}");
    }
}

#[test]
fn c01_missing_file_is_one_error_beside_others() {
    let scene = Scene::new("tokens: { lifetme: 1h }\n").with_file("e.yaml", "");
    std::fs::remove_file(scene.path("e.yaml")).unwrap();
    let report = scene.report();
    assert!(
        report.contains("`tokens.lifetme` is not a known key"),
        "{report}"
    );
    assert!(
        report.contains(
            "error: the configuration file cannot be read\n  --> e.yaml\ncaused by: No such file"
        ),
        "{report}"
    );
}

#[test]
fn lookalike_variables_are_noticed_and_used_ones_are_not() {
    let scene = Scene::empty()
        .env("COUNTERSIGN_TOKENS_LIFETIME", "1h")
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:9")
        .env("COUNTERSIGN_SERVICE_HOST", "x")
        .env("COUNTERSIGN_ISSUER", "x")
        .env("COUNTERSIGN_TOKENS__AUDIENCE", "");
    let notices = scene.notices();
    assert_eq!(
        notices,
        "warning: COUNTERSIGN_ISSUER sets nothing\n  --> environment variable COUNTERSIGN_ISSUER\nhelp: `server.verify.headers.issuer` is set by COUNTERSIGN_SERVER__VERIFY__HEADERS__ISSUER, `tokens.issuer` is set by COUNTERSIGN_TOKENS__ISSUER\n\n\
         warning: COUNTERSIGN_TOKENS_LIFETIME sets nothing\n  --> environment variable COUNTERSIGN_TOKENS_LIFETIME\nhelp: `tokens.lifetime` is set by COUNTERSIGN_TOKENS__LIFETIME\n\n\
         warning: COUNTERSIGN_TOKENS__AUDIENCE is set but empty, and ignored\n  --> environment variable COUNTERSIGN_TOKENS__AUDIENCE\nhelp: write \"\" (two quotes) for an empty text, [] for an empty list, or unset it"
    );
    assert_eq!(scene.load().config.server.listen, "127.0.0.1:9");
}

#[test]
fn variable_that_may_mean_several_keys_names_them_all() {
    let notices = Scene::new("tokens: { leeway: 1s }\n")
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:9")
        .notices();
    assert!(
        notices.contains("`admin.listen` is set by COUNTERSIGN_ADMIN__LISTEN, `server.listen` is set by COUNTERSIGN_SERVER__LISTEN"),
        "{notices}"
    );
}

#[test]
fn required_key_that_is_written_empty_says_so() {
    let report =
        Scene::new("backends:\n  users:\n    plugin: db\n    config:\n      url: ${DB:-}\n")
            .report();
    assert_eq!(
        report,
        "error: `backends.users.config.url` is empty: expected text\n  --> c.yaml:5:12\ncaused by: the value comes from DB\nhelp: Where the users are."
    );
}

#[test]
fn undefined_variable_names_itself_and_its_place() {
    let report = Scene::new("tokens:\n  audience: ${AUD}\n").report();
    assert_eq!(
        report,
        "error: `tokens.audience`: the variable AUD is not set\n  --> c.yaml:2:13\nhelp: set AUD or AUD_FILE, or give a default: ${AUD:-…}"
    );
}

#[test]
fn text_where_another_kind_is_needed_gets_a_hint() {
    let report = Scene::new("tokens: { lifetime: 3600 }\nserver: { plain_http: \"true\" }\n")
        .env("COUNTERSIGN_TOKENS__CLAIMS", "x")
        .report();
    for hint in [
        "a duration needs a unit: s, m, h or d",
        "write true or false, without quotes",
        "set its keys one by one: COUNTERSIGN_TOKENS__CLAIMS__…",
    ] {
        assert!(report.contains(hint), "{report}");
    }
}

#[test]
fn broken_schema_of_a_plugin_is_that_plugins_error() {
    struct Broken;
    impl PluginSchemas for Broken {
        fn schema(&self, _: &str, _: &Plugins) -> Result<Value, String> {
            Ok(json!({ "type": "nonsense" }))
        }
    }
    let scene = Scene::new("backends:\n  users: { plugin: db }\n");
    let report = load(&scene.sources, &Broken).unwrap_err().to_string();
    assert!(report.starts_with("error: `backends.users.plugin`: the plugin `db` cannot be used\n  --> c.yaml:2:20\ncaused by: its configuration schema is not a usable JSON Schema"), "{report}");
}

#[test]
fn references_inside_a_plugins_schema_still_lead_to_their_place() {
    struct Tree;
    impl PluginSchemas for Tree {
        fn schema(&self, _: &str, _: &Plugins) -> Result<Value, String> {
            Ok(json!({
                "type": "object",
                "properties": { "inner": { "$ref": "#" }, "size": { "$ref": "#/definitions/Size" } },
                "additionalProperties": false,
                "definitions": { "Size": { "type": "integer" } },
            }))
        }
    }
    let scene = Scene::new(
        "backends:\n  a: { plugin: x, config: { inner: { inner: { size: \"${S:-5}\" } } } }\n",
    );
    let config = load(&scene.sources, &Tree).unwrap().config;
    assert_eq!(config.backends["a"].config["inner"]["inner"]["size"], 5);
    let scene = Scene::new(
        "backends:\n  a: { plugin: x, config: { inner: { inner: { size: big, sise: 1 } } } }\n",
    );
    let report = load(&scene.sources, &Tree).unwrap_err().to_string();
    assert!(
        report
            .contains("`backends.a.config.inner.inner.size`: expected a whole number, found text"),
        "{report}"
    );
    assert!(
        report.contains("did you mean `backends.a.config.inner.inner.size`?"),
        "{report}"
    );
}

#[test]
fn of_several_alternatives_the_one_that_was_meant_is_reported() {
    struct Variants;
    impl PluginSchemas for Variants {
        fn schema(&self, _: &str, _: &Plugins) -> Result<Value, String> {
            let variant = |tag: &str, key: &str, kind: &str| {
                json!({ "type": "object", "required": ["kind", key], "additionalProperties": false,
                        "properties": { "kind": { "type": "string", "const": tag }, key: { "type": kind } } })
            };
            Ok(json!({
                "type": "object",
                "properties": {
                    "access": { "anyOf": [
                        { "oneOf": [{ "type": "string", "const": "read" }, { "type": "string", "const": "full" }] },
                        { "type": "null" },
                    ] },
                    "tls": { "oneOf": [variant("file", "path", "string"), variant("port", "number", "integer")] },
                },
            }))
        }
    }
    let report = |config: &str| {
        let scene = Scene::new(&format!(
            "backends: {{ a: {{ plugin: x, config: {{ {config} }} }} }}\n"
        ));
        load(&scene.sources, &Variants).unwrap_err().to_string()
    };
    let table = [
        (
            "access: raed",
            "`backends.a.config.access`: expected one of read, full, found text",
            "did you mean read?",
        ),
        (
            "tls: { kind: port, number: many }",
            "`backends.a.config.tls.number`: expected a whole number, found text",
            "",
        ),
        (
            "tls: { kind: port, nmber: 1 }",
            "`backends.a.config.tls.nmber` is not a known key",
            "number",
        ),
        (
            "tls: { kind: ftp, number: 1 }",
            "`backends.a.config.tls.kind`: expected one of file, port, found another",
            "",
        ),
        (
            "tls: 5",
            "`backends.a.config.tls`: expected a map of keys, found a whole number",
            "",
        ),
    ];
    for (config, message, hint) in table {
        let report = report(config);
        assert!(
            report.contains(message) && report.contains(hint),
            "{config}\n{report}"
        );
    }
}
