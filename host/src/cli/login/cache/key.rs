//! What makes one token another than the next, and the name of its file.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a token was asked for with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli::login) struct Key {
    pub(in crate::cli::login) server: String,
    pub(in crate::cli::login) backend: String,
    pub(in crate::cli::login) username: String,
    pub(in crate::cli::login) audience: String,
}

impl Key {
    /// The same key has always the same name, and another key another one.
    pub(super) fn name(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.server, &self.backend, &self.username, &self.audience] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let bytes = digest.finalize();
        bytes
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli::login) fn key(audience: &str) -> Key {
        Key {
            server: "https://a.example".into(),
            backend: String::new(),
            username: "ada".into(),
            audience: audience.into(),
        }
    }

    #[test]
    fn keys_that_differ_in_the_parts_border_have_other_names() {
        let border = Key {
            username: "adao".into(),
            audience: "ther".into(),
            ..key("")
        };
        assert_ne!(key("other").name(), border.name());
        assert_ne!(key("other").name(), key("").name());
    }
}
