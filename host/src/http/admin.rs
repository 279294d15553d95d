//! The read-only listener for probes.

use axum::Router;
use axum::routing::get;

/// `/healthz`: the process answers. `/readyz`: it can mint.
///
/// The listener is bound only after every backend is ready, so both are the same
/// until backends can be taken away while it runs.
pub fn routes() -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ready\n" }))
        .fallback(super::error::not_found)
        .method_not_allowed_fallback(|| async { super::error::method_not_allowed("GET, HEAD") })
}
