//! Named parameters: `:name` becomes `$1` (PostgreSQL, SQLite) or `?` (MySQL).
//!
//! What only looks like one stays as it is ([`text`](super::text)). Parameters in a database's own syntax are
//! refused: they would stay unbound, and SQLite takes an unbound one for NULL.

use std::fmt;

use super::Dialect;
use super::text::{is_name, passage, word};

/// What is wrong with a statement, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    what: String,
    line: usize,
    column: usize,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {} column {}: {}",
            self.line, self.column, self.what
        )
    }
}

/// The statement in the database's own syntax, and the names to bind, in order.
pub(crate) fn rewrite(text: &str, dialect: Dialect) -> Result<(String, Vec<String>), Problem> {
    let mut order: Vec<String> = Vec::new();
    let rewritten = replace(text, dialect, |name, _| {
        if dialect == Dialect::MySql {
            order.push(name.to_owned());
            return Ok("?".to_owned());
        }
        let known = order.iter().position(|known| known == name);
        let index = known.unwrap_or_else(|| {
            order.push(name.to_owned());
            order.len() - 1
        });
        Ok(format!("${}", index + 1))
    })?;
    Ok((rewritten, order))
}

/// The statement with each `:name` replaced. The replacement may refuse a name.
pub(crate) fn replace(
    text: &str,
    dialect: Dialect,
    mut replacement: impl FnMut(&str, Dialect) -> Result<String, String>,
) -> Result<String, Problem> {
    let mut result = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let problem = |what: String| problem(text, rest, what);
        let length = match passage(rest, dialect) {
            Some(Ok(length)) => length,
            Some(Err(what)) => return Err(problem(what)),
            None => match parameter(rest) {
                Some(name) => {
                    result.push_str(&replacement(name, dialect).map_err(problem)?);
                    rest = &rest[1 + name.len()..];
                    continue;
                }
                None if is_native(rest, dialect) => {
                    return Err(problem(
                        "parameters are written :name; this is the syntax of one database"
                            .to_owned(),
                    ));
                }
                None => word(rest).unwrap_or(first.len_utf8()),
            },
        };
        result.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    Ok(result)
}

/// The statement without what follows it: blanks, comments and one semicolon.
/// A second statement is refused.
pub(crate) fn single(text: &str, dialect: Dialect) -> Result<&str, Problem> {
    let mut end = None;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match passage(rest, dialect) {
            Some(length) => length.map_err(|what| problem(text, rest, what))?,
            None => word(rest).unwrap_or(first.len_utf8()),
        };
        let is_comment = rest.starts_with("--") || rest.starts_with("/*") || first == '#';
        match end {
            None if first == ';' => end = Some(text.len() - rest.len()),
            Some(_) if !first.is_whitespace() && !is_comment => {
                return Err(problem(
                    text,
                    rest,
                    "one statement is expected; this begins another".to_owned(),
                ));
            }
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(&text[..end.unwrap_or(text.len())])
}

/// The name after a colon.
fn parameter(rest: &str) -> Option<&str> {
    let name = rest.strip_prefix(':')?;
    let end = name.find(|c| !is_name(c)).unwrap_or(name.len());
    let name = &name[..end];
    (!name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())).then_some(name)
}

/// `?`, `$1`, `@name`: as far as the database would take it for a parameter.
fn is_native(rest: &str, dialect: Dialect) -> bool {
    let mut chars = rest.chars();
    let (first, second) = (chars.next(), chars.next());
    match (first, dialect) {
        (Some('?'), Dialect::MySql | Dialect::Sqlite) => true,
        (Some('$'), Dialect::Postgres) => second.is_some_and(|next| next.is_ascii_digit()),
        (Some('$' | '@'), Dialect::Sqlite) => second.is_some_and(is_name),
        _ => false,
    }
}

fn problem(text: &str, rest: &str, what: String) -> Problem {
    let before = &text[..text.len() - rest.len()];
    let line = before.rsplit('\n').next().unwrap_or_default();
    Problem {
        what,
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Dialect::{MySql, Postgres, Sqlite};
    use super::*;

    #[test]
    fn rewrite_of_parameters_is_each_databases_own_syntax() {
        let text = "SELECT :id, :name WHERE a=:id";
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        for dialect in [Sqlite, Postgres] {
            let expected = "SELECT $1, $2 WHERE a=$1".to_owned();
            assert_eq!(
                rewrite(text, dialect),
                Ok((expected, names(&["id", "name"])))
            );
        }
        let expected = "SELECT ?, ? WHERE a=?".to_owned();
        assert_eq!(
            rewrite(text, MySql),
            Ok((expected, names(&["id", "name", "id"])))
        );
    }

    #[test]
    fn rewrite_of_what_only_looks_like_a_parameter_leaves_it() {
        for dialect in [Sqlite, Postgres, MySql] {
            for text in [
                "':a'",
                "'it''s :a'",
                "\":a\"",
                "-- :a\n1",
                "-- ? :a",
                "/* :a */ 1",
                "x::text",
                "x:=1",
                "a[1:2]",
                "':a' || ':b'",
                "é'ü:a'",
                "12:30",
            ] {
                assert_eq!(
                    rewrite(text, dialect).unwrap(),
                    (text.to_owned(), vec![]),
                    "{text}"
                );
            }
        }
        for (text, dialect) in [
            (r"E'it\':a'", Postgres),
            ("$$ :a $$", Postgres),
            ("$t$ :a $$ :b $t$", Postgres),
            ("/* /* :a */ :b */", Postgres),
            ("a ? 'b'", Postgres),
            ("note$1", Postgres),
            (r"'it\':a'", MySql),
            (r#""it\":a""#, MySql),
            ("`:a`", MySql),
            ("# :a", MySql),
            ("`:a`", Sqlite),
            ("[:a]", Sqlite),
        ] {
            assert_eq!(
                rewrite(text, dialect).unwrap(),
                (text.to_owned(), vec![]),
                "{text}"
            );
        }
        let (text, _) = rewrite(r"'\' :a", Postgres).unwrap();
        assert_eq!(text, r"'\' $1", "a backslash is itself in a plain literal");
        let (text, _) = rewrite("a = :a::int", Postgres).unwrap();
        assert_eq!(text, "a = $1::int");
    }

    #[test]
    fn rewrite_of_a_native_parameter_or_an_open_quote_names_the_place() {
        for (text, dialect, place) in [
            ("SELECT ?", Sqlite, "line 1 column 8"),
            ("SELECT\n  ?", MySql, "line 2 column 3"),
            ("SELECT $1", Postgres, "line 1 column 8"),
            ("SELECT $a", Sqlite, "line 1 column 8"),
            ("SELECT @a", Sqlite, "line 1 column 8"),
            ("é 'open", Sqlite, "line 1 column 3"),
            ("/* open", Postgres, "line 1 column 1"),
            ("$x$ open", Postgres, "line 1 column 1"),
            (r"'open\'", MySql, "line 1 column 1"),
        ] {
            let problem = rewrite(text, dialect).unwrap_err().to_string();
            assert!(
                problem.starts_with(&format!("{place}: ")),
                "{text}: {problem}"
            );
        }
    }

    #[test]
    fn single_of_one_statement_is_it_without_its_end() {
        for (text, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("SELECT ';' ; -- the end; really\n", "SELECT ';' "),
            ("SELECT 1; /* ; */ ", "SELECT 1"),
        ] {
            assert_eq!(single(text, Postgres), Ok(expected));
        }
        let problem = single("SELECT 1;\nDELETE FROM x", Postgres).unwrap_err();
        assert!(
            problem.to_string().starts_with("line 2 column 1: "),
            "{problem}"
        );
        assert!(single("SELECT 1;;", Postgres).is_err());
    }

    #[test]
    fn rewrite_of_any_text_answers_without_a_panic_and_binds_every_name() {
        let pieces = [
            "'", "\"", "`", "[", "]", ":", "::", ":a", ":é", "$", "$$", "$1", "$t$", "/*", "*/",
            "--", "\n", "\\", "#", "?", "@", "e'", "E", "x", "é", " ", ";", "1", "",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap()
        };
        for _ in 0..20_000 {
            let text: String = (0..next() % 14)
                .map(|_| pieces[next() % pieces.len()])
                .collect();
            for dialect in [Sqlite, Postgres, MySql] {
                let _ = single(&text, dialect);
                if let Ok((rewritten, order)) = rewrite(&text, dialect) {
                    assert!(
                        order.iter().all(|name| text.contains(&format!(":{name}"))),
                        "{text}"
                    );
                    assert_eq!(order.is_empty(), rewritten == text, "{text}");
                }
            }
        }
    }
}
