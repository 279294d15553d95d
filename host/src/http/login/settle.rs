//! What follows an answer about who is asking: a session, or a page that says why not.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::Value;

use super::page;
use super::visit::Visit;
use crate::http::Serving;
use crate::http::session::Session;
use crate::token::{Admitted, Refusal};

#[derive(Debug, thiserror::Error)]
enum NoSession {
    #[error("the system has no random numbers")]
    NoRandom,
    #[error(
        "the user, with roles, groups and attributes, is too large for the cookies of a session"
    )]
    TooLarge,
}

/// The session of a user who was let in, and the way to where he wanted to go. A session that
/// the browser had before is over: whoever has its cookie has nothing.
pub(super) fn sign_in(
    serving: &Serving,
    visit: &Visit,
    admitted: Admitted<'_>,
    private: Value,
    place: &str,
) -> Result<Response<Body>, Refusal> {
    let browser = &serving.browser;
    let principal = admitted.principal().clone();
    let Some(session) = Session::begin(browser, principal, private, visit.now) else {
        return Err(admitted.fault(&NoSession::NoRandom));
    };
    let Some(cookies) = session.cookies(browser, &visit.headers) else {
        return Err(admitted.fault(&NoSession::TooLarge));
    };
    if let Some(before) = Session::of(browser, &visit.headers, visit.now) {
        before.end(browser, visit.now);
    }
    admitted.signed_in();
    Ok(page::with_cookies(page::see_other(place), cookies))
}

/// The status of a refusal.
pub(super) fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::BadRequest(_) => StatusCode::BAD_REQUEST,
        Refusal::Denied => StatusCode::UNAUTHORIZED,
        Refusal::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Fault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
