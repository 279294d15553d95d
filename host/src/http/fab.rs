//! FAB's token API: `POST /auth/token`, `/auth/token/cli`, `/auth/{backend}/token`.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use countersign_abi::Headers;

use super::observe::Caller;
use super::{Face, body, error};
use crate::token::attempt::malformed;
use crate::token::{Lifetime, Request};

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(CHAIN.path, any(chain))
        .route(CLI.path, any(cli))
        .route(DIRECT, any(direct))
}

/// What one of the routes means.
struct Door {
    path: &'static str,
    only: Option<String>,
    lifetime: Lifetime,
}

const CHAIN: Door = Door {
    path: "/auth/token",
    only: None,
    lifetime: Lifetime::Api,
};

const CLI: Door = Door {
    path: "/auth/token/cli",
    only: None,
    lifetime: Lifetime::Cli,
};

const DIRECT: &str = "/auth/{backend}/token";

async fn chain(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    mint(&face, CHAIN, http).await
}

async fn cli(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    mint(&face, CLI, http).await
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
            let door = Door {
                path: DIRECT,
                only: Some(backend.id.clone()),
                lifetime: Lifetime::Api,
            };
            mint(&face, door, http).await
        }
        _ => error::not_found().await,
    }
}

async fn mint(face: &Face, door: Door, http: HttpRequest<Body>) -> Response<Body> {
    if http.method() != Method::POST {
        return error::method_not_allowed("POST");
    }
    let (mut head, body) = http.into_parts();
    let caller = head.extensions.remove::<Caller>().unwrap_or_default();
    let headers = plain(&head.headers);
    let mut request = Request::new(door.path, headers, caller.id, caller.address);
    (request.only, request.lifetime) = (door.only, door.lifetime);
    match body::read(&head.headers, body, request.has_bearer()).await {
        Ok(parsed) => {
            (request.inner.body, request.body) = (parsed.raw, parsed.json);
            answer(face, &request).await
        }
        Err(refused) => {
            malformed(&request, refused.status().as_u16());
            *refused
        }
    }
}

async fn answer(face: &Face, request: &Request) -> Response<Body> {
    // Entered only now: a client that sends its body slowly must not hold up a reload.
    let serving = face.enter().await;
    match serving.tokens.create_token(request).await {
        // A JWT's characters need no escapes (RFC 7515 section 2).
        Ok(minted) => error::answer_text(
            StatusCode::CREATED,
            format!(r#"{{"access_token":"{}"}}"#, minted.token),
        ),
        Err(refusal) => error::refusal(&refusal, &request.inner.request_id),
    }
}

/// Headers as they cross the boundary.
pub(super) fn plain(headers: &HeaderMap) -> Headers {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect()
}
