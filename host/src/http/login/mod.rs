//! Signing in with a browser, and out again: pages without a script.
//!
//! ```text
//! GET  /login                 [`signin`]    the choices and the form, or who you are
//! GET  /login/{backend}       [`begin`]     to the provider, with a [`pending`] cookie
//! GET  /callback/{backend}    [`callback`]  back from it: a session
//! POST /login                 [`form`]      username and password: a session
//! POST /logout                [`logout`]    the session's end, here and at the provider
//! ```
//!
//! [`guard`] refuses the forms of other sites, [`return_to`] says where a login may lead;
//! [`page`] makes the answers.

mod begin;
mod callback;
pub(in crate::http) mod choices;
pub(in crate::http) mod fields;
pub(in crate::http) mod form;
pub mod guard;
mod logout;
pub(in crate::http) mod moment;
pub mod page;
mod pending;
pub mod return_to;
mod settle;
mod signin;
pub(in crate::http) mod trouble;
pub(in crate::http) mod visit;
mod ways;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::ACCEPT;
use axum::http::{Method, Request, Response};
use axum::routing::any;

use super::{Face, Serving};
use visit::Visit;

pub(in crate::http) const LOGIN: &str = "/login";
const LOGIN_AT: &str = "/login/{backend}";
const CALLBACK: &str = "/callback";
const CALLBACK_OF: &str = "/callback/{backend}";
pub(in crate::http) const LOGOUT: &str = "/logout";

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(LOGIN, any(login))
        .route(LOGIN_AT, any(login_at))
        .route(CALLBACK, any(callback))
        .route(CALLBACK_OF, any(callback_of))
        .route(LOGOUT, any(logout))
}

/// Can anybody sign in with a browser: by this backend's page, or by any?
pub fn is_offered(serving: &Serving, backend: Option<&str>) -> bool {
    let backends = serving.tokens.registry.iter();
    let mut providers = backends.filter(|it| choices::is_provider(it));
    providers.any(|provider| backend.is_none_or(|id| provider.id == id))
        || form::is_open(serving, backend)
}

/// A path that is no UTF-8 is no backend's.
type Id = Result<Path<String>, PathRejection>;

/// Does a browser ask for a page that somebody will read? Programs name no HTML.
pub fn is_asked_by_a_person(http: &Request<Body>) -> bool {
    let kinds = http.headers().get(ACCEPT).and_then(|it| it.to_str().ok());
    http.method() == Method::GET && kinds.is_some_and(|kinds| kinds.contains("text/html"))
}

/// For an address that is nothing: the bare host name is how people look for the login.
pub fn nowhere(face: &Face, http: Request<Body>) -> Response<Body> {
    let is_root = http.uri().path() == "/";
    let (visit, ..) = Visit::of(http, "");
    let serving = face.latest();
    match is_root {
        true => page::see_other(&serving.browser.path(LOGIN)),
        false => trouble::not_found(&serving, &visit),
    }
}

async fn login(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (visit, method, body) = Visit::of(http, LOGIN);
    match method {
        Method::GET | Method::HEAD => signin::show(&face, &visit).await,
        Method::POST => form::submit(&face, visit, body, None).await,
        _ => trouble::method_not_allowed(&face.latest(), &visit, "GET, HEAD, POST"),
    }
}

async fn login_at(State(face): State<Face>, id: Id, http: Request<Body>) -> Response<Body> {
    let (visit, method, body) = Visit::of(http, LOGIN_AT);
    let id = id.map(|Path(id)| id).unwrap_or_default();
    match method {
        Method::GET | Method::HEAD => begin::at(&face, &visit, &id).await,
        Method::POST => form::submit(&face, visit, body, Some(id)).await,
        _ => trouble::method_not_allowed(&face.latest(), &visit, "GET, HEAD, POST"),
    }
}

async fn callback(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (visit, method, _) = Visit::of(http, CALLBACK);
    match method {
        Method::GET => callback::finish(&face, visit, None).await,
        _ => trouble::method_not_allowed(&face.latest(), &visit, "GET"),
    }
}

async fn callback_of(State(face): State<Face>, id: Id, http: Request<Body>) -> Response<Body> {
    let (visit, method, _) = Visit::of(http, CALLBACK_OF);
    let id = id.map(|Path(id)| id).unwrap_or_default();
    match method {
        Method::GET => callback::finish(&face, visit, Some(id)).await,
        _ => trouble::method_not_allowed(&face.latest(), &visit, "GET"),
    }
}

async fn logout(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (visit, method, body) = Visit::of(http, LOGOUT);
    match method {
        Method::GET | Method::HEAD => logout::ask(&face, &visit),
        Method::POST => logout::end(&face, visit, body).await,
        _ => trouble::method_not_allowed(&face.latest(), &visit, "GET, HEAD, POST"),
    }
}
