//! The time in which requests wait, because exclusive backends change hands.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;

use crate::backends::backend::Backend;
use crate::backends::{Registry, supervisor};
use crate::http::Serving;
use crate::live::Live;
use crate::token::Tokens;

/// The closed gate, and the backends that were ended behind it. However a reload ends, the
/// gate opens: dropped, to what served before, less what was ended.
pub(super) struct Closed {
    pub(super) live: Arc<Live<Serving>>,
    /// None once something serves.
    pub(super) old: Option<Arc<Serving>>,
    pub(super) ended: Vec<Arc<Backend>>,
}

impl Closed {
    /// Something serves again; gives the backends that were ended.
    pub(super) fn done(mut self) -> Vec<Arc<Backend>> {
        self.old = None;
        std::mem::take(&mut self.ended)
    }

    /// Makes the ended backends anew as they were, and lets requests in again.
    pub(super) async fn bring_back(self, state: &Path) {
        let Some(old) = self.old.clone() else {
            return;
        };
        let all = old.tokens.registry.all().iter().map(|backend| async {
            if !self.ended.iter().any(|ended| Arc::ptr_eq(ended, backend)) {
                return Arc::clone(backend);
            }
            match supervisor::again(backend, state).await {
                Ok(again) => Arc::new(again),
                Err(error) => {
                    tracing::error!(backend = backend.id, %error, "the backend could not be brought back: it is unavailable until a reload succeeds");
                    backend.end();
                    Arc::clone(backend)
                }
            }
        });
        let registry: Registry = join_all(all).await.into_iter().collect();
        registry.take_over(&old.tokens.registry);
        self.live.open(Arc::new(Serving {
            tokens: Tokens {
                registry,
                ..old.tokens.clone()
            },
            proxies: old.proxies.clone(),
            browser: old.browser.clone(),
            bots: Arc::clone(&old.bots),
            managers: Arc::clone(&old.managers),
            identity: Arc::clone(&old.identity),
            openapi: old.openapi.clone(),
        }));
        self.done();
    }
}

impl Drop for Closed {
    fn drop(&mut self) {
        if let Some(old) = self.old.take() {
            self.ended.iter().for_each(|backend| backend.end());
            self.live.open(old);
        }
    }
}
