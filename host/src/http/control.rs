//! What the command line asks of a running server, over the admin socket:
//! `POST /manage` with `{backend, operation, arguments}`, `POST /unlink` with an [`Unlink`],
//! `POST /bots` with an [`Order`], `POST /reload`, `POST /keys` with `{audience, operation, …}`, and
//! `POST /revoked` with `{token, key}`.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::post;
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};

use super::Serving;
use super::body::Refused;
use super::error::{answer, detail, not_found};
use crate::accounts::manage::manage;
use crate::accounts::store::Revocable;
use crate::accounts::unlink::{Unlink, UnlinkError, unlink};
use crate::keys::Asked;
use crate::live::Live;
use crate::token::management::Asker;
use crate::token::management::order::Order;

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

/// Asks for something to be done to the keys, and is told how it went.
pub type Keys = mpsc::Sender<(Asked, oneshot::Sender<Reloaded>)>;

/// How a reload went: what is new, or why all is as before.
pub type Reloaded = Result<Value, Value>;

#[derive(Clone)]
struct Control {
    live: Arc<Live<Serving>>,
    state: PathBuf,
    reload: Reload,
    keys: Keys,
}

/// The routes of the admin socket.
pub fn routes(live: Arc<Live<Serving>>, state: PathBuf, reload: Reload, keys: Keys) -> Router {
    Router::new()
        .route("/manage", post(perform))
        .route("/unlink", post(unlinked))
        .route("/bots", post(bots))
        .route("/reload", post(reloaded))
        .route("/keys", post(keyed))
        .route("/revoked", post(revoked))
        .fallback(not_found)
        .with_state(Control {
            live,
            state,
            reload,
            keys,
        })
}

async fn reloaded(State(control): State<Control>) -> Response<Body> {
    let (asked, told) = oneshot::channel();
    let sent = control.reload.send(asked).await.is_ok();
    how_it_went(sent, told).await
}

async fn keyed(State(control): State<Control>, body: Body) -> Response<Body> {
    let request = match read(body).await {
        Ok(request) => request,
        Err(refused) => return *refused,
    };
    let (asked, told) = oneshot::channel();
    let sent = control.keys.send((request, asked)).await.is_ok();
    how_it_went(sent, told).await
}

async fn how_it_went(sent: bool, told: oneshot::Receiver<Reloaded>) -> Response<Body> {
    match (sent, told.await) {
        (true, Ok(Ok(news))) => answer(StatusCode::OK, &news),
        (true, Ok(Err(reasons))) => answer(StatusCode::CONFLICT, &reasons),
        _ => detail(StatusCode::SERVICE_UNAVAILABLE, "the server is stopping"),
    }
}

/// What the command line asks of bots. It holds the machine: no role is asked of it.
async fn bots(State(control): State<Control>, body: Body) -> Response<Body> {
    let order = match read::<Order>(body).await {
        Ok(order) => order,
        Err(refused) => return *refused,
    };
    let asker = Asker {
        name: "command line",
        ..Asker::default()
    };
    let serving = control.live.enter().await;
    let done = match serving.management() {
        Ok(management) => management.perform(order, asker).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(value) => answer(StatusCode::OK, &value),
        Err(error) => refused(&error, error.help()),
    }
}

/// Is a token (by its `jti`) or a key (by its `kid`) revoked?
async fn revoked(State(control): State<Control>, body: Body) -> Response<Body> {
    let asked = match read::<Value>(body).await {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let serving = control.live.latest();
    let text = |name: &str| asked[name].as_str().unwrap_or_default();
    let is = |what| {
        let store = serving.tokens.accounts.store();
        store.is_some_and(|store| store.is_revoked(what))
    };
    let told = json!({
        "token": is(Revocable::Token(text("token"))),
        "key": is(Revocable::Key(text("key"))),
    });
    answer(StatusCode::OK, &told)
}

async fn perform(State(control): State<Control>, body: Body) -> Response<Body> {
    let request = match read::<Manage>(body).await {
        Ok(request) => request,
        Err(refused) => return *refused,
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
        Err(error) => refused(&error, error.help()),
    }
}

async fn unlinked(State(control): State<Control>, body: Body) -> Response<Body> {
    let order = match read::<Unlink>(body).await {
        Ok(order) => order,
        Err(refused) => return *refused,
    };
    let serving = control.live.enter().await;
    let done = match serving.tokens.accounts.store() {
        Some(store) => unlink(store, &order).await,
        None => Err(UnlinkError::None(order.username)),
    };
    match done {
        Ok(told) => answer(StatusCode::OK, &json!({ "unlinked": told })),
        Err(error) => refused(&error, error.help()),
    }
}

fn refused(error: &dyn std::error::Error, help: &str) -> Response<Body> {
    let told = json!({ "detail": error.to_string(), "help": help });
    answer(StatusCode::CONFLICT, &told)
}

async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Refused> {
    let collected = Limited::new(body, LIMIT).collect().await.map_err(|_| {
        let text = "the request is larger than 32 MiB";
        Box::new(detail(StatusCode::PAYLOAD_TOO_LARGE, text))
    })?;
    serde_json::from_slice(&collected.to_bytes()).map_err(|_| {
        let text = "the request cannot be understood; is the server of the same version?";
        Box::new(detail(StatusCode::BAD_REQUEST, text))
    })
}
