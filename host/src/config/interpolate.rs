//! `${VAR}`, `${VAR:-default}`, nested defaults and `$${` = a literal `${`, in
//! one scalar after YAML was parsed: a value can neither break nor inject
//! YAML, and is never looked at for variables itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::textfile;

/// How deep defaults may nest.
const MAX_DEPTH: usize = 16;

/// The variables that `${…}` may read.
#[derive(Clone, Copy)]
pub(super) struct Variables<'a> {
    environment: &'a BTreeMap<String, String>,
    cwd: &'a Path,
}

/// A scalar after substitution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Substituted {
    /// The text.
    pub text: String,
    /// The names that were looked up, set or not; empty = nothing was substituted.
    pub variables: Vec<String>,
    /// The scalar was one `${…}` from end to end: the key's schema types it.
    pub whole: bool,
}

/// Why a scalar cannot be substituted; the texts never hold a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl<'a> Variables<'a> {
    /// The environment; relative paths of `…_FILE` variables start at `cwd`.
    pub(super) fn new(environment: &'a BTreeMap<String, String>, cwd: &'a Path) -> Self {
        Variables { environment, cwd }
    }

    /// The value of a variable, or of the file that `NAME_FILE` names.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, Problem> {
        let by_file = format!("{name}_FILE");
        match (self.environment.get(name), self.environment.get(&by_file)) {
            (Some(_), Some(_)) => Err(both(name, &by_file)),
            (Some(value), None) => Ok(Some(value.clone())),
            (None, Some(path)) => self.read(&by_file, path).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Reads the file that a `…_FILE` variable names.
    pub(super) fn read(&self, variable: &str, path: &str) -> Result<String, Problem> {
        let path: PathBuf = self.cwd.join(path);
        textfile::read(&path).map_err(|cause| Problem {
            message: format!("the file that {variable} names cannot be used: {cause}"),
            help: format!("{variable} must name a readable text file with the value"),
        })
    }
}

/// The error of two ways to give one value.
pub(super) fn both(name: &str, by_file: &str) -> Problem {
    Problem {
        message: format!("{name} and {by_file} are both set"),
        help: "unset one of the two".into(),
    }
}

/// Substitutes one scalar. `plain`: it was not quoted, so blanks around a
/// default are layout and not text.
pub(super) fn interpolate(
    text: &str,
    plain: bool,
    variables: &Variables<'_>,
) -> Result<Substituted, Problem> {
    let mut names = Vec::new();
    let result = Scan {
        variables,
        plain,
        names: &mut names,
    }
    .text(text, 0)?;
    let whole = text.starts_with("${") && closing(&text[2..]) == Some(text.len() - 3);
    Ok(Substituted {
        text: result,
        variables: names,
        whole,
    })
}

struct Scan<'a> {
    variables: &'a Variables<'a>,
    plain: bool,
    names: &'a mut Vec<String>,
}

impl Scan<'_> {
    fn text(&mut self, text: &str, depth: usize) -> Result<String, Problem> {
        if depth > MAX_DEPTH {
            return Err(problem(
                "defaults nest too deeply",
                "16 levels are the limit",
            ));
        }
        let mut result = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            result.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            if let Some(after) = rest.strip_prefix("$${") {
                result.push_str("${");
                rest = after;
            } else if let Some(after) = rest.strip_prefix("${") {
                let end = closing(after).ok_or_else(|| {
                    problem(
                        "a ${ is not closed by }",
                        "quote this value: an unquoted ` #` starts a comment; $${ is a literal ${",
                    )
                })?;
                result.push_str(&self.expression(&after[..end], depth)?);
                rest = &after[end + 1..];
            } else {
                result.push('$');
                rest = &rest[1..];
            }
        }
        result.push_str(rest);
        Ok(result)
    }

    /// What stands between `${` and `}`.
    fn expression(&mut self, inner: &str, depth: usize) -> Result<String, Problem> {
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        if !is_name(name) {
            return Err(problem(
                "${…} holds something other than a variable's name",
                "write ${NAME} or ${NAME:-default}; $${ is a literal ${",
            ));
        }
        self.names.push(name.to_owned());
        match (self.variables.get(name)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) if self.plain => self.text(default.trim(), depth + 1),
            (None, Some(default)) => self.text(default, depth + 1),
            (None, None) => Err(Problem {
                message: format!("the variable {name} is not set"),
                help: format!("set {name} or {name}_FILE, or give a default: ${{{name}:-…}}"),
            }),
        }
    }
}

/// Where the `}` of an opened `${` stands; braces inside a default are balanced.
fn closing(after: &str) -> Option<usize> {
    let mut open = 0;
    for (i, c) in after.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 0 => return Some(i),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn is_name(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    first && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn problem(message: &str, help: &str) -> Problem {
    Problem {
        message: message.into(),
        help: help.into(),
    }
}

#[cfg(test)]
#[path = "interpolate_tests.rs"]
mod tests;
