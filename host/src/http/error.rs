//! Error answers: FastAPI's shape, `{"detail": …}`, because Airflow's clients read
//! it. Content types carry no charset: airflowctl parses `application/json` only.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::token::Refusal;

/// A JSON answer that nobody may cache (RFC 6749 section 5.1).
pub fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    answer_text(status, body.to_string())
}

/// The same from JSON text.
pub fn answer_text(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error with a text.
pub fn detail(status: StatusCode, text: &str) -> Response<Body> {
    answer(status, &json!({ "detail": text }))
}

/// 404.
pub async fn not_found() -> Response<Body> {
    detail(StatusCode::NOT_FOUND, "Not Found")
}

/// 405 with the methods that would do.
pub fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response = detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// A refusal of the token service.
pub fn refusal(refusal: &Refusal, request_id: &str) -> Response<Body> {
    match refusal {
        Refusal::BadRequest(text) => detail(StatusCode::BAD_REQUEST, text),
        Refusal::Denied => detail(StatusCode::UNAUTHORIZED, "Invalid credentials"),
        Refusal::Throttled(pause) => {
            later(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests", *pause)
        }
        Refusal::Unavailable(pause) => later(
            StatusCode::SERVICE_UNAVAILABLE,
            "Service Unavailable",
            *pause,
        ),
        Refusal::Fault => answer(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "detail": "Internal Server Error", "request_id": request_id }),
        ),
    }
}

/// An error that passes, with `Retry-After` in whole seconds (RFC 9110 section 10.2.3).
fn later(status: StatusCode, text: &str, pause: Duration) -> Response<Body> {
    let mut response = detail(status, text);
    response.headers_mut().insert(RETRY_AFTER, seconds(pause));
    response
}

/// A pause as `Retry-After` says it: whole seconds, at least one.
pub fn seconds(pause: Duration) -> HeaderValue {
    let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}
