//! Why settings are refused: every reason, told together.

use countersign_sdk::{AuthError, Result};

/// Reasons so far, each beginning with its key.
#[derive(Default)]
pub(crate) struct Mistakes(Vec<AuthError>);

impl Mistakes {
    /// What was made, or nothing and one reason more.
    pub(crate) fn note<T>(&mut self, made: Result<T>) -> Option<T> {
        made.map_err(|error| self.0.push(error)).ok()
    }

    /// Of nothing wrong comes what was made.
    pub(crate) fn unless_any<T>(mut self, made: Option<T>) -> Result<T> {
        match (made, self.0.len()) {
            (Some(made), 0) => Ok(made),
            (_, 1) => Err(self.0.remove(0)),
            _ => {
                let told: Vec<&str> = self.0.iter().map(AuthError::detail).collect();
                Err(AuthError::invalid(told.join("; ")))
            }
        }
    }
}
