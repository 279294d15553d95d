//! Imports: what another module's names stand for, only that module tells.

use super::{Module, is_key, is_sign, split};
use crate::config::compat::fab::Remark;
use crate::config::compat::fab::tokens::{Kind, Token};
use crate::config::compat::fab::value::{At, AuthType, Other, Value};

/// Is it `import …` or `from … import …`?
pub(super) fn is_import(statement: &[Token]) -> bool {
    matches!(word(statement, 0), "import" | "from")
}

/// Settings of another module are settings of this one whose values are not known.
pub(super) fn read(statement: &[Token], module: &mut Module, remarks: &mut Vec<Remark>) {
    tell_all(statement, remarks);
    for (line, name, origin) in names(statement) {
        let auth = AuthType::named(origin);
        if auth.is_some() && name == origin {
            continue;
        }
        if !is_key(name) {
            module.forget(name);
            continue;
        }
        let unknown = || {
            Value::Other(Other {
                what: "a name of another module".to_owned(),
                help: "write what it is there".to_owned(),
            })
        };
        let value = auth.map_or_else(unknown, Value::AuthType);
        module.assign(name, At { line, value });
    }
}

/// The same where it may not be run.
pub(super) fn read_perhaps(statement: &[Token], module: &mut Module, remarks: &mut Vec<Remark>) {
    tell_all(statement, remarks);
    for (line, name, origin) in names(statement) {
        if AuthType::named(name).is_some() && name == origin {
            continue;
        }
        if is_key(name) {
            let what = "imported from another module under a condition";
            let help = "decide which value holds, and write it into the converted file";
            remarks.push(Remark::new(line, name, what).help(help));
        }
        module.forget(name);
    }
}

/// `from a import *`
fn tell_all(statement: &[Token], remarks: &mut Vec<Remark>) {
    let all = statement.last().is_some_and(|token| is_sign(token, '*'));
    if all && word(statement, 1) != "flask_appbuilder" {
        let line = statement.first().map_or(1, |token| token.line);
        let what = "whatever another module defines (import *)";
        let help = "import that module's file as well, or write its settings here";
        remarks.push(Remark::new(line, "import *", what).help(help));
    }
}

/// Each name with its line, and what it is called where it comes from.
fn names(statement: &[Token]) -> Vec<(usize, &str, &str)> {
    let import = |token: &Token| matches!(&token.kind, Kind::Name(name) if name == "import");
    let Some(at) = statement.iter().position(import) else {
        return Vec::new();
    };
    let listed = &statement[at + 1..];
    let listed = match listed {
        [open, inner @ .., close] if is_sign(open, '(') && is_sign(close, ')') => inner,
        listed => listed,
    };
    let each = split(listed, ',').filter_map(|piece| {
        let origin = word(piece, 0);
        let alone = piece.len() < 3 || word(piece, piece.len() - 2) != "as";
        let name = if alone {
            origin
        } else {
            word(piece, piece.len() - 1)
        };
        (!name.is_empty()).then(|| (piece[0].line, name, origin))
    });
    each.collect()
}

fn word(tokens: &[Token], at: usize) -> &str {
    match tokens.get(at).map(|token| &token.kind) {
        Some(Kind::Name(name)) => name,
        _ => "",
    }
}
