//! Bots and personal access tokens over HTTP, in OpenMetadata's wire shapes, so that its
//! clients and scripts work as they are. A bot and its "bot user" are one here, with one id and
//! one name; roles are named, not numbered; a token is in the answer that makes it, and in no
//! other.
//!
//! [`asker`] is a call and [`shown`] whose it is; [`users`], [`bots`], [`personal`] and [`system`]
//! do what is asked, [`patch`] changes what is there, [`shapes`] and [`answer`] say it in
//! OpenMetadata's words.

mod answer;
mod asker;
mod bots;
mod patch;
mod personal;
mod shapes;
mod shown;
mod system;
mod users;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Method, Request, Response};
use axum::routing::any;

use super::Face;
use answer::{Refused, method_not_allowed};
use asker::Call;

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route("/api/v1/system/version", any(version))
        .route("/api/v1/system/status", any(status))
        .route("/api/v1/users", any(users))
        .route("/api/v1/users/{id}", any(user))
        .route("/api/v1/users/name/{name}", any(user_of_name))
        .route("/api/v1/users/loggedInUser", any(logged_in))
        .route("/api/v1/users/generateToken/{id}", any(generate))
        .route("/api/v1/users/revokeToken", any(revoke))
        .route("/api/v1/users/token/{id}", any(token))
        .route("/api/v1/users/auth-mechanism/{id}", any(mechanism))
        .route("/api/v1/users/security/token", any(own_tokens))
        .route("/api/v1/users/security/token/revoke", any(revoke_own))
        .route("/api/v1/bots", any(all_bots))
        .route("/api/v1/bots/{id}", any(bot))
        .route("/api/v1/bots/name/{name}", any(bot_of_name))
        .route("/api/v1/bots/restore", any(restore))
}

/// A path that is no UTF-8 names nothing.
type Segment = Result<Path<String>, PathRejection>;

fn text(segment: Segment) -> String {
    segment.map(|Path(text)| text).unwrap_or_default()
}

fn or_refused(answered: Result<Response<Body>, Refused>) -> Response<Body> {
    answered.unwrap_or_else(|refused| *refused)
}

async fn version(http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET | Method::HEAD => system::version(),
        _ => method_not_allowed("GET, HEAD"),
    }
}

async fn status(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(system::status(Call::of(face, http)).await),
        _ => method_not_allowed("GET"),
    }
}

async fn users(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::POST => or_refused(users::put(Call::of(face, http), true).await),
        Method::PUT => or_refused(users::put(Call::of(face, http), false).await),
        _ => method_not_allowed("POST, PUT"),
    }
}

async fn user(State(face): State<Face>, id: Segment, http: Request<Body>) -> Response<Body> {
    one_user(face, &text(id), false, http).await
}

async fn user_of_name(
    State(face): State<Face>,
    name: Segment,
    http: Request<Body>,
) -> Response<Body> {
    one_user(face, &text(name), true, http).await
}

async fn one_user(face: Face, which: &str, by_name: bool, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(users::get(Call::of(face, http), which, by_name).await),
        Method::PATCH => or_refused(users::change(Call::of(face, http), which, by_name).await),
        _ => method_not_allowed("GET, PATCH"),
    }
}

async fn logged_in(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(users::logged_in(Call::of(face, http)).await),
        _ => method_not_allowed("GET"),
    }
}

async fn generate(State(face): State<Face>, id: Segment, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::PUT => or_refused(users::generate(Call::of(face, http), &text(id)).await),
        _ => method_not_allowed("PUT"),
    }
}

async fn revoke(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::PUT => or_refused(users::revoke(Call::of(face, http)).await),
        _ => method_not_allowed("PUT"),
    }
}

async fn token(State(face): State<Face>, id: Segment, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(users::token(Call::of(face, http), &text(id)).await),
        _ => method_not_allowed("GET"),
    }
}

async fn mechanism(State(face): State<Face>, id: Segment, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(users::mechanism(Call::of(face, http), &text(id)).await),
        _ => method_not_allowed("GET"),
    }
}

async fn own_tokens(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(personal::list(Call::of(face, http)).await),
        Method::PUT => or_refused(personal::generate(Call::of(face, http)).await),
        _ => method_not_allowed("GET, PUT"),
    }
}

async fn revoke_own(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::PUT => or_refused(personal::revoke(Call::of(face, http)).await),
        _ => method_not_allowed("PUT"),
    }
}

async fn all_bots(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(bots::list(Call::of(face, http)).await),
        Method::POST => or_refused(bots::put(Call::of(face, http), true).await),
        Method::PUT => or_refused(bots::put(Call::of(face, http), false).await),
        _ => method_not_allowed("GET, POST, PUT"),
    }
}

async fn bot(State(face): State<Face>, id: Segment, http: Request<Body>) -> Response<Body> {
    one_bot(face, &text(id), false, http).await
}

async fn bot_of_name(
    State(face): State<Face>,
    name: Segment,
    http: Request<Body>,
) -> Response<Body> {
    one_bot(face, &text(name), true, http).await
}

async fn one_bot(face: Face, which: &str, by_name: bool, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::GET => or_refused(bots::get(Call::of(face, http), which, by_name).await),
        Method::PATCH => or_refused(bots::change(Call::of(face, http), which, by_name).await),
        Method::DELETE => or_refused(bots::delete(Call::of(face, http), which, by_name).await),
        _ => method_not_allowed("GET, PATCH, DELETE"),
    }
}

async fn restore(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match *http.method() {
        Method::PUT => or_refused(bots::restore(Call::of(face, http)).await),
        _ => method_not_allowed("PUT"),
    }
}
