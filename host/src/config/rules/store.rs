//! Rules about the host's own store.

use super::Rules;

impl Rules<'_> {
    pub(super) fn store(&mut self) {
        let url = self.text("store.url");
        let postgres = ["postgres://", "postgresql://"];
        if !url.is_empty() && !postgres.iter().any(|scheme| url.starts_with(scheme)) {
            self.error(
                "store.url",
                "the store is SQLite in the state folder, or PostgreSQL",
                "leave it empty, or write postgres://USER:PASSWORD@HOST:5432/DATABASE",
            );
        }
    }
}
