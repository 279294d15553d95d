//! What an expression is that has no value here: its kind, for people, never its text.

use super::is_sign;
use crate::config::compat::fab::tokens::{Kind, Token};
use crate::config::compat::fab::value::Other;

/// `a.b.c`
pub(super) struct Path {
    pub(super) text: String,
    /// In tokens.
    pub(super) length: usize,
}

/// The dotted name that tokens begin with; may be empty.
pub(super) fn path(tokens: &[Token]) -> Path {
    let mut text = String::new();
    let mut length = 0;
    while let Some(Kind::Name(name)) = tokens.get(length).map(|token| &token.kind) {
        text.push_str(name);
        length += 1;
        let dotted = tokens.get(length).is_some_and(|token| is_sign(token, '.'));
        let named = matches!(
            tokens.get(length + 1).map(|token| &token.kind),
            Some(Kind::Name(_))
        );
        if !(dotted && named) {
            break;
        }
        text.push('.');
        length += 1;
    }
    Path { text, length }
}

pub(super) fn is_variable(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(letters) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// Of what kind an expression is that has no value here.
pub(super) fn describe(tokens: &[Token]) -> Other {
    let told = |what: &str| Other {
        what: what.to_owned(),
        help: String::new(),
    };
    let broken = tokens.iter().find_map(|token| match token.kind {
        Kind::Broken(why) => Some(why),
        _ => None,
    });
    if let Some(why) = broken {
        return told(why);
    }
    let has = |word: &str| {
        tokens
            .iter()
            .any(|token| matches!(&token.kind, Kind::Name(name) if name == word))
    };
    let path = path(tokens);
    let next = tokens.get(path.length);
    match () {
        () if tokens.is_empty() => told("nothing"),
        () if tokens.iter().any(|token| token.kind == Kind::Format) => told("an f-string"),
        () if has("lambda") => told("a lambda"),
        () if has("for") => told("a comprehension"),
        () if has("if") => told("a conditional expression"),
        () if path.length > 0 && next.is_none() => told(&format!("the name {}", path.text)),
        () if next.is_some_and(|token| is_sign(token, '(')) && path.length > 0 => Other {
            what: format!("a call of {}", path.text),
            help: from_airflow(&path.text, &tokens[path.length..]).unwrap_or_default(),
        },
        () => told("an expression"),
    }
}

/// `conf.get("section", "key")` reads Airflow's configuration, whose variables we can read, too.
fn from_airflow(called: &str, arguments: &[Token]) -> Option<String> {
    let mut parts = called.rsplit('.');
    let (method, object) = (parts.next()?, parts.next()?);
    if object != "conf" || !method.starts_with("get") {
        return None;
    }
    let texts: Vec<&str> = arguments
        .iter()
        .filter_map(|token| match &token.kind {
            Kind::Text(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    let [section, key, ..] = texts.as_slice() else {
        return None;
    };
    let name = format!("AIRFLOW__{section}__{key}").to_uppercase();
    is_variable(&name).then(|| {
        format!(
            "write ${{{name}}}, which is Airflow's variable for it, and set that for this process"
        )
    })
}
