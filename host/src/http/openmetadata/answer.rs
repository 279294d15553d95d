//! Answers as OpenMetadata gives them: errors are `{"code", "message"}`, and nothing may be
//! cached, for a token may stand in it.

use axum::body::Body;
use axum::http::header::{ALLOW, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::http::{dpop, error};
use crate::token::Refusal;
use crate::token::dpop::NotProved;
use crate::token::management::{Kind, ManagementError};

/// A refusal, ready to be sent; boxed, since it is large and rare.
pub(super) type Refused = Box<Response<Body>>;

pub(super) fn ok(body: &Value) -> Response<Body> {
    error::answer(StatusCode::OK, body)
}

pub(super) fn created(body: &Value) -> Response<Body> {
    error::answer(StatusCode::CREATED, body)
}

pub(super) fn refuse(status: StatusCode, message: &str) -> Refused {
    let body = json!({ "code": status.as_u16(), "message": message });
    let mut response = error::answer(status, &body);
    if status == StatusCode::UNAUTHORIZED {
        // Never `Basic`: a browser would keep the password and send it along.
        for scheme in ["om-auth", "Bearer realm=\"countersign\""] {
            let scheme = HeaderValue::from_static(scheme);
            response.headers_mut().append(WWW_AUTHENTICATE, scheme);
        }
        let proved = dpop::challenge(None);
        response.headers_mut().append(WWW_AUTHENTICATE, proved);
    }
    Box::new(response)
}

/// The token's proof does not hold (RFC 9449 section 7.1), or wants a nonce (section 9): this one.
pub(super) fn not_proved(why: &NotProved, nonce: Option<HeaderValue>) -> Refused {
    let text = format!("Not Authorized! {why}");
    let mut response = refuse(StatusCode::UNAUTHORIZED, &text);
    let headers = response.headers_mut();
    headers.insert(WWW_AUTHENTICATE, dpop::challenge(Some(why.error())));
    if let Some(nonce) = nonce {
        headers.insert(dpop::NONCE, nonce);
    }
    response
}

pub(super) fn wrong(message: &str) -> Refused {
    refuse(StatusCode::BAD_REQUEST, message)
}

pub(super) fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let mut response = refuse(
        StatusCode::METHOD_NOT_ALLOWED,
        "HTTP 405 Method Not Allowed",
    );
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(ALLOW, allowed);
    *response
}

/// Nobody was let in. 429 and 503 keep their `Retry-After`.
pub(super) fn not_let_in(refusal: &Refusal, request: &str) -> Refused {
    let plain = error::refusal(refusal, request);
    let message = match refusal {
        Refusal::Denied => "Not Authorized! Invalid credentials",
        Refusal::BadRequest(text) => text,
        Refusal::Throttled(_) => "Too many attempts, try again later",
        Refusal::Unavailable(_) => "Nobody can be asked right now, try again later",
        Refusal::Fault => "The server's log has the reason",
    };
    let mut response = refuse(plain.status(), message);
    let later = plain.headers().get(axum::http::header::RETRY_AFTER);
    if let Some(later) = later {
        let name = axum::http::header::RETRY_AFTER;
        response.headers_mut().insert(name, later.clone());
    }
    response
}

/// It was not done. What of ours is broken stands in the log alone.
pub(super) fn not_done(error: &ManagementError, request: &str) -> Refused {
    let status = match error.kind() {
        Kind::Wrong => StatusCode::BAD_REQUEST,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => {
            tracing::warn!(request, %error, "not done");
            return not_let_in(
                &Refusal::Unavailable(std::time::Duration::from_secs(5)),
                request,
            );
        }
        Kind::Fault => {
            tracing::error!(request, %error, "not done");
            return not_let_in(&Refusal::Fault, request);
        }
    };
    refuse(status, &error.to_string())
}
