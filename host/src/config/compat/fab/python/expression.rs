//! Expressions: literals, names of literals, and look-ups of the environment have a value; all
//! else is told by its kind.

use super::kind::{Path, describe, is_variable, path};
use super::{Module, is_sign};
use crate::config::compat::fab::tokens::{Kind, Token};
use crate::config::compat::fab::value::{At, AuthType, Default, Env, Value};

/// Deeper nested than any settings are.
const DEPTH: usize = 32;

/// Reads the expressions of one statement.
pub(super) struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    module: &'a mut Module,
}

impl<'a> Parser<'a> {
    pub(super) fn new(tokens: &'a [Token], module: &'a mut Module) -> Self {
        Parser {
            tokens,
            at: 0,
            depth: 0,
            module,
        }
    }

    /// All of it; several values with commas are a tuple.
    pub(super) fn whole(&mut self) -> Value {
        let first = self.value();
        if !self.comes(',') {
            return match self.at == self.tokens.len() {
                true => first.value,
                false => Value::Other(describe(self.tokens)),
            };
        }
        let mut items = vec![first];
        while self.takes(',') && self.at < self.tokens.len() {
            items.push(self.value());
        }
        match self.at == self.tokens.len() {
            true => Value::List(items),
            false => Value::Other(describe(self.tokens)),
        }
    }

    /// One value, up to a comma, a colon or a closing bracket.
    fn value(&mut self) -> At {
        let start = self.at;
        let line = self.tokens.get(start).map_or(0, |token| token.line);
        if self.depth < DEPTH {
            self.depth += 1;
            let value = self.atom();
            self.depth -= 1;
            if let Some(value) = value
                && self.is_over()
            {
                return At { line, value };
            }
        }
        self.at = start;
        self.skip();
        let value = Value::Other(describe(&self.tokens[start..self.at]));
        At { line, value }
    }

    fn atom(&mut self) -> Option<Value> {
        let token = self.tokens.get(self.at)?;
        match &token.kind {
            Kind::Text(_) => Some(Value::Text(self.text()?)),
            Kind::Int(number) => {
                self.at += 1;
                Some(Value::Int(*number))
            }
            Kind::Sign('-') => {
                let Kind::Int(number) = self.tokens.get(self.at + 1)?.kind else {
                    return None;
                };
                self.at += 2;
                Some(Value::Int(number.checked_neg()?))
            }
            Kind::Sign('(') => self.tuple(),
            Kind::Sign('[') => self.items(']').map(Value::List),
            Kind::Sign('{') => self.dict(),
            Kind::Name(name) => self.name(name),
            _ => None,
        }
    }

    /// Texts beside each other are one.
    fn text(&mut self) -> Option<String> {
        let mut whole = String::new();
        while let Some(Token {
            kind: Kind::Text(text),
            ..
        }) = self.tokens.get(self.at)
        {
            whole.push_str(text);
            self.at += 1;
        }
        Some(whole)
    }

    fn name(&mut self, name: &str) -> Option<Value> {
        let path = path(&self.tokens[self.at..]);
        let after = self.tokens.get(self.at + path.length);
        if let Some(sign) =
            after.and_then(|token| ['(', '['].into_iter().find(|s| is_sign(token, *s)))
        {
            return self.environment(&path, sign).map(Value::Env);
        }
        self.at += path.length;
        match path.text.as_str() {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::None),
            _ if path.length > 1 => None,
            _ => match AuthType::named(name) {
                Some(auth) => Some(Value::AuthType(auth)),
                None => self.module.value_of(name),
            },
        }
    }

    /// `os.environ["X"]`, `os.environ.get("X", "d")`, `os.getenv("X", "d")`.
    fn environment(&mut self, path: &Path, sign: char) -> Option<Env> {
        let start = self.at;
        self.at += path.length;
        let read = match (path.text.as_str(), sign) {
            ("os.environ" | "environ", '[') => {
                self.items(']').and_then(|items| match items.as_slice() {
                    [
                        At {
                            value: Value::Text(name),
                            ..
                        },
                    ] => Some((name.clone(), Default::Required)),
                    _ => None,
                })
            }
            ("os.environ.get" | "environ.get" | "os.getenv" | "getenv", '(') => {
                self.items(')').and_then(|items| match items.as_slice() {
                    [
                        At {
                            value: Value::Text(name),
                            ..
                        },
                    ] => Some((name.clone(), Default::Nothing)),
                    [
                        At {
                            value: Value::Text(name),
                            ..
                        },
                        At { value, .. },
                    ] => match value {
                        Value::None => Some((name.clone(), Default::Nothing)),
                        Value::Text(text) => Some((name.clone(), Default::Text(text.clone()))),
                        Value::Int(number) => {
                            Some((name.clone(), Default::Text(number.to_string())))
                        }
                        _ => None,
                    },
                    _ => None,
                })
            }
            _ => None,
        };
        let read = read.filter(|(name, _)| is_variable(name));
        if read.is_none() {
            self.at = start;
        }
        read.map(|(name, default)| Env { name, default })
    }

    fn tuple(&mut self) -> Option<Value> {
        let commas = |parser: &Self, from: usize| {
            let last = parser
                .at
                .checked_sub(2)
                .and_then(|at| parser.tokens.get(at));
            let comma = last.is_some_and(|token| is_sign(token, ','));
            comma && parser.at > from + 2
        };
        let start = self.at;
        let mut items = self.items(')')?;
        match items.len() {
            // Brackets around one value are no tuple, unless there is a comma.
            1 if !commas(self, start) => items.pop().map(|at| at.value),
            _ => Some(Value::List(items)),
        }
    }

    /// Values with commas, brackets included.
    fn items(&mut self, end: char) -> Option<Vec<At>> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            if self.takes(end) {
                return Some(items);
            }
            items.push(self.value());
            if !self.takes(',') && !self.comes(end) {
                return None;
            }
        }
    }

    /// A dict, or a set.
    fn dict(&mut self) -> Option<Value> {
        self.at += 1;
        let (mut pairs, mut items) = (Vec::new(), Vec::new());
        loop {
            if self.takes('}') {
                return match items.is_empty() {
                    true => Some(Value::Dict(pairs)),
                    false if pairs.is_empty() => Some(Value::List(items)),
                    false => None,
                };
            }
            let key = self.value();
            if self.takes(':') {
                let value = self.value();
                pairs.push((key, value));
            } else {
                items.push(key);
            }
            if !self.takes(',') && !self.comes('}') {
                return None;
            }
        }
    }

    fn comes(&self, sign: char) -> bool {
        let next = self.tokens.get(self.at);
        next.is_some_and(|token| is_sign(token, sign))
    }

    fn takes(&mut self, sign: char) -> bool {
        let comes = self.comes(sign);
        self.at += usize::from(comes);
        comes
    }

    fn is_over(&self) -> bool {
        self.at == self.tokens.len()
            || [',', ':', ')', ']', '}']
                .iter()
                .any(|sign| self.comes(*sign))
    }

    /// To the end of an expression that is not understood.
    fn skip(&mut self) {
        let (mut depth, mut lambda) = (0usize, false);
        while let Some(token) = self.tokens.get(self.at) {
            match &token.kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') if depth > 0 => depth -= 1,
                Kind::Sign(')' | ']' | '}' | ',') if depth == 0 => return,
                Kind::Sign(':') if depth == 0 && !lambda => return,
                Kind::Name(name) if name == "lambda" => lambda = true,
                _ => {}
            }
            self.at += 1;
        }
    }
}
