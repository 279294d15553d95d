#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;
use crate::config::testing::Scene;

/// What a text key holds after loading, `None` if it is absent, or the first line of the report.
fn header(scalar: &str, variables: &[(&str, &str)]) -> Result<Option<String>, String> {
    let file = "backends:\n  users:\n    plugin: db\n    config: { url: sqlite:///x }\n    match:\n      header: ";
    let mut scene = Scene::new(&format!("{file}{scalar}\n"));
    for (name, value) in variables {
        scene = scene.env(name, value);
    }
    match crate::config::load(&scene.sources, &crate::config::testing::Known) {
        Ok(loaded) => Ok(loaded.config.backends["users"].matches.header.clone()),
        Err(report) => Err(report
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()),
    }
}

/// OpenMetadata's table, row by row, with our answer.
#[test]
fn openmetadata_rows_have_their_documented_answer() {
    let text = |text: &str| Ok(Some(text.to_owned()));
    let absent = Ok(None);
    let error = |message: &str| Err(format!("error: `backends.users.match.header`: {message}"));
    let unset = || error("the variable X is not set");
    let not_a_name = || error("${…} holds something other than a variable's name");
    let unclosed = || error("a ${ is not closed by }");
    let table = [
        ("${X:-def}", vec![], text("def")),
        ("${X:-def}", vec![("X", "val")], text("val")),
        ("${X:-def}", vec![("X", "")], absent.clone()),
        ("\"${X:-def}\"", vec![("X", "")], text("")),
        ("${X:-}", vec![], absent.clone()),
        ("${X:-\"\"}", vec![], text("")),
        ("${X:-\"\"}", vec![("X", "")], absent),
        ("${X:-\"\"}", vec![("X", "\"\"")], text("")),
        ("${X:-\"\"}", vec![("X", "a b")], text("a b")),
        ("${X:-\"def\"}", vec![], text("def")),
        ("${X}", vec![], unset()),
        ("$${X}", vec![("X", "v")], text("${X}")),
        ("$${X:-d}", vec![("X", "v")], text("${X:-d}")),
        ("$$${X}", vec![("X", "v")], text("$${X}")),
        ("$X", vec![("X", "v")], text("$X")),
        ("a$b", vec![], text("a$b")),
        ("$$", vec![], text("$$")),
        ("\\${X:-d}", vec![], text("\\d")),
        ("'${X:-d}'", vec![], text("d")),
        ("\"${X:-d}\"", vec![], text("d")),
        ("${X-def}", vec![], not_a_name()),
        ("${X:=d}", vec![], not_a_name()),
        ("${X:?m}", vec![], not_a_name()),
        ("${X:d}", vec![], not_a_name()),
        ("${X:-a:-b}", vec![], text("a:-b")),
        ("${X:- \"v\"}", vec![], text("v")),
        ("${ X }", vec![("X", "v")], not_a_name()),
        ("${X :-d}", vec![("X", "v")], not_a_name()),
        ("${:-d}", vec![], not_a_name()),
        ("${}", vec![], not_a_name()),
        ("${X:-abc", vec![], unclosed()),
        ("${X:-a #b}", vec![], unclosed()),
        ("${X:-a}b}", vec![], text("ab}")),
        ("${X:-{a}}", vec![], text("{a}")),
        ("${X:-{a}}", vec![("X", "v")], text("v")),
        ("${A:-${B:-c}}", vec![], text("c")),
        ("${A:-${B:-c}}", vec![("B", "bb")], text("bb")),
        ("${A:-${B:-c}}", vec![("A", "aa")], text("aa")),
        ("${X}", vec![("X", "${Y}"), ("Y", "yy")], text("${Y}")),
        ("${X}", vec![("X", "${X}")], text("${X}")),
        ("${X}", vec![("X", "a #b")], text("a #b")),
        ("${X}", vec![("X", "a: b")], text("a: b")),
        ("${X}", vec![("X", "- x")], text("- x")),
        ("${X}", vec![("X", "@x")], text("@x")),
        ("${X}", vec![("X", "%x")], text("%x")),
        ("${X}", vec![("X", "[x")], text("[x")),
        ("${X}", vec![("X", ">x")], text(">x")),
        ("${X}", vec![("X", "*x")], text("*x")),
        ("${X}", vec![("X", "!x")], text("!x")),
        ("${X}", vec![("X", "&x")], text("&x")),
        ("${X}", vec![("X", "a\nw: y")], text("a\nw: y")),
        ("\"${X}\"", vec![("X", "a\"b")], text("a\"b")),
        ("${X:-d}", vec![("X", "0123")], text("0123")),
        ("${X:-d}", vec![("X", "1.10")], text("1.10")),
        ("${X:-d}", vec![("X", "1e5")], text("1e5")),
        ("${X:-d}", vec![("X", "true")], text("true")),
        ("${X:-d}", vec![("X", "null")], text("null")),
        ("${X:-d}", vec![("X", "~")], text("~")),
        (
            "jdbc:${S:-mysql}://${H:-localhost}:${P:-3306}/x",
            vec![("H", "h")],
            text("jdbc:mysql://h:3306/x"),
        ),
        (
            "${X}",
            vec![("X_FILE", "absent")],
            error("the file that X_FILE names cannot be used"),
        ),
        (
            "${X:-d}",
            vec![("X", "v"), ("X_FILE", "f")],
            error("X and X_FILE are both set"),
        ),
        // Not variables at all:
        ("0123", vec![], text("0123")),
        ("1.10", vec![], text("1.10")),
        ("true", vec![], text("true")),
    ];
    for (scalar, variables, expected) in table {
        let found = header(scalar, &variables);
        let same = match (&found, &expected) {
            (Err(found), Err(expected)) => found.starts_with(expected.as_str()),
            _ => found == expected,
        };
        assert!(
            same,
            "{scalar} with {variables:?}\n  expected {expected:?}\n  found    {found:?}"
        );
    }
}

#[test]
fn lists_numbers_and_truth_values_are_typed_by_their_key() {
    let file = "\
server: { trusted_proxies: \"${P:-[10.0.0.1,10.0.0.2]}\", plain_http: \"${H:-false}\" }
backends:
  dir:
    plugin: ldap
    concurrency: ${C:-\"7\"}
    config: { servers: \"${S:-[]}\", port: \"6${Q:-36}\", verify: \"${V:-TRUE}\" }
";
    let load = |variables: &[(&str, &str)]| {
        let scene = variables
            .iter()
            .fold(Scene::new(file), |scene, (name, value)| {
                scene.env(name, value)
            });
        scene.load().config
    };
    let config = load(&[]);
    assert_eq!(config.server.trusted_proxies, ["10.0.0.1", "10.0.0.2"]);
    let dir = &config.backends["dir"];
    assert_eq!(
        (dir.concurrency, dir.config.to_string()),
        (7, r#"{"port":636,"servers":[],"verify":true}"#.into())
    );
    let config = load(&[("P", "::1"), ("S", "a,\"b,c\""), ("C", "9")]);
    assert_eq!(config.server.trusted_proxies, ["::1"]);
    assert_eq!(
        config.backends["dir"].config["servers"],
        serde_json::json!(["a", "b,c"])
    );
    assert_eq!(config.backends["dir"].concurrency, 9);
}

#[test]
fn map_cannot_come_from_one_variable() {
    let report = Scene::new("tokens:\n  claims: ${X:-{a: 1}}\n").report();
    assert!(
        report.contains("not valid YAML") || report.contains("expected a map of keys, found text"),
        "{report}"
    );
    let report = Scene::new("tokens:\n  claims: \"${X:-{a}}\"\n").report();
    assert!(
        report.starts_with(
            "error: `tokens.claims`: expected a map of keys, found text\n  --> c.yaml:2:11"
        ),
        "{report}"
    );
}

#[test]
fn value_of_a_file_variable_is_trimmed_once() {
    let scene = Scene::new("tokens:\n  audience: a-${X}-b\n").env("X_FILE", "x.txt");
    scene.put("x.txt", "${Y}\r\n");
    assert_eq!(scene.load().config.tokens.audience, "a-${Y}-b");
}

#[test]
fn random_values_never_change_the_shape_of_the_tree() {
    let file = "\
tokens:
  audience: ${A:-x}
backends:
  dir: { roles: { mapping: { one: [\"${A:-x}\", d] }, default: ['b ${A:-x} c'] }, plugin: ldap, config: { bind: \"${A:-x}\", password: \"p${A:-x}\" } }
";
    let alphabet: Vec<char> = "ab: \n\t-[]{}\"'&*!|>#$,?%@`~\\\r\u{e9}\u{2028}"
        .chars()
        .collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..200 {
        let value: String = (0..12)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                alphabet[(seed % alphabet.len() as u64) as usize]
            })
            .collect();
        let config = Scene::new(file).env("A", &value).load().config;
        let unquoted = |text: &str| text.trim_matches('"').trim_matches('\'').len();
        assert!(
            config.tokens.audience == value || config.tokens.audience.len() == unquoted(&value),
            "{value:?}"
        );
        let roles = &config.backends["dir"].roles;
        assert_eq!(roles.default, [format!("b {value} c")]);
        assert_eq!(
            (
                roles.mapping.len(),
                roles.mapping["one"].len(),
                roles.mapping["one"][1].as_str()
            ),
            (1, 2, "d")
        );
        assert_eq!(
            config.backends["dir"].config["password"],
            format!("p{value}")
        );
        assert_eq!(config.backends["dir"].config.as_object().unwrap().len(), 2);
    }
}

#[test]
fn nesting_without_end_is_refused() {
    let deep = "${A:-".repeat(40) + &"}".repeat(40);
    let environment = BTreeMap::new();
    let result = interpolate(&deep, false, &Variables::new(&environment, Path::new("/")));
    assert_eq!(result.unwrap_err().message, "defaults nest too deeply");
}
