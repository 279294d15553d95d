//! `POST /login`: a username and a password, from a form of ours.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::fields::Fields;
use super::trouble::{self, Trouble, in_words};
use super::visit::Visit;
use super::ways::{self, Ways};
use super::{choices, guard, page, return_to, settle};
use crate::http::body::{self, Unread};
use crate::http::{Face, Serving};
use crate::token::Refusal;
use crate::token::attempt::{malformed, turned_away};

/// Signs in whoever the chain, or one backend alone, knows by these words.
pub(super) async fn submit(
    face: &Face,
    visit: Visit,
    sent: Body,
    only: Option<String>,
) -> Response<Body> {
    let fields = match read(&visit.headers, sent).await {
        Ok(fields) => fields,
        Err(status) => {
            malformed(&visit.request(json!({}), None), status.as_u16());
            return unreadable(&face.latest(), &visit, status);
        }
    };
    // Entered only now: a client that sends its form slowly must not hold up a reload.
    let serving = face.enter().await;
    if !is_open(&serving, only.as_deref()) {
        return trouble::not_found(&serving, &visit);
    }
    answer(&serving, &visit, &fields, only.as_deref()).await
}

async fn answer(
    serving: &Serving,
    visit: &Visit,
    fields: &Fields,
    only: Option<&str>,
) -> Response<Body> {
    let browser = &serving.browser;
    let place = return_to::allowed(browser, fields.get("return_to"));
    let ways = Ways {
        only,
        return_to: place.as_deref(),
        ..Ways::default()
    };
    if !guard::is_ours(browser, &visit.headers, fields.get("token"), visit.now) {
        let request = visit.request(json!({}), None);
        turned_away(
            &request,
            "the form is not of a page of this server that this browser has open",
        );
        return ways::page(
            serving,
            visit,
            &Ways {
                status: StatusCode::FORBIDDEN,
                alert: "This page had been open for too long. Please try again. If you see this again, allow cookies for this site.".into(),
                ..ways
            },
        );
    }
    let (username, password) = (fields.get("username"), fields.get("password"));
    let username = username.unwrap_or_default();
    let words = json!({ "username": username, "password": password.unwrap_or_default() });
    let request = visit.request(words, only.map(str::to_owned));
    let tokens = &serving.tokens;
    let settled = match tokens.authenticate(&request).await {
        Ok(admitted) => {
            let to = return_to::or_login(browser, place.as_deref());
            let text = "If the page where you wanted to go does not open by itself, go on here.";
            let way_on = page::onward(browser, &to, "You are signed in", text);
            settle::sign_in(serving, visit, admitted, Value::Null, way_on).await
        }
        Err(refusal) => Err(refusal),
    };
    settled.unwrap_or_else(|refusal| {
        let (alert, pause) = told(&refusal);
        let ways = Ways {
            status: settle::status(&refusal),
            alert,
            pause,
            username,
            ..ways
        };
        ways::page(serving, visit, &ways)
    })
}

/// Is there a form to be sent? That of one backend asks it out of turn, as its token route does.
pub(super) fn is_open(serving: &Serving, only: Option<&str>) -> bool {
    let registry = &serving.tokens.registry;
    match only {
        None => choices::has_form(registry),
        Some(id) => registry
            .get(id)
            .is_some_and(|backend| choices::takes_passwords(backend) && backend.settings.direct),
    }
}

pub(in crate::http) async fn read(headers: &HeaderMap, sent: Body) -> Result<Fields, StatusCode> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default();
    if !kind
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let bytes = body::bytes(sent).await.map_err(|unread| match unread {
        Unread::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Unread::Late => StatusCode::REQUEST_TIMEOUT,
        Unread::Broken => StatusCode::BAD_REQUEST,
    })?;
    let bytes = Zeroizing::new(bytes);
    Fields::read(&bytes).map_err(|_| StatusCode::BAD_REQUEST)
}

pub(in crate::http) fn unreadable(
    serving: &Serving,
    visit: &Visit,
    status: StatusCode,
) -> Response<Body> {
    let trouble = Trouble {
        status,
        heading: "The form cannot be read",
        text: "What your browser sent is not the form of this page, or did not arrive whole."
            .into(),
        way_on: "Start again",
        href: String::new(),
    };
    trouble::page(serving, visit, &trouble)
}

/// What the page says of a refusal. Never whether it was the name or the password.
fn told(refusal: &Refusal) -> (String, Option<std::time::Duration>) {
    match refusal {
        Refusal::BadRequest(text) => (format!("{}.", text.trim_end_matches('.')), None),
        Refusal::Denied => ("Wrong username or password.".into(), None),
        Refusal::Throttled(pause) => (
            format!("Too many attempts. Try again in {}.", in_words(*pause)),
            Some(*pause),
        ),
        Refusal::Unavailable(pause) => (
            format!(
                "Nobody can check your password right now. Try again in {}.",
                in_words(*pause)
            ),
            Some(*pause),
        ),
        Refusal::Fault => ("Something went wrong. The fault is not yours.".into(), None),
    }
}
