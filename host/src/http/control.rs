//! What the command line asks of a running server, over the admin socket:
//! `POST /manage` with `{backend, operation, arguments}`, and `POST /reload`.

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
use tokio::sync::{mpsc, oneshot};

use super::Serving;
use super::error::{answer, detail, not_found};
use crate::accounts::manage::manage;
use crate::live::Live;

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

/// Asks for a reload and is told how it went.
pub type Reload = mpsc::Sender<oneshot::Sender<Reloaded>>;

/// How a reload went: what is new, or why all is as before.
pub type Reloaded = Result<Value, Value>;

#[derive(Clone)]
struct Control {
    live: Arc<Live<Serving>>,
    state: PathBuf,
    reload: Reload,
}

/// The routes of the admin socket.
pub fn routes(live: Arc<Live<Serving>>, state: PathBuf, reload: Reload) -> Router {
    Router::new()
        .route("/manage", post(perform))
        .route("/reload", post(reloaded))
        .fallback(not_found)
        .with_state(Control {
            live,
            state,
            reload,
        })
}

async fn reloaded(State(control): State<Control>) -> Response<Body> {
    let (asked, told) = oneshot::channel();
    let sent = control.reload.send(asked).await;
    match (sent, told.await) {
        (Ok(()), Ok(Ok(news))) => answer(StatusCode::OK, &news),
        (Ok(()), Ok(Err(reasons))) => answer(StatusCode::CONFLICT, &reasons),
        _ => detail(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"),
    }
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
    let serving = control.live.enter().await;
    match manage(
        &serving.tokens.registry,
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
