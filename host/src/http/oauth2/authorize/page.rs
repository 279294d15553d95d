//! The pages of the authorization endpoint.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use crate::http::browser::Browser;
use crate::http::login::guard::Guard;
use crate::http::login::page::{self, Frame};

/// The question, as it is put to the user.
#[derive(Template)]
#[template(path = "oauth2/confirm.html")]
pub(super) struct Confirm<'a> {
    pub(super) frame: Frame,
    /// Who is signed in.
    pub(super) username: &'a str,
    /// Whom the token is for.
    pub(super) audience: &'a str,
    /// Where the form goes.
    pub(super) action: &'a str,
    /// That it comes from our own page.
    pub(super) token: &'a str,
    /// What is confirmed, sealed.
    pub(super) request: &'a str,
}

#[derive(Template)]
#[template(path = "oauth2/refused.html")]
struct Refused<'a> {
    frame: Frame,
    text: &'a str,
    request: &'a str,
}

/// The question; `target` is where its form leads in the end.
pub(super) fn confirm(question: &Confirm<'_>, guard: &Guard, target: &str) -> Response<Body> {
    let response = page::html(StatusCode::OK, question, &[target.to_owned()]);
    page::with_cookies(response, [guard.cookie.clone()])
}

/// Nothing comes of it, and there is nobody else to tell.
pub(super) fn refused(browser: &Browser, request: &str, text: &str) -> Response<Body> {
    said(StatusCode::BAD_REQUEST, browser, request, text)
}

/// Our own mistake.
pub(super) fn broken(browser: &Browser, request: &str) -> Response<Body> {
    let text = "Something went wrong here. The fault is not yours.";
    said(StatusCode::INTERNAL_SERVER_ERROR, browser, request, text)
}

fn said(status: StatusCode, browser: &Browser, request: &str, text: &str) -> Response<Body> {
    let frame = Frame::of(browser);
    let refused = Refused {
        frame,
        text,
        request,
    };
    page::html(status, &refused, &[])
}
