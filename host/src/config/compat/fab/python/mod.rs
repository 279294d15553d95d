//! A module's assignments of literals; for every other statement a remark.

mod block;
mod expression;
mod imports;
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
    /// Settings that were changed by what is not run: no other may be made of them.
    unsure: BTreeSet<String>,
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
                module.assign(name, At { line, value });
            }
            _ => changed(target, line, module, remarks),
        }
    }
}

/// A name's value is no longer what was assigned; or several names' values.
fn changed(target: &[Token], line: usize, module: &mut Module, remarks: &mut Vec<Remark>) {
    let names = match target {
        [open, inner @ .., _] if is_sign(open, '(') || is_sign(open, '[') => inner,
        target => target,
    };
    for target in split(names, ',') {
        let name = target.iter().find_map(|token| match &token.kind {
            Kind::Name(name) => Some(name.as_str()),
            _ => None,
        });
        if target.is_empty() {
            continue;
        }
        let name = name.unwrap_or("(assignment)");
        let what = "a part of it is assigned by itself, or several names at once";
        let help = "put this change into the converted file by hand";
        remarks.push(Remark::new(line, name, what).help(help));
        module.forget(name);
    }
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
    if imports::is_import(tokens) {
        return imports::read(tokens, module, remarks);
    }
    let path = kind::path(tokens);
    if path.text == "pass" {
        return;
    }
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
    /// Was it changed by what is not run?
    pub(super) fn is_unsure(&self, name: &str) -> bool {
        self.unsure.contains(name)
    }

    fn assign(&mut self, name: &str, at: At) {
        self.unsure.remove(name);
        self.assigned.insert(name.to_owned(), at);
    }

    /// Names that stand for this one's value no longer do; what is a setting stays as it was.
    fn forget(&mut self, name: &str) {
        if is_key(name) {
            self.unsure.insert(name.to_owned());
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
        if matches!(value, Value::Other(_)) || self.unsure.contains(name) {
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
