//! `GET /openapi.json`: the public routes and all their answers, in OpenAPI 3.1. Written
//! by hand in `openapi.json` beside this file; a test holds it against the router.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, Response};
use axum::routing::any;
use serde_json::{Value, json};

use super::{Face, error};

const DOCUMENT: &str = include_str!("openapi.json");

/// The document of one configuration: it names the server's URL.
#[derive(Debug, Clone)]
pub struct Document(Bytes);

impl Document {
    /// For the server under this URL.
    pub fn new(url: &str) -> Self {
        let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
        document["servers"] = json!([{ "url": url }]);
        document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
        Document(document.to_string().into())
    }
}

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route("/openapi.json", any(document))
}

async fn document(State(face): State<Face>, method: Method) -> Response<Body> {
    if method != Method::GET && method != Method::HEAD {
        return error::method_not_allowed("GET, HEAD");
    }
    let mut response = Response::new(Body::from(face.latest().openapi.0.clone()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn document_is_json_and_names_the_server() {
        let document = Document::new("https://auth.example.org");
        let read: Value = serde_json::from_slice(&document.0).unwrap_or_default();
        assert_eq!(read["openapi"], "3.1.0");
        assert_eq!(read["servers"][0]["url"], "https://auth.example.org");
        assert_eq!(read["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}
