//! FAB's token API: `POST /auth/token`, `/auth/token/cli`, `/auth/{backend}/token`.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use countersign_abi::Headers;
use serde_json::json;

use super::peer::Peer;
use super::{Face, body, error};
use crate::clock;
use crate::token::refusal::malformed;
use crate::token::{Lifetime, Request};

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route("/auth/token", any(chain))
        .route("/auth/token/cli", any(cli))
        .route("/auth/{backend}/token", any(direct))
}

async fn chain(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    mint(&face, None, Lifetime::Api, http).await
}

async fn cli(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    mint(&face, None, Lifetime::Cli, http).await
}

async fn direct(
    State(face): State<Face>,
    path: Result<Path<String>, PathRejection>,
    http: HttpRequest<Body>,
) -> Response<Body> {
    let serving = face.latest();
    // A path that is no UTF-8 is no backend's.
    let backend = path
        .ok()
        .and_then(|Path(id)| serving.tokens.registry.get(&id));
    match backend {
        Some(backend) if backend.settings.direct && backend.settings.login => {
            mint(&face, Some(backend.id.clone()), Lifetime::Api, http).await
        }
        _ => error::not_found().await,
    }
}

async fn mint(
    face: &Face,
    only: Option<String>,
    lifetime: Lifetime,
    http: HttpRequest<Body>,
) -> Response<Body> {
    if http.method() != Method::POST {
        return error::method_not_allowed("POST");
    }
    let (head, body) = http.into_parts();
    let peer = head
        .extensions
        .get::<Peer>()
        .map(|Peer(peer)| face.latest().proxies.client(*peer, &head.headers));
    let mut request = Request {
        inner: countersign_abi::Request {
            headers: plain(&head.headers),
            peer: peer.map_or_else(String::new, |peer| peer.to_string()),
            request_id: request_id(),
            ..countersign_abi::Request::default()
        },
        body: json!({}),
        only,
        lifetime,
    };
    let mut response = match body::read(&head.headers, body, request.has_bearer()).await {
        Ok(parsed) => {
            (request.inner.body, request.body) = (parsed.raw, parsed.json);
            answer(face, &request).await
        }
        Err(refused) => {
            malformed(&request, refused.status().as_u16());
            *refused
        }
    };
    if let Ok(id) = HeaderValue::from_str(&request.inner.request_id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

async fn answer(face: &Face, request: &Request) -> Response<Body> {
    // Entered only now: a client that sends its body slowly must not hold up a reload.
    let serving = face.enter().await;
    match serving.tokens.create_token(request).await {
        Ok(minted) => error::answer(
            StatusCode::CREATED,
            &json!({ "access_token": minted.token }),
        ),
        Err(refusal) => error::refusal(&refusal, &request.inner.request_id),
    }
}

/// Headers as they cross the boundary.
fn plain(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}

/// Unique within this process and, by its start time, among its restarts.
fn request_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(clock::unix_now);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:08x}{:08x}",
        *START & 0xffff_ffff,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}
