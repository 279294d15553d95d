//! The chain is asked in JSON, in the shape of `/auth/token`. Clients of the other faces say it
//! in other ways, so these write it for them.

use axum::http::HeaderMap;
use countersign_abi::Headers;
use serde_json::Value;

use crate::token::Request;

/// What describes a body that backends do not get, and what is between a browser and us.
const OURS: [&str; 3] = ["content-length", "content-type", "cookie"];

/// A client's headers, as far as backends are told them: not those of `kept`, either.
pub(super) fn headers(headers: &HeaderMap, kept: &[&str]) -> Headers {
    let all = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let told = all.filter(|(name, _)| !OURS.contains(name) && !kept.contains(name));
    let json: (&str, &[u8]) = ("content-type", b"application/json");
    told.chain([json]).collect()
}

/// The request with this body, for the service and for the backends.
pub(super) fn with_body(mut request: Request, body: Value) -> Request {
    request.inner.body = body.to_string().into_bytes();
    request.body = body;
    request
}
