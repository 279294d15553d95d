//! The JWK set (RFC 7517 section 5), on its three paths: the standard one and
//! OpenMetadata's old and new ones.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use axum::routing::any;

use super::{Face, error};

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route("/.well-known/jwks.json", any(jwks))
        .route("/api/v1/config/jwks", any(jwks))
        .route("/api/v1/system/config/jwks", any(jwks))
}

async fn jwks(State(face): State<Face>, method: Method, headers: HeaderMap) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return error::method_not_allowed("GET, HEAD");
    }
    let serving = face.latest();
    let jwks = serving.tokens.keys.load();
    let jwks = jwks.shared().jwks();
    let unchanged = headers
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
    let cache = format!("public, max-age={}", jwks.max_age().as_secs());
    for (name, value) in [(ETAG, jwks.etag()), (CACHE_CONTROL, cache.as_str())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            set.insert(name, value);
        }
    }
    response
}

/// Does `If-None-Match` name the tag (RFC 9110 section 13.1.2)? Weakly compared.
fn names(known: &HeaderValue, etag: &str) -> bool {
    let tags = known.to_str().unwrap_or_default().split(',').map(str::trim);
    tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
        .any(|tag| tag == "*" || tag == etag)
}
