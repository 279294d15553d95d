//! Flask-AppBuilder's `webserver_config.py`, read without running it, as a configuration of ours.
//!
//! The way: [`tokens`] (logical lines) → [`python`] (assignments of literals, and a remark for
//! all else) → [`convert`] (FAB's keys → ours) → [`document`] (YAML with the old names beside
//! the new). Whatever cannot be converted is a [`Remark`]; nothing is dropped silently, and no
//! remark holds a value.

mod convert;
mod document;
mod python;
mod strings;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

use std::fmt;

/// A larger file is none that a person wrote.
pub const LIMIT: usize = 1 << 20;

/// What became of a file.
#[derive(Debug)]
pub struct Imported {
    /// Our configuration.
    pub yaml: String,
    /// What a person must look at, by line.
    pub remarks: Vec<Remark>,
}

/// One thing that was not converted, or not as it stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Remark {
    /// The line in the file, from 1; 0 = the file as a whole.
    pub line: usize,
    /// The key, or what stands there instead of one.
    pub key: String,
    /// What it was; never a value.
    pub what: String,
    /// What to do.
    pub help: String,
    /// false = it has no part in authentication, or says what is so anyway: nothing is lacking.
    pub lacking: bool,
}

/// Converts the text of a `webserver_config.py`.
pub fn import(text: &str) -> Imported {
    let mut remarks = Vec::new();
    let module = python::read(text, &mut remarks);
    let yaml = convert::convert(&module, &mut remarks);
    remarks.sort();
    remarks.dedup();
    Imported { yaml, remarks }
}

impl Imported {
    /// How many things a person must convert by hand.
    pub fn lacking(&self) -> usize {
        self.remarks.iter().filter(|remark| remark.lacking).count()
    }
}

impl Remark {
    fn new(line: usize, key: impl Into<String>, what: impl Into<String>) -> Self {
        Remark {
            line,
            key: key.into(),
            what: what.into(),
            help: String::new(),
            lacking: true,
        }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Nothing is lacking without it.
    fn note(mut self) -> Self {
        self.lacking = false;
        self
    }
}

impl fmt::Display for Remark {
    /// One line, to stand behind the file's name and a colon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.lacking {
            "not converted"
        } else {
            "note"
        };
        match self.line {
            0 => f.write_str(" ")?,
            line => write!(f, "{line}: ")?,
        }
        write!(f, "{}: {kind}: {}", self.key, self.what)?;
        if self.help.is_empty() {
            return Ok(());
        }
        write!(f, "; {}", self.help)
    }
}
