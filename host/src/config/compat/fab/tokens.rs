//! Python's logical lines and the tokens in them (The Python Language Reference, section 2),
//! as far as assignments of literals need them. Any text has lines; nothing here fails.

use super::strings;

/// A logical line: brackets, triple quotes and backslashes continue it.
#[derive(Debug)]
pub(super) struct Line {
    /// Blanks before it; 0 = at the module's level.
    pub(super) indent: usize,
    pub(super) tokens: Vec<Token>,
    /// A bracket is still open at the end of the file.
    pub(super) open: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Name(String),
    Int(i64),
    /// A number that is no whole one.
    Number,
    Text(String),
    /// An f-string.
    Format,
    /// A single sign.
    Sign(char),
    /// `==`, `->`, `**` and so on.
    Operator,
    /// `+=` and its like.
    Augmented,
    /// A text or sign that cannot be read, and why.
    Broken(&'static str),
}

/// The logical lines of a text.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let chars = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader {
        chars: chars.chars().collect(),
        at: 0,
        line: 1,
    };
    let mut lines = Vec::new();
    while reader.peek().is_some() {
        let line = reader.logical();
        if !line.tokens.is_empty() {
            lines.push(line);
        }
    }
    lines
}

/// A text and how far it was read.
pub(super) struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
}

impl Reader {
    pub(super) fn peek(&self) -> Option<char> {
        self.ahead(0)
    }

    pub(super) fn ahead(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += 1;
        self.line += usize::from(next == '\n');
        Some(next)
    }

    /// Takes these characters if they come now.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let comes = expected
            .chars()
            .enumerate()
            .all(|(by, c)| self.ahead(by) == Some(c));
        if comes {
            for _ in expected.chars() {
                self.next();
            }
        }
        comes
    }

    fn logical(&mut self) -> Line {
        let mut indent = 0;
        while let Some(blank @ (' ' | '\t' | '\x0c')) = self.peek() {
            // A form feed begins the line anew.
            indent = if blank == '\x0c' { 0 } else { indent + 1 };
            self.next();
        }
        let mut tokens = Vec::new();
        let mut depth = 0usize;
        while let Some(c) = self.peek() {
            let line = self.line;
            let kind = match c {
                '\n' => {
                    self.next();
                    if depth == 0 {
                        break;
                    }
                    continue;
                }
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.next();
                    }
                    continue;
                }
                c if c.is_whitespace() => {
                    self.next();
                    continue;
                }
                '\\' if self.ahead(1) == Some('\n') => {
                    self.take("\\\n");
                    continue;
                }
                '"' | '\'' => strings::read(self, ""),
                c if c.is_ascii_digit() => self.number(),
                '.' if self.ahead(1).is_some_and(|c| c.is_ascii_digit()) => self.number(),
                c if c.is_alphabetic() || c == '_' => self.word(),
                _ => self.sign(),
            };
            match kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            tokens.push(Token { line, kind });
        }
        Line {
            indent,
            tokens,
            open: depth > 0,
        }
    }

    /// A name, or a text with a prefix.
    fn word(&mut self) -> Kind {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_') {
            name.push(c);
            self.next();
        }
        let quoted = matches!(self.peek(), Some('"' | '\''));
        if quoted && strings::is_prefix(&name) {
            return strings::read(self, &name.to_ascii_lowercase());
        }
        Kind::Name(name)
    }

    fn number(&mut self) -> Kind {
        let mut digits = String::new();
        while let Some(c) = self.peek() {
            let exponent = matches!(c, '+' | '-') && digits.ends_with(['e', 'E']);
            let hexadecimal = digits.starts_with("0x") || digits.starts_with("0X");
            if !(c.is_ascii_alphanumeric() || c == '_' || c == '.' || (exponent && !hexadecimal)) {
                break;
            }
            digits.push(c);
            self.next();
        }
        let digits = digits.replace('_', "").to_ascii_lowercase();
        let (radix, digits) = match digits.get(..2) {
            Some("0x") => (16, &digits[2..]),
            Some("0o") => (8, &digits[2..]),
            Some("0b") => (2, &digits[2..]),
            _ => (10, digits.as_str()),
        };
        i64::from_str_radix(digits, radix).map_or(Kind::Number, Kind::Int)
    }

    fn sign(&mut self) -> Kind {
        for augmented in ["**=", "//=", ">>=", "<<="] {
            if self.take(augmented) {
                return Kind::Augmented;
            }
        }
        for operator in ["==", "!=", "<=", ">=", "->", ":=", "**", "//", "<<", ">>"] {
            if self.take(operator) {
                return Kind::Operator;
            }
        }
        let sign = self.next().unwrap_or_default();
        if "+-*/%&|^@".contains(sign) && self.take("=") {
            return Kind::Augmented;
        }
        match sign {
            '\\' | '?' | '$' | '!' | '`' => Kind::Broken("a sign that is not Python's"),
            sign => Kind::Sign(sign),
        }
    }
}
