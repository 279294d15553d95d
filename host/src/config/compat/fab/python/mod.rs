//! A module's assignments of literals; for every other statement a remark.

mod block;
mod expression;
mod kind;

use std::collections::{BTreeMap, BTreeSet};

use super::Remark;
use super::tokens::{self, Kind, Line, Token};
use super::value::{At, Other, Value};
use block::Block;
use expression::Parser;

/// Values that names stand for are copied where the names are used, up to so many in all.
const BUDGET: usize = 100_000;

/// What a module assigns at its own level, the last assignment of each name.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) assigned: BTreeMap<String, At>,
    /// Names whose values others were made of.
    pub(super) used: BTreeSet<String>,
    budget: usize,
}

/// Reads a module's text.
pub(super) fn read(text: &str, remarks: &mut Vec<Remark>) -> Module {
    let mut module = Module {
        budget: BUDGET,
        ..Module::default()
    };
    let mut block = Block::None;
    for line in tokens::lines(text) {
        if line.open {
            let first = line.tokens.first().map_or(1, |token| token.line);
            let what = "a bracket that is never closed: nothing from here on was read";
            remarks.push(Remark::new(first, "(syntax)", what).help("close it, and import again"));
        }
        if line.indent > 0 {
            block.line(&line, &mut module, remarks);
            continue;
        }
        block = Block::opened_by(&line, &block, &mut module, remarks);
        if block == Block::None {
            statements(&line, &mut module, remarks);
        }
    }
    module
}

/// Is this what a setting is called?
fn is_key(name: &str) -> bool {
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(letters) && name.starts_with(|c: char| c.is_ascii_uppercase())
}

/// The simple statements of one line.
fn statements(line: &Line, module: &mut Module, remarks: &mut Vec<Remark>) {
    for statement in split(&line.tokens, ';') {
        if let Some(first) = statement.first() {
            simple(statement, first.line, module, remarks);
        }
    }
}

fn simple(statement: &[Token], line: usize, module: &mut Module, remarks: &mut Vec<Remark>) {
    let parts: Vec<&[Token]> = split(statement, '=').collect();
    let (targets, value) = match parts.as_slice() {
        [] => return,
        [alone] => return expression_statement(alone, line, module, remarks),
        [targets @ .., value] => (targets, *value),
    };
    let mut parser = Parser::new(value, module);
    let value = parser.whole();
    for target in targets {
        match *target {
            [
                Token {
                    kind: Kind::Name(name),
                    ..
                },
                rest @ ..,
            ] if rest.is_empty() || is_sign(&rest[0], ':') => {
                let value = value.clone();
                module.assigned.insert(name.clone(), At { line, value });
            }
            _ => changed(target, line, module, remarks),
        }
    }
}

/// A name's value is no longer what was assigned.
fn changed(target: &[Token], line: usize, module: &mut Module, remarks: &mut Vec<Remark>) {
    let name = match target.first().map(|token| &token.kind) {
        Some(Kind::Name(name)) => name.clone(),
        _ => "(assignment)".to_owned(),
    };
    let remark = Remark::new(
        line,
        &name,
        "a part of it is assigned by itself, or several names at once",
    );
    remarks.push(remark.help("put this change into the converted file by hand"));
    module.forget(&name);
}

fn expression_statement(
    tokens: &[Token],
    line: usize,
    module: &mut Module,
    remarks: &mut Vec<Remark>,
) {
    let texts = |token: &Token| matches!(token.kind, Kind::Text(_));
    if tokens.iter().all(texts) {
        // The module's own documentation.
        return;
    }
    if tokens.iter().any(|token| token.kind == Kind::Augmented) {
        return changed(tokens, line, module, remarks);
    }
    let word = match tokens.first().map(|token| &token.kind) {
        Some(Kind::Name(word)) => word.as_str(),
        _ => "",
    };
    match word {
        "import" => return,
        "from" => {
            let star = tokens.last().is_some_and(|token| is_sign(token, '*'));
            let known = matches!(tokens.get(1).map(|token| &token.kind), Some(Kind::Name(name)) if name == "flask_appbuilder");
            if star && !known {
                let what = "whatever another module defines (import *)";
                let help = "import that module's file as well, or write its settings here";
                remarks.push(Remark::new(line, "import *", what).help(help));
            }
            return;
        }
        "pass" => return,
        _ => {}
    }
    let path = kind::path(tokens);
    let is_call = tokens
        .get(path.length)
        .is_some_and(|token| is_sign(token, '('));
    if !is_call {
        let what = "a statement that only Python can run";
        remarks.push(Remark::new(line, "(statement)", what));
        return;
    }
    let help = match path.text.as_str() {
        "ldap.set_option" => {
            "options of libldap have no part here: TLS is set in backends.ldap.config.tls, times in timeouts"
        }
        text if text.starts_with("logging") || text.ends_with(".info") || text == "print" => {
            "leave it out: logs are set by RUST_LOG"
        }
        _ => "see what it does to the settings above, and do it in the converted file",
    };
    remarks.push(Remark::new(line, &path.text, "a call at the module's level, not run").help(help));
    // AUTH_ROLES_MAPPING.update(…)
    if let Some((name, _)) = path.text.split_once('.') {
        module.forget(name);
    }
}

impl Module {
    /// Names that stand for this one's value no longer do; what is a setting stays as it was.
    fn forget(&mut self, name: &str) {
        if is_key(name) {
            return;
        }
        if let Some(at) = self.assigned.get_mut(name) {
            at.value = Value::Other(Other {
                what: format!("{name}, which changes"),
                help: String::new(),
            });
        }
    }

    /// What a name stands for.
    fn value_of(&mut self, name: &str) -> Option<Value> {
        let value = &self.assigned.get(name)?.value;
        if matches!(value, Value::Other(_)) {
            return None;
        }
        self.budget = self.budget.checked_sub(value.size())?;
        let value = value.clone();
        self.used.insert(name.to_owned());
        Some(value)
    }
}

fn is_sign(token: &Token, sign: char) -> bool {
    token.kind == Kind::Sign(sign)
}

/// Splits where the sign stands outside of brackets.
fn split(tokens: &[Token], sign: char) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0usize;
    tokens.split(move |token| {
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_sign(token, sign)
    })
}
