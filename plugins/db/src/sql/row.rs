//! A row of any database. Columns are read as text, whole number or bytes;
//! statements are written so that nothing else is selected.

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

/// A row.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
    MySql(MySqlRow),
}

impl Row {
    /// Is there such a column?
    pub(crate) fn has(&self, column: &str) -> bool {
        match self {
            Row::Sqlite(row) => row.try_column(column).is_ok(),
            Row::Postgres(row) => row.try_column(column).is_ok(),
            Row::MySql(row) => row.try_column(column).is_ok(),
        }
    }

    /// Text, if there is any.
    pub(crate) fn text(&self, column: &str) -> sqlx::Result<Option<String>> {
        match self {
            Row::Sqlite(row) => row.try_get(column),
            Row::Postgres(row) => row.try_get(column),
            Row::MySql(row) => row.try_get(column),
        }
    }

    /// A whole number, if there is any. PostgreSQL tells three widths apart.
    pub(crate) fn number(&self, column: &str) -> sqlx::Result<Option<i64>> {
        match self {
            Row::Sqlite(row) => row.try_get(column),
            Row::MySql(row) => row.try_get(column),
            Row::Postgres(row) => row
                .try_get::<Option<i32>, _>(column)
                .map(|number| number.map(i64::from))
                .or_else(|_| row.try_get(column)),
        }
    }

    /// A whole number that must be there.
    pub(crate) fn id(&self, column: &str) -> sqlx::Result<i64> {
        self.number(column)?
            .ok_or_else(|| sqlx::Error::ColumnDecode {
                index: column.to_owned(),
                source: "it is NULL".into(),
            })
    }

    /// Text that need not be text: bytes that are not UTF-8 are none, and no reason to fail.
    pub(crate) fn bytes(&self, column: &str) -> sqlx::Result<Option<String>> {
        let bytes: Option<Vec<u8>> = match self {
            Row::Sqlite(row) => row.try_get(column)?,
            Row::MySql(row) => row.try_get(column)?,
            Row::Postgres(row) => return row.try_get(column),
        };
        Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}
