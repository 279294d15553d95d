//! The live backends, in the order of the file.

use std::sync::Arc;

use super::backend::Backend;

/// Backend id → live backend, in the order of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<[Arc<Backend>]>);

impl Registry {
    /// The backends in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Backend> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// The same, to be kept.
    pub fn all(&self) -> &[Arc<Backend>] {
        &self.0
    }

    /// These serve from now on, in place of those: the gauges on `/metrics` are theirs.
    pub fn take_over(&self, before: &Registry) {
        for backend in self.iter() {
            let before = before.get(&backend.id).map(|before| before.gate.as_ref());
            backend.gate.take_over(before);
        }
    }

    /// The backend of an id.
    pub fn get(&self, id: &str) -> Option<&Backend> {
        self.iter().find(|backend| backend.id == id)
    }
}

impl FromIterator<Arc<Backend>> for Registry {
    fn from_iter<T: IntoIterator<Item = Arc<Backend>>>(backends: T) -> Self {
        Registry(backends.into_iter().collect())
    }
}
