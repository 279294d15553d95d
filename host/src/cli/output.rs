//! The one place that writes what a command found.

use std::io::{self, Write, stdout};

use super::failure::{Failure, INTERNAL};

/// Writes to standard output. A reader that has gone (`| head`) has seen enough.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            INTERNAL,
            format!("standard output cannot be written: {error}"),
            "check where the output goes",
        )),
        _ => Ok(()),
    }
}

/// A text table: a line of headings, one line for each row, columns two blanks apart.
pub(super) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let header = header.map(str::to_owned);
    let all: Vec<[String; N]> = std::iter::once(header).chain(rows).collect();
    let width = |column: usize| {
        let cells = all.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    all.iter().map(line).collect()
}
