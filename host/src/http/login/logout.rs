//! `/logout`: the end of the session, here and, where the backend knows how, at the provider
//! (OpenID Connect RP-Initiated Logout 1.0).

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use countersign_abi::Operation;
use serde_json::json;

use super::guard::{self, Guard};
use super::page::{self, Frame};
use super::visit::Visit;
use super::{begin, form, trouble};
use crate::http::browser::Browser;
use crate::http::session::Session;
use crate::http::{Face, Serving};

/// Says for a while that the user has just signed out, so that `auto_redirect` does not sign
/// him in again.
const OVER: &str = "signed-out";

/// That while, in seconds.
const WHILE: u64 = 300;

#[derive(Template)]
#[template(path = "logout.html")]
struct Page<'a> {
    frame: Frame,
    username: &'a str,
    logout: String,
    login: String,
    token: String,
    /// What went wrong.
    alert: &'a str,
    request: &'a str,
}

/// `GET /logout`: another site may lead here, so nothing happens yet.
pub(super) fn ask(face: &Face, visit: &Visit) -> Response<Body> {
    confirm(&face.latest(), visit, StatusCode::OK, "")
}

/// `POST /logout`.
pub(super) async fn end(face: &Face, visit: Visit, sent: Body) -> Response<Body> {
    let fields = match form::read(&visit.headers, sent).await {
        Ok(fields) => fields,
        Err(status) => return form::unreadable(&face.latest(), &visit, status),
    };
    let serving = face.enter().await;
    let browser = &serving.browser;
    if !guard::is_ours(browser, &visit.headers, fields.get("token"), visit.now) {
        let alert = "This page had been open for too long. Please try again. If you see this again, allow cookies for this site.";
        return confirm(&serving, &visit, StatusCode::FORBIDDEN, alert);
    }
    let login = browser.path(super::LOGIN);
    // One that was ended may have been so at this host alone.
    let Some(session) = Session::carried(browser, &visit.headers, visit.now) else {
        return page::see_other(&login);
    };
    let mut cookies = match session.end(browser, visit.now).await {
        Ok(cookies) => cookies,
        Err(error) => {
            tracing::warn!(target: "http", request = visit.id, %error, "not signed out");
            return trouble::not_now(&serving, &visit);
        }
    };
    cookies.push(browser.set_cookie(OVER, "1", Some(WHILE)));
    let provider = at_provider(&serving, &visit, session).await;
    let place = provider.unwrap_or(login);
    let text = "If the page for signing out of your single sign-on, too, does not open by itself, go on here.";
    let way_on = page::onward(browser, &place, "You are signed out", text);
    page::with_cookies(way_on, cookies)
}

/// The provider's page for signing out. A backend that cannot say changes nothing: the
/// session here is over.
async fn at_provider(serving: &Serving, visit: &Visit, session: Session) -> Option<String> {
    let backend = serving.tokens.registry.get(&session.principal.backend)?;
    if !backend.capabilities.browser {
        return None;
    }
    let arguments = json!({
        "return_to": format!("{}{}", serving.browser.public_url, super::LOGIN),
        "private": session.private,
    });
    let answer = backend.call(Operation::LogoutUrl, &visit.id, arguments);
    match answer.await {
        Ok(answer) => answer["url"].as_str().and_then(begin::web),
        Err(failure) => {
            let (backend, reason) = (&backend.id, failure.detail);
            tracing::warn!(target: "http", backend, reason, "signed out here, but not at the provider");
            None
        }
    }
}

fn confirm(serving: &Serving, visit: &Visit, status: StatusCode, alert: &str) -> Response<Body> {
    let browser = &serving.browser;
    let Some(session) = Session::of(browser, &visit.headers, visit.now) else {
        return page::see_other(&browser.path(super::LOGIN));
    };
    let Some(guard) = Guard::new(browser, &visit.headers, visit.now) else {
        return trouble::fault(serving, visit);
    };
    let confirmation = Page {
        frame: Frame::of(browser),
        username: &session.principal.user.username,
        logout: browser.path(super::LOGOUT),
        login: browser.path(super::LOGIN),
        token: guard.token,
        alert,
        request: &visit.id,
    };
    let page = page::html(status, &confirmation, &[]);
    page::with_cookies(page, [guard.cookie])
}

/// Has the user of this browser just signed out?
pub(super) fn is_just_over(browser: &Browser, headers: &HeaderMap) -> bool {
    browser.cookie(headers, OVER).is_some()
}

/// The `Set-Cookie` value that forgets it.
pub(super) fn forget(browser: &Browser) -> String {
    browser.set_cookie(OVER, "", None)
}
