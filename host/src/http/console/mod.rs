//! The web console: what operators see and do in a browser, without a script. Behind the login,
//! for those who have one of `admin.roles`.
//!
//! ```text
//! /console            to the bots
//! /console/bots       [`bots`]       search, add
//! /console/bots/NAME  [`bots::one`]  its tokens: generate, replace, revoke; change, delete
//! /console/keys       [`keys`]       the states of the keys, with dates
//! /console/backends   [`backends`]   what is loaded, and how it does
//! /console/decisions  [`decisions`]  the audit log's last lines
//! ```
//!
//! [`door`] lets in and turns away; [`shell`] is what stands around each page.

mod backends;
mod bots;
mod decisions;
mod door;
mod keys;
mod shell;
mod when;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{Method, Request, Response};
use axum::routing::any;

use super::Face;
use super::login::page;
use door::Inside;

const CONSOLE: &str = "/console";
const BOTS: &str = "/console/bots";
const BOT: &str = "/console/bots/{name}";
const KEYS: &str = "/console/keys";
const BACKENDS: &str = "/console/backends";
const DECISIONS: &str = "/console/decisions";

/// Methods of a page that only shows.
const SHOWS: &str = "GET, HEAD";

/// Methods of a page with forms.
const DOES: &str = "GET, HEAD, POST";

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(CONSOLE, any(start))
        .route(BOTS, any(all_bots))
        .route(BOT, any(one_bot))
        .route(KEYS, any(all_keys))
        .route(BACKENDS, any(all_backends))
        .route(DECISIONS, any(all_decisions))
}

async fn start(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match Inside::of(&face, http, CONSOLE, SHOWS).await {
        Ok((inside, ..)) => page::see_other(&inside.path(BOTS)),
        Err(answer) => *answer,
    }
}

async fn all_bots(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match Inside::of(&face, http, BOTS, DOES).await {
        Ok((inside, Method::POST, body)) => bots::add(&inside, body).await,
        Ok((inside, ..)) => bots::show(&inside).await,
        Err(answer) => *answer,
    }
}

async fn one_bot(
    State(face): State<Face>,
    name: Result<Path<String>, PathRejection>,
    http: Request<Body>,
) -> Response<Body> {
    // A path that is no UTF-8 is no bot's.
    let name = name.map(|Path(name)| name).unwrap_or_default();
    match Inside::of(&face, http, BOT, DOES).await {
        Ok((inside, Method::POST, body)) => bots::one::act(&inside, &name, body).await,
        Ok((inside, ..)) => bots::one::show(&inside, &name).await,
        Err(answer) => *answer,
    }
}

async fn all_keys(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match Inside::of(&face, http, KEYS, SHOWS).await {
        Ok((inside, ..)) => keys::show(&inside),
        Err(answer) => *answer,
    }
}

async fn all_backends(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match Inside::of(&face, http, BACKENDS, SHOWS).await {
        Ok((inside, ..)) => backends::show(&inside),
        Err(answer) => *answer,
    }
}

async fn all_decisions(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    match Inside::of(&face, http, DECISIONS, SHOWS).await {
        Ok((inside, ..)) => decisions::show(&inside),
        Err(answer) => *answer,
    }
}
