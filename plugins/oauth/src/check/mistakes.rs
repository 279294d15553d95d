//! Why settings are refused: every reason, told together.

use countersign_sdk::{AuthError, Result};

/// Reasons so far, each beginning with its key.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<String>);

impl Mistakes {
    /// One reason more.
    pub(crate) fn add(&mut self, key: &str, why: impl AsRef<str>) {
        self.0.push(format!("{key}: {}", why.as_ref()));
    }

    /// What was made, or nothing and one reason more.
    pub(crate) fn note<T>(&mut self, key: &str, made: Result<T, String>) -> Option<T> {
        made.map_err(|why| self.add(key, why)).ok()
    }

    /// Of nothing wrong comes what was made.
    pub(crate) fn unless_any<T>(self, made: Option<T>) -> Result<T> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(AuthError::invalid(self.0.join("; "))),
        }
    }
}
