//! The JWK sets (RFC 7517 section 5): the shared one on its standard path; that of each audience
//! with a ring of its own; and OpenMetadata's old and new paths, for the audience `openmetadata`.

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use axum::routing::any;

use super::{Face, error};
use crate::keys::KeySet;

const SHARED: &str = "/.well-known/jwks.json";
const OWN: &str = "/jwks/{file}";
const OPENMETADATA: [&str; 2] = ["/api/v1/config/jwks", "/api/v1/system/config/jwks"];

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(SHARED, any(jwks))
        .route(OWN, any(own))
        .route(OPENMETADATA[0], any(openmetadata))
        .route(OPENMETADATA[1], any(openmetadata))
}

/// Is this one of these routes?
pub(super) fn is_one(route: &MatchedPath) -> bool {
    let route = route.as_str();
    route == SHARED || route == OWN || OPENMETADATA.contains(&route)
}

async fn jwks(State(face): State<Face>, request: Request<Body>) -> Response<Body> {
    let serving = face.latest();
    published(serving.tokens.keys.load().shared(), &request)
}

/// The ring of the audience with this name, else the shared one.
async fn openmetadata(State(face): State<Face>, request: Request<Body>) -> Response<Body> {
    let serving = face.latest();
    let keys = serving.tokens.keys.load();
    published(keys.of(Some("openmetadata")), &request)
}

/// `NAME.json`, of an audience with a ring of its own.
async fn own(
    State(face): State<Face>,
    Path(file): Path<String>,
    request: Request<Body>,
) -> Response<Body> {
    let serving = face.latest();
    let keys = serving.tokens.keys.load();
    let name = file.strip_suffix(".json");
    match name.and_then(|name| keys.own().get(name)) {
        Some(keys) => published(keys, &request),
        None => error::not_found().await,
    }
}

fn published(keys: &KeySet, request: &Request<Body>) -> Response<Body> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return error::method_not_allowed("GET, HEAD");
    }
    let jwks = keys.jwks();
    let unchanged = request
        .headers()
        .get(IF_NONE_MATCH)
        .is_some_and(|known| names(known, jwks.etag()));
    let body = if unchanged {
        Body::empty()
    } else {
        Body::from(jwks.body())
    };
    let mut response = Response::new(body);
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let set = response.headers_mut();
    set.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set.insert(ETAG, jwks.etag().clone());
    set.insert(CACHE_CONTROL, jwks.cache_control().clone());
    response
}

/// Does `If-None-Match` name the tag (RFC 9110 section 13.1.2)? Weakly compared.
fn names(known: &HeaderValue, etag: &HeaderValue) -> bool {
    let tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
        .any(|tag| tag == "*" || etag == tag)
}
