//! `GET /login`: the ways to sign in; or, signed in, who you are and the way out.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::choices;
use super::guard::Guard;
use super::moment::Moment;
use super::page::{self, Frame};
use super::visit::Visit;
use super::ways::{self, Ways};
use super::{begin, logout, return_to, trouble};
use crate::http::session::Session;
use crate::http::tokens::TOKENS;
use crate::http::{Face, Serving};

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage<'a> {
    frame: Frame,
    name: String,
    username: &'a str,
    email: &'a str,
    backend: String,
    roles: &'a [String],
    since: Moment,
    until: Moment,
    way_on: Option<String>,
    /// Where he makes tokens for himself, if users may.
    tokens: Option<String>,
    logout: String,
    token: String,
}

/// `GET /login`.
pub(super) async fn show(face: &Face, visit: &Visit) -> Response<Body> {
    let serving = face.enter().await;
    let browser = &serving.browser;
    let asked = visit.parameter("return_to");
    let place = return_to::allowed(browser, asked.as_deref());
    let session = Session::of(browser, &visit.headers, visit.now);
    // One whose backend takes no logins any more opens no door: he is to sign in anew.
    let session = session.filter(|session| serving.tokens.takes(&session.principal));
    if let Some(session) = session {
        return signed_in(&serving, visit, &session, place);
    }
    let registry = &serving.tokens.registry;
    let signed_out = logout::is_just_over(browser, &visit.headers);
    if browser.settings.auto_redirect && !signed_out && !choices::has_form(registry) {
        let mut providers = registry.iter().filter(|it| choices::is_provider(it));
        if let (Some(only), None) = (providers.next(), providers.next()) {
            return begin::lead_away(&serving, visit, only, place.as_deref()).await;
        }
    }
    let ways = Ways {
        notice: if signed_out {
            "You are signed out."
        } else {
            ""
        },
        return_to: place.as_deref(),
        ..Ways::default()
    };
    let page = ways::page(&serving, visit, &ways);
    page::with_cookies(page, signed_out.then(|| logout::forget(browser)))
}

fn signed_in(
    serving: &Serving,
    visit: &Visit,
    session: &Session,
    place: Option<String>,
) -> Response<Body> {
    let browser = &serving.browser;
    let Some(guard) = Guard::new(browser, &visit.headers, visit.now) else {
        return trouble::fault(serving, visit);
    };
    let user = &session.principal.user;
    let name = format!("{} {}", user.first_name, user.last_name);
    let backend = serving.tokens.registry.get(&session.principal.backend);
    let signed_in = SignedInPage {
        frame: Frame::of(browser),
        name: name.trim().to_owned(),
        username: &user.username,
        email: &user.email,
        backend: backend.map(choices::title).unwrap_or_default(),
        roles: &user.roles,
        since: Moment::of(session.since),
        until: Moment::of(session.until),
        way_on: place.filter(|place| *place != browser.path(super::LOGIN)),
        tokens: serving.bots.personal_tokens.then(|| browser.path(TOKENS)),
        logout: browser.path(super::LOGOUT),
        token: guard.token,
    };
    let page = page::html(StatusCode::OK, &signed_in, &[]);
    page::with_cookies(page, [guard.cookie])
}
