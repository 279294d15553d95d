//! The page with the ways to sign in: the providers, and the form.

use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::choices::{self, Choice};
use super::guard::Guard;
use super::page::{self, Frame};
use super::trouble;
use super::visit::Visit;
use crate::http::Serving;

/// What the page has to say.
#[derive(Default)]
pub(super) struct Ways<'a> {
    pub status: StatusCode,
    /// What went wrong; the request's id stands with it.
    pub alert: String,
    /// Try again after.
    pub pause: Option<Duration>,
    /// What is well.
    pub notice: &'static str,
    /// As it was typed.
    pub username: &'a str,
    /// The backend whose form it is; none = everybody's.
    pub only: Option<&'a str>,
    /// Where the login leads.
    pub return_to: Option<&'a str>,
}

/// The page.
pub(super) fn page(serving: &Serving, visit: &Visit, ways: &Ways<'_>) -> Response<Body> {
    let (browser, registry) = (&serving.browser, &serving.tokens.registry);
    let Some(guard) = Guard::new(browser, &visit.headers, visit.now) else {
        return trouble::fault(serving, visit);
    };
    let only = ways.only.and_then(|id| registry.get(id));
    let action = match only {
        Some(backend) => browser.path(&format!("{}/{}", super::LOGIN, backend.id)),
        None if choices::has_form(registry) => browser.path(super::LOGIN),
        None => String::new(),
    };
    let login_page = LoginPage {
        frame: Frame::of(browser),
        ways,
        providers: match only {
            Some(_) => Vec::new(),
            None => choices::providers(registry, browser, ways.return_to),
        },
        of: only.map(choices::title).unwrap_or_default(),
        action,
        token: guard.token,
        others: match only {
            Some(_) => choices::link(browser, super::LOGIN, ways.return_to),
            None => String::new(),
        },
        request: &visit.id,
    };
    let page = page::html(ways.status, &login_page, &[]);
    let page = page::with_cookies(page, [guard.cookie]);
    match ways.pause {
        Some(pause) => trouble::later(page, pause),
        None => page,
    }
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    frame: Frame,
    ways: &'a Ways<'a>,
    providers: Vec<Choice>,
    /// Whose form it is; empty = everybody's.
    of: String,
    /// Where the form goes; empty = there is none.
    action: String,
    token: String,
    /// The way to the other ways.
    others: String,
    request: &'a str,
}
