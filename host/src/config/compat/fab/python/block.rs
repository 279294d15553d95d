//! Statements with a block of their own. What is in it is not run: what a condition assigns is
//! told key by key, a class or a function as a whole.

use super::{Module, imports, is_key, is_sign, split};
use crate::config::compat::fab::Remark;
use crate::config::compat::fab::tokens::{Kind, Line, Token};

/// Words that brackets may follow without a call.
const HEADS: [&str; 12] = [
    "if", "elif", "while", "for", "with", "return", "assert", "raise", "not", "await", "except",
    "del",
];

/// What the lines that are indented belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    None,
    /// A class or a function: its names are not settings.
    Definition,
    /// `if`, `try` and so on: its names are settings, perhaps.
    Condition,
}

impl Block {
    /// What the line begins; it stands at the module's level.
    pub(super) fn opened_by(
        line: &Line,
        before: &Block,
        module: &mut Module,
        remarks: &mut Vec<Remark>,
    ) -> Block {
        let word = |at: usize| match line.tokens.get(at).map(|token| &token.kind) {
            Some(Kind::Name(name)) => name.as_str(),
            _ => "",
        };
        let number = line.tokens.first().map_or(1, |token| token.line);
        let first = match word(0) {
            "async" => word(1),
            first => first,
        };
        match first {
            "class" => {
                let what = "a class: its code is not run";
                let help = "what it decides belongs into roles, or into a plugin of your own";
                let key = format!("class {}", word(1));
                remarks.push(Remark::new(number, key, what).help(help));
                Block::Definition
            }
            "def" => {
                let name = if word(0) == "async" { word(2) } else { word(1) };
                let help = "what it decides belongs into roles, or into a plugin of your own";
                let key = format!("def {name}");
                remarks.push(Remark::new(number, key, "a function: it is not run").help(help));
                Block::Definition
            }
            // Those that go on with a statement whose head was told.
            "else" | "elif" | "except" | "finally" if *before == Block::Condition => {
                inside(line, module, remarks);
                Block::Condition
            }
            "if" | "try" | "for" | "while" | "with" | "else" | "elif" | "except" | "finally"
            | "match"
                if first != "match"
                    || line.tokens.last().is_some_and(|last| is_sign(last, ':')) =>
            {
                let remark = Remark::new(number, first, "a block that is run, or not, by Python");
                remarks.push(remark.help("the settings in it are told one by one").note());
                inside(line, module, remarks);
                Block::Condition
            }
            "" if line.tokens.first().is_some_and(|token| is_sign(token, '@')) => {
                // Before a class or a function, which will be told.
                Block::Definition
            }
            _ => Block::None,
        }
    }

    /// A line inside.
    pub(super) fn line(&self, line: &Line, module: &mut Module, remarks: &mut Vec<Remark>) {
        match self {
            Block::Definition => {}
            Block::Condition => inside(line, module, remarks),
            Block::None => {
                let number = line.tokens.first().map_or(1, |token| token.line);
                let what = "an indented line that belongs to nothing";
                remarks.push(Remark::new(number, "(syntax)", what));
            }
        }
    }
}

/// What is assigned, imported or called on a line that may not be run.
fn inside(line: &Line, module: &mut Module, remarks: &mut Vec<Remark>) {
    let (mut depth, mut begins) = (0usize, true);
    for (at, token) in line.tokens.iter().enumerate() {
        if begins && let Some(statement) = split(&line.tokens[at..], ';').next() {
            perhaps(statement, token.line, module, remarks);
        }
        match token.kind {
            Kind::Sign('(' | '[' | '{') => depth += 1,
            Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        begins = depth == 0 && (is_sign(token, ':') || is_sign(token, ';'));
    }
}

/// A statement that may not be run; behind a head such as `if x:` it comes again by itself.
fn perhaps(statement: &[Token], line: usize, module: &mut Module, remarks: &mut Vec<Remark>) {
    if imports::is_import(statement) {
        return imports::read_perhaps(statement, module, remarks);
    }
    let assigns = |token: &Token| token.kind == Kind::Augmented || is_sign(token, '=');
    if let Some(end) = statement.iter().position(assigns) {
        for target in split(&statement[..end], ',') {
            let Some(name) = target.iter().find_map(name) else {
                continue;
            };
            if is_key(name) {
                let what = "assigned under a condition";
                let help = "decide which value holds, and write it into the converted file";
                remarks.push(Remark::new(line, name, what).help(help));
            }
            module.forget(name);
        }
    }
    let path = super::kind::path(statement);
    let next = statement.get(path.length);
    let calls = next.is_some_and(|next| is_sign(next, '('));
    if calls && path.length > 0 && !HEADS.contains(&path.text.as_str()) {
        if let Some((name, _)) = path.text.split_once('.') {
            module.forget(name);
        }
        let remark = Remark::new(line, path.text, "a call under a condition, not run");
        remarks.push(remark.help("see what it does, and do it in the converted file"));
    }
}

fn name(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Name(name) => Some(name),
        _ => None,
    }
}
