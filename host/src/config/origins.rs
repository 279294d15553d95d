//! Where every value came from: a place in a file, a variable, the command
//! line or the built-in defaults. Errors and `config show --origin` read this.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::key::KeyPath;

/// Where something was written. The order is that of a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file; line and column count from 1.
    File {
        /// The path as it was given.
        path: Arc<Path>,
        /// Line, from 1; 0 = the file as a whole.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// A variable of the environment, by its own name.
    Variable(String),
    /// The command line, by the key that it set.
    Flag(String),
    /// The defaults of this program.
    Default,
}

impl Place {
    /// A file as a whole.
    pub fn file(path: &Path) -> Self {
        Place::File {
            path: path.into(),
            line: 0,
            column: 0,
        }
    }

    /// The folder that relative paths written here start from.
    pub fn folder(&self, cwd: &Path) -> PathBuf {
        match self {
            Place::File { path, .. } => cwd.join(path).parent().unwrap_or(cwd).to_path_buf(),
            _ => cwd.to_path_buf(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Place::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Place::Variable(name) => write!(f, "environment variable {name}"),
            Place::Flag(key) => write!(f, "command line, {key}"),
            Place::Default => f.write_str("default"),
        }
    }
}

/// Where a value came from, and through which variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where it was written.
    pub place: Place,
    /// The variables that `${…}` read there.
    pub variables: Vec<String>,
}

impl Origin {
    /// The origin of what nobody wrote.
    pub const DEFAULT: Origin = Origin {
        place: Place::Default,
        variables: Vec::new(),
    };

    /// A value that was written as it is.
    pub fn at(place: Place) -> Self {
        Origin {
            place,
            variables: Vec::new(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if !self.variables.is_empty() {
            write!(f, " via {}", self.variables.join(", "))?;
        }
        Ok(())
    }
}

/// What is known of each key, laid layer over layer.
#[derive(Debug, Clone)]
pub struct Table<T>(BTreeMap<KeyPath, T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table(BTreeMap::new())
    }
}

impl<T> Table<T> {
    /// Lays an entry over older ones; `replaces` also forgets what lay under the key.
    pub fn lay(&mut self, key: KeyPath, entry: T, replaces: bool) {
        if replaces {
            self.remove_within(&key);
        }
        self.0.insert(key, entry);
    }

    /// Forgets a key and everything under it.
    pub fn remove_within(&mut self, key: &KeyPath) {
        self.0.retain(|other, _| !other.is_within(key));
    }

    /// The entry of exactly this key.
    pub fn get(&self, key: &KeyPath) -> Option<&T> {
        self.0.get(key)
    }

    /// The entry of this key or of the nearest key above it.
    pub fn nearest(&self, key: &KeyPath) -> Option<&T> {
        let mut key = Some(key.clone());
        while let Some(current) = key {
            if let Some(entry) = self.0.get(&current) {
                return Some(entry);
            }
            key = current.parent();
        }
        None
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&KeyPath, &T)> {
        self.0.iter()
    }

    /// The same keys with other entries.
    pub fn map<U>(&self, f: impl Fn(&T) -> U) -> Table<U> {
        Table(
            self.0
                .iter()
                .map(|(key, entry)| (key.clone(), f(entry)))
                .collect(),
        )
    }
}

/// Key → where its value came from.
pub type Origins = Table<Origin>;

impl Table<Origin> {
    /// Where this key's value came from; defaults if nobody wrote it.
    pub fn of(&self, key: &KeyPath) -> Origin {
        self.nearest(key).cloned().unwrap_or(Origin::DEFAULT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_list_forgets_the_items_of_the_earlier_one() {
        let mut table = Table::default();
        table.lay(KeyPath::parse("a"), 1, true);
        table.lay(KeyPath::parse("a.0"), 2, true);
        table.lay(KeyPath::parse("a"), 3, true);
        assert_eq!(table.get(&KeyPath::parse("a.0")), None);
        assert_eq!(table.nearest(&KeyPath::parse("a.0")), Some(&3));
    }
}
