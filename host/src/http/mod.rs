//! The public faces, one file each; what they share is in [`error`], [`observe`] and
//! [`peer`].

pub mod admin;
pub mod body;
pub mod browser;
mod chain;
pub mod console;
pub mod control;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod fab;
pub mod jwks;
pub mod login;
pub mod manage;
pub mod oauth2;
pub mod observe;
pub mod openapi;
pub mod openmetadata;
pub mod peer;
pub mod session;
pub mod tokens;
pub mod trace;
pub mod verify;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, Response, StatusCode};
use axum::middleware::from_fn_with_state;

use crate::config::shapes::Bots;
use crate::live::{Entered, Live};
use crate::telemetry::otel;
use crate::token::Tokens;
use browser::Browser;
use observe::Observe;
use peer::TrustedProxies;

/// What one configuration made: all of it is replaced at once by a reload.
#[derive(Debug)]
pub struct Serving {
    /// Minting.
    pub tokens: Tokens,
    /// Whose forwarded headers are believed.
    pub proxies: TrustedProxies,
    /// What the faces for browsers share.
    pub browser: Browser,
    /// `bots`: what tokens may be made for programs, and by users for themselves.
    pub bots: Arc<Bots>,
    /// `admin.roles`: who may manage.
    pub managers: Arc<[String]>,
    /// What `/auth/verify` says of a user, and how.
    pub identity: Arc<verify::Identity>,
    /// The OpenAPI document.
    pub openapi: openapi::Document,
}

/// What the public routes work with.
#[derive(Debug, Clone)]
pub struct Face {
    live: Arc<Live<Serving>>,
}

impl Face {
    /// A face of what serves.
    pub fn new(live: Arc<Live<Serving>>) -> Self {
        Face { live }
    }

    /// For requests that ask backends: what it is stays to the end of the request.
    pub async fn enter(&self) -> Entered<Serving> {
        self.live.enter().await
    }

    /// For requests that only read.
    pub fn latest(&self) -> Arc<Serving> {
        self.live.latest()
    }
}

/// The public routes, to be served here or nested in another service, which puts a
/// [`peer::Peer`] on each request, so that the audit log can name the client and the
/// throttle can tell clients apart.
pub fn router(face: Face) -> Router {
    let mut routes = Router::new()
        .merge(fab::routes())
        .merge(jwks::routes())
        .merge(oauth2::routes())
        .merge(discovery::routes())
        .merge(openapi::routes())
        .merge(login::routes())
        .merge(openmetadata::routes())
        .merge(tokens::routes())
        .merge(verify::routes())
        .merge(console::routes())
        .fallback(nowhere)
        .layer(Observe::new(face.clone()));
    if otel::tracer().is_some() {
        routes = routes.layer(from_fn_with_state(face.clone(), trace::trace));
    }
    routes.with_state(face)
}

/// An address that no face has a route for: a document of the issuer, or nothing. People who
/// typed it are told so on a page.
async fn nowhere(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (method, uri) = (http.method().clone(), http.uri().clone());
    let answer = discovery::or_not_found(State(face.clone()), method, uri).await;
    match answer.status() {
        StatusCode::NOT_FOUND if login::is_asked_by_a_person(&http) => login::nowhere(&face, http),
        _ => answer,
    }
}
