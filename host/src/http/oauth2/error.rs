//! Errors of the token endpoint: RFC 6749 section 5.2, with RFC 8707's `invalid_target`.
//!
//! A client is told what it did wrong in words of ours, or of the backend for the public; never
//! in words that it sent. What passes (429, 503) is `temporarily_unavailable` with `Retry-After`,
//! what is our fault (500) is `server_error`: names of RFC 6749 section 4.1.2.1, which has none
//! for this endpoint.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

use crate::http::{dpop, error as plain};
use crate::token::Refusal;
use crate::token::dpop::NotProved;

/// Why the client gets no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// `error`.
    pub name: &'static str,
    /// `error_description`.
    pub description: Cow<'static, str>,
    status: StatusCode,
    retry_after: Option<Duration>,
    /// The client used `Authorization`, and is told the scheme (RFC 9110 section 11.6.1).
    challenged: bool,
    /// The audit log knows already.
    told: bool,
    /// For the client's next proof (RFC 9449 section 8).
    nonce: Option<HeaderValue>,
}

impl Error {
    fn new(name: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Error {
            name,
            description: description.into(),
            status: StatusCode::BAD_REQUEST,
            retry_after: None,
            challenged: false,
            told: false,
            nonce: None,
        }
    }

    /// A parameter is missing, malformed, repeated, or not understood.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("invalid_request", description)
    }

    /// The client cannot be authenticated: whichever it is, and whatever it showed.
    pub fn invalid_client(challenged: bool) -> Self {
        Error {
            status: StatusCode::UNAUTHORIZED,
            challenged,
            ..Error::new("invalid_client", "client authentication failed")
        }
    }

    /// The code, the refresh token … is invalid, expired, or another client's.
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("invalid_grant", description)
    }

    /// The client is who it says it is, and may not have this.
    pub fn unauthorized_client(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("unauthorized_client", description)
    }

    /// What a device that waits for its user is told (RFC 8628 section 3.5).
    pub fn device(name: &'static str, description: &'static str) -> Self {
        Error::new(name, description)
    }

    /// The proof that the client has its key does not hold (RFC 9449 section 5), or wants a nonce:
    /// this one.
    pub fn not_proved(why: &NotProved, nonce: Option<HeaderValue>) -> Self {
        Error {
            nonce,
            ..Error::new(why.error(), why.to_string())
        }
    }

    /// There is no such grant here.
    pub fn unsupported_grant_type(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("unsupported_grant_type", description)
    }

    /// The scope is unknown, or more than the client may have.
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("invalid_scope", description)
    }

    /// There is no such audience (RFC 8707 section 2).
    pub fn invalid_target(description: impl Into<Cow<'static, str>>) -> Self {
        Error::new("invalid_target", description)
    }

    /// The same with another status than 400.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The token service refused, and told the audit log; `denied` is what the grant calls a
    /// denial.
    pub fn refused(refusal: Refusal, denied: Error) -> Self {
        let later = |status, pause| Error {
            status,
            retry_after: Some(pause),
            ..Error::new("temporarily_unavailable", "try again later")
        };
        let error = match refusal {
            Refusal::Denied => denied,
            Refusal::BadRequest(text) => Error::invalid_request(text),
            Refusal::Throttled(pause) => later(StatusCode::TOO_MANY_REQUESTS, pause),
            Refusal::Unavailable(pause) => later(StatusCode::SERVICE_UNAVAILABLE, pause),
            Refusal::Fault => Error {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                ..Error::new("server_error", "the server's log has the reason")
            },
        };
        Error {
            told: true,
            ..error
        }
    }

    /// The same, and the audit log has been told, or need not be.
    #[must_use]
    pub fn told(mut self) -> Self {
        self.told = true;
        self
    }

    /// What the audit log is to be told, unless it was.
    pub fn untold(&self) -> Option<String> {
        (!self.told).then(|| format!("{}: {}", self.name, self.description))
    }

    /// As it is answered; a fault names the request.
    pub fn response(&self, request_id: &str) -> Response<Body> {
        let mut body = json!({
            "error": self.name,
            "error_description": printable(&self.description),
        });
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            body["request_id"] = request_id.into();
        }
        let mut response = answer(self.status, &body);
        let headers = response.headers_mut();
        if let Some(pause) = self.retry_after {
            headers.insert(RETRY_AFTER, plain::seconds(pause));
        }
        if let Some(nonce) = &self.nonce {
            headers.insert(dpop::NONCE, nonce.clone());
        }
        if self.challenged {
            let challenge = HeaderValue::from_static(r#"Basic realm="countersign""#);
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// 405, in this endpoint's shape.
pub fn method_not_allowed(allowed: &'static str) -> Response<Body> {
    let error = Error::invalid_request("the method must be POST");
    let mut response = error
        .with_status(StatusCode::METHOD_NOT_ALLOWED)
        .response("");
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// JSON that nobody may cache, HTTP/1.0 included (RFC 6749 section 5.1).
pub fn answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = plain::answer(status, body);
    response
        .headers_mut()
        .insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A description has characters of these alone (RFC 6749 appendix A.8).
fn printable(text: &str) -> String {
    let fits = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    text.chars()
        .map(|c| if fits(c) { c } else { '?' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_has_only_the_characters_that_it_may() {
        assert_eq!(printable("a \"b\" \\ é\r\n~"), "a ?b? ? ???~");
    }

    #[test]
    fn s03_refused_clients_are_told_the_same_whatever_they_showed() {
        let (basic, post) = (Error::invalid_client(true), Error::invalid_client(false));
        assert_eq!(
            (basic.name, &basic.description),
            (post.name, &post.description)
        );
        let (basic, post) = (basic.response("1"), post.response("1"));
        assert_eq!(
            (basic.status(), post.status()),
            (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
        );
        assert!(basic.headers().contains_key(WWW_AUTHENTICATE));
        assert!(!post.headers().contains_key(WWW_AUTHENTICATE));
    }

    #[test]
    fn refusal_of_the_token_service_keeps_its_status_and_its_pause() {
        let denied = || Error::invalid_grant("no");
        let pause = Duration::from_millis(1_200);
        for (refusal, status, name, retry) in [
            (Refusal::Denied, 400, "invalid_grant", None),
            (
                Refusal::BadRequest("x".into()),
                400,
                "invalid_request",
                None,
            ),
            (
                Refusal::Throttled(pause),
                429,
                "temporarily_unavailable",
                Some("2"),
            ),
            (
                Refusal::Unavailable(pause),
                503,
                "temporarily_unavailable",
                Some("2"),
            ),
            (Refusal::Fault, 500, "server_error", None),
        ] {
            let error = Error::refused(refusal, denied());
            assert_eq!((error.name, error.untold()), (name, None));
            let response = error.response("id");
            assert_eq!(response.status().as_u16(), status);
            let found = response.headers().get(RETRY_AFTER);
            assert_eq!(found.and_then(|value| value.to_str().ok()), retry);
            assert_eq!(response.headers()[PRAGMA], "no-cache");
        }
    }
}
