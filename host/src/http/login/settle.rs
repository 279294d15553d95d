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
        "the user is too large for the cookies of a session, with {groups} groups, {roles} roles and attributes beside; let the backend take fewer of them over"
    )]
    TooLarge { groups: usize, roles: usize },
}

/// The way to where he wanted to go, with the session of a user who was let in. A session that
/// the browser had before is over: whoever has its cookie has nothing.
pub(super) async fn sign_in(
    serving: &Serving,
    visit: &Visit,
    admitted: Admitted<'_>,
    private: Value,
    way_on: Response<Body>,
) -> Result<Response<Body>, Refusal> {
    let browser = &serving.browser;
    let principal = admitted.principal().clone();
    let Some(session) = Session::begin(browser, principal, private, visit.now) else {
        return Err(admitted.fault(&NoSession::NoRandom));
    };
    let Some(cookies) = session.cookies(browser, &visit.headers) else {
        let user = &session.principal.user;
        return Err(admitted.fault(&NoSession::TooLarge {
            groups: user.groups.len(),
            roles: user.roles.len(),
        }));
    };
    if let Some(before) = Session::of(browser, &visit.headers, visit.now)
        && let Err(error) = before.end(browser, visit.now).await
    {
        return Err(admitted.unavailable(&error));
    }
    admitted.signed_in();
    Ok(page::with_cookies(way_on, cookies))
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
