//! Where in the claims something is: JMESPath, and what operators write as plain names.

use std::fmt;

use jmespath::Expression;
use serde_json::{Map, Value};

/// The longest expression.
const LONGEST: usize = 1_000;

/// An expression over claims.
pub(crate) struct Path {
    text: String,
    steps: Steps,
}

enum Steps {
    /// Members of members. No expression is needed for them, nor a copy of the claims.
    Names(Vec<String>),
    Expression(Box<Expression<'static>>),
}

impl Path {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, and in which column.
    pub(crate) fn parse(text: &str) -> Result<Path, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("expected an expression, found none".to_owned());
        }
        if text.len() > LONGEST {
            return Err(format!(
                "expected an expression of at most {LONGEST} bytes, found {}",
                text.len()
            ));
        }
        let steps = match names(text) {
            Some(names) => Steps::Names(names),
            None => Steps::Expression(Box::new(compile(text)?)),
        };
        Ok(Path {
            text: text.to_owned(),
            steps,
        })
    }

    /// What is there; nothing and null are the same.
    ///
    /// # Errors
    /// The expression does not fit the claims, as a function of a wrong argument.
    pub(crate) fn of(&self, claims: &Map<String, Value>) -> Result<Option<Value>, String> {
        let found = match &self.steps {
            Steps::Names(names) => member(claims, names).cloned().unwrap_or_default(),
            Steps::Expression(expression) => {
                let found = expression.search(claims);
                let found = found.and_then(|found| Ok(serde_json::to_value(&*found)?));
                found.map_err(|error| {
                    format!("`{self}` does not fit the claims: {}", error.reason)
                })?
            }
        };
        Ok(Some(found).filter(|found| !found.is_null()))
    }

    /// Is this claim at the beginning of the path, or anywhere in its expression?
    pub(crate) fn reads(&self, claim: &str) -> bool {
        match &self.steps {
            Steps::Names(names) => names.first().is_some_and(|first| first == claim),
            Steps::Expression(_) => self.text.contains(claim),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn member<'a>(claims: &'a Map<String, Value>, names: &[String]) -> Option<&'a Value> {
    let (first, rest) = names.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| {
        value.as_object()?.get(name)
    })
}

/// The names of a plain path; none = it is an expression of some other kind.
///
/// What it takes beyond JMESPath's unquoted names is no expression at all there.
fn names(text: &str) -> Option<Vec<String>> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:/".contains(&byte);
    if ["https://", "http://", "urn:"]
        .iter()
        .any(|start| text.starts_with(start))
    {
        let is_name = text
            .bytes()
            .all(|byte| is_plain(byte) || b".~%".contains(&byte));
        return is_name.then(|| vec![text.to_owned()]);
    }
    let mut names = Vec::new();
    let mut rest = text;
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            // No escapes: those are JMESPath's.
            Some(quoted) => quoted
                .split_once('"')
                .filter(|(name, _)| !name.contains('\\'))?,
            None => rest.split_at(rest.bytes().take_while(|byte| is_plain(*byte)).count()),
        };
        if name.is_empty() || name.chars().any(char::is_control) {
            return None;
        }
        names.push(name.to_owned());
        if after.is_empty() {
            return Some(names);
        }
        rest = after.strip_prefix('.')?;
    }
}

fn compile(text: &str) -> Result<Expression<'static>, String> {
    jmespath::compile(text).map_err(|error| {
        let why = error.reason.to_string();
        let why = why.trim().trim_start_matches("Parse error: ").trim_end_matches('.');
        format!(
            "expected a JMESPath expression, found {text:?}: column {}: {why}; a claim with other characters in its \
             name is quoted, as in \"my.claim\".roles",
            error.column + 1,
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::people::random;

    fn claims() -> Map<String, Value> {
        let all = json!({
            "groups": ["a", "b"],
            "empty": null,
            "https://example.com/roles": ["namespaced"],
            "cognito:groups": ["pool"],
            "resource_access": { "airflow": { "roles": ["Admin", "Op"] }, "my-client": { "roles": ["dash"] },
                "my.client": { "roles": ["dot"] } },
            "teams": [{ "name": "x", "on": true }, { "name": "y", "on": false }]
        });
        all.as_object().unwrap().clone()
    }

    fn of(path: &str) -> Option<Value> {
        Path::parse(path).unwrap().of(&claims()).unwrap()
    }

    #[test]
    fn paths_find_what_operators_mean() {
        for (path, expected) in [
            ("groups", json!(["a", "b"])),
            (" resource_access.airflow.roles ", json!(["Admin", "Op"])),
            ("resource_access.my-client.roles", json!(["dash"])),
            ("resource_access.\"my.client\".roles", json!(["dot"])),
            ("https://example.com/roles", json!(["namespaced"])),
            ("\"https://example.com/roles\"", json!(["namespaced"])),
            ("cognito:groups", json!(["pool"])),
            ("groups[0]", json!("a")),
            ("teams[?on].name", json!(["x"])),
            ("missing || groups", json!(["a", "b"])),
            (
                "resource_access.*.roles[]",
                json!(["Admin", "Op", "dash", "dot"]),
            ),
            ("join('-', groups)", json!("a-b")),
        ] {
            assert_eq!(of(path), Some(expected), "{path}");
        }
        for path in [
            "empty",
            "missing",
            "missing.more",
            "groups.a",
            "resource_access.airflow.roles.x",
        ] {
            assert_eq!(of(path), None, "{path}");
        }
    }

    #[test]
    fn function_of_a_wrong_argument_is_an_error_and_no_value() {
        let path = Path::parse("join('-', resource_access)").unwrap();
        assert!(path.of(&claims()).unwrap_err().contains("does not fit"));
    }

    #[test]
    fn broken_expression_is_told_with_its_column() {
        for (text, column) in [
            ("groups[", "column"),
            ("a.b[?c=='d']]", "column 13"),
            ("", "found none"),
        ] {
            let why = Path::parse(text).err().unwrap();
            assert!(why.contains(column), "{text}: {why}");
        }
        assert!(Path::parse(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn plain_paths_are_what_jmespath_makes_of_them() {
        let claims = claims();
        for text in random::texts(20_000) {
            let Ok(path) = Path::parse(&text) else {
                continue;
            };
            let found = path.of(&claims);
            let (Steps::Names(_), Ok(same)) = (&path.steps, jmespath::compile(text.trim())) else {
                continue;
            };
            let same = serde_json::to_value(&*same.search(&claims).unwrap()).unwrap();
            assert_eq!(found.unwrap().unwrap_or_default(), same, "{text}");
        }
    }

    #[test]
    fn path_knows_which_claim_it_reads() {
        let reads = |text: &str, claim| Path::parse(text).unwrap().reads(claim);
        assert!(reads("groups", "groups") && reads("groups || roles", "groups"));
        assert!(!reads("roles", "groups") && !reads("a.groups", "groups"));
    }
}
