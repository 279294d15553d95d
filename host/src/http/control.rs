//! What the command line asks of a running server, over the admin socket:
//! `POST /manage` with `{backend, operation, arguments}`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::post;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::error::{answer, detail, not_found};
use crate::accounts::manage::manage;
use crate::token::Tokens;

/// An import of many users is the largest request.
const LIMIT: usize = 32 << 20;

/// One request of the command line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manage {
    /// The backend, or the only one that keeps users.
    pub backend: Option<String>,
    /// `user_add`, `user_list`, `user_passwd` or `user_import`.
    pub operation: String,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

#[derive(Clone)]
struct Control {
    tokens: Arc<Tokens>,
    state: PathBuf,
}

/// The routes of the admin socket.
pub fn routes(tokens: Arc<Tokens>, state: PathBuf) -> Router {
    Router::new()
        .route("/manage", post(perform))
        .fallback(not_found)
        .with_state(Control { tokens, state })
}

async fn perform(State(control): State<Control>, body: Body) -> Response<Body> {
    let Ok(collected) = Limited::new(body, LIMIT).collect().await else {
        return detail(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is larger than 32 MiB",
        );
    };
    let Ok(request) = serde_json::from_slice::<Manage>(&collected.to_bytes()) else {
        return detail(
            StatusCode::BAD_REQUEST,
            "the request cannot be understood; is the server of the same version?",
        );
    };
    let backend = request.backend.as_deref();
    match manage(
        &control.tokens.registry,
        &control.state,
        backend,
        &request.operation,
        request.arguments,
    )
    .await
    {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(error) => answer(
            StatusCode::CONFLICT,
            &json!({ "detail": error.to_string(), "help": error.help() }),
        ),
    }
}
