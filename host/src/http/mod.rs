//! The public faces, one file each; what they share is in [`error`] and [`peer`].

pub mod admin;
pub mod body;
pub mod control;
pub mod error;
pub mod fab;
pub mod jwks;
pub mod peer;

use std::sync::Arc;

use axum::Router;

use crate::token::Tokens;
use peer::TrustedProxies;

/// What the public routes work with.
#[derive(Debug, Clone)]
pub struct Face {
    /// Minting.
    pub tokens: Arc<Tokens>,
    /// Whose forwarded headers are believed.
    pub proxies: Arc<TrustedProxies>,
}

/// The public routes, to be served here or nested in another service, which puts a
/// [`peer::Peer`] on each request so that the audit log can name the client.
pub fn router(face: Face) -> Router {
    Router::new()
        .merge(fab::routes())
        .merge(jwks::routes())
        .fallback(error::not_found)
        .with_state(face)
}
