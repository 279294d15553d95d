//! SQL for three kinds of database: one statement with named parameters, a few
//! words that differ, rows that are read in one way.

mod connect;
pub(crate) mod parameters;
mod pool;
mod row;
mod text;

pub(crate) use connect::{mysql, postgres};
pub(crate) use pool::{Pool, Transaction, with};
pub(crate) use row::Row;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    MySql,
}

impl Dialect {
    /// Are these one name? Folds at least A-Z; some databases fold more, so that
    /// [`is_same_name`] has the last word.
    pub(crate) fn same_name(self, column: &str, name: &str) -> String {
        match self {
            // `lower(…) = lower(…)` with an index to use: both fold A-Z alone.
            Dialect::Sqlite => format!("{column} = {name} COLLATE NOCASE"),
            Dialect::Postgres | Dialect::MySql => format!("lower({column}) = lower({name})"),
        }
    }

    /// A value as text.
    pub(crate) fn text(self, value: &str) -> String {
        match self {
            Dialect::Sqlite | Dialect::Postgres => format!("CAST({value} AS TEXT)"),
            Dialect::MySql => format!("CAST({value} AS CHAR)"),
        }
    }

    /// A column of text that SQLite may hold anything in; for [`Row::bytes`].
    pub(crate) fn bytes(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!("CAST({column} AS BLOB)"),
            Dialect::Postgres | Dialect::MySql => column.to_owned(),
        }
    }

    /// A time from the text that [`stamp`](crate::counters::stamp) makes.
    pub(crate) fn time(self, text: &str) -> String {
        match self {
            Dialect::Postgres => format!("CAST({text} AS timestamp)"),
            Dialect::Sqlite | Dialect::MySql => text.to_owned(),
        }
    }

    /// A name that is meant literally.
    pub(crate) fn quoted(self, name: &str) -> String {
        match self {
            Dialect::Sqlite | Dialect::Postgres => format!("\"{}\"", name.replace('"', "\"\"")),
            Dialect::MySql => format!("`{}`", name.replace('`', "``")),
        }
    }
}

/// The one rule of identity, on every database: names are equal if they differ at most
/// in the case of A-Z. Accents, blanks and other forms of a letter make another name.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The value of a parameter.
#[derive(Clone)]
pub(crate) enum Argument {
    Number(Option<i64>),
    Text(Option<String>),
}

impl From<i64> for Argument {
    fn from(number: i64) -> Self {
        Argument::Number(Some(number))
    }
}

impl From<Option<i64>> for Argument {
    fn from(number: Option<i64>) -> Self {
        Argument::Number(number)
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Argument::Text(Some(text.to_owned()))
    }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Argument::Text(Some(text))
    }
}

impl From<Option<&str>> for Argument {
    fn from(text: Option<&str>) -> Self {
        Argument::Text(text.map(str::to_owned))
    }
}
