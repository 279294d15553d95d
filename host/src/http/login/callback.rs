//! `GET /callback/{backend}`: the browser is back from the provider. Its state must be that
//! of a login which this browser began, and was not back from before (RFC 9700 section 2.1),
//! and it comes to the address that this backend's provider was told, which is no other one's:
//! else a provider that is evil could have the code of another one (section 4.4).

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde_json::{Map, Value, json};
use url::Url;

use super::fields::Fields;
use super::pending::Pending;
use super::trouble::{self, Trouble, in_words};
use super::visit::Visit;
use super::{begin, choices, page, settle};
use crate::backends::backend::Backend;
use crate::http::{Face, Serving};
use crate::token::Refusal;
use crate::token::attempt::{turned_away, unbegun};

/// Longer parameters are no provider's, in bytes.
const LONGEST: usize = 16 * 1024;

/// Ends the login that the browser began.
pub(super) async fn finish(face: &Face, visit: Visit, id: Option<String>) -> Response<Body> {
    let serving = face.enter().await;
    let (fields, pending) = match find(&serving, &visit, id.as_deref()) {
        Ok(found) => found,
        Err(reason) => return start_again(&serving, &visit, reason),
    };
    let browser = &serving.browser;
    let backend = serving.tokens.registry.get(&pending.backend);
    let backend = backend.filter(|backend| choices::is_provider(backend));
    let answer = match (pending.use_up(browser, visit.now).await, backend) {
        (Ok(false), _) => start_again(&serving, &visit, "the state was used before"),
        (_, None) => trouble::not_found(&serving, &visit),
        (Err(error), Some(backend)) => {
            let request = visit.request(json!({}), Some(backend.id.clone()));
            unbegun(&request, &backend.id, "unavailable", &error.to_string());
            trouble::not_now(&serving, &visit)
        }
        (Ok(true), Some(backend)) => {
            let done = sign_in(&serving, &visit, backend, &fields, &pending).await;
            done.unwrap_or_else(|refusal| told(&serving, &visit, backend, &pending, &refusal))
        }
    };
    page::with_cookies(answer, [pending.forget(browser)])
}

/// The parameters, and the login that they belong to; or why there is none, for the log.
fn find(
    serving: &Serving,
    visit: &Visit,
    id: Option<&str>,
) -> Result<(Fields, Pending), &'static str> {
    if visit.query.len() > LONGEST {
        return Err("the parameters are too long");
    }
    let fields = Fields::read(visit.query.as_bytes())?;
    let state = fields.get("state").ok_or("there is no state")?;
    let pending = Pending::of(&serving.browser, &visit.headers, state, visit.now);
    let pending =
        pending.ok_or("the state is not of a login that this browser began, or it is too old")?;
    match id {
        Some(id) if id != pending.backend => Err("the state is of a login at another backend"),
        _ if !is_awaited(serving, &pending.backend, id) => {
            Err("the callback is not where this backend's provider was told to lead back to")
        }
        _ => Ok((fields, pending)),
    }
}

/// Is this, with the backend's id or without one, where logins of the backend come back to?
fn is_awaited(serving: &Serving, backend: &str, id: Option<&str>) -> bool {
    let Some(backend) = serving.tokens.registry.get(backend) else {
        return true; // There is a page that says so.
    };
    let told = Url::parse(&begin::redirect_uri(&serving.browser, backend));
    let shared = serving.browser.path(super::CALLBACK);
    told.is_ok_and(|told| (told.path() == shared) == id.is_none())
}

async fn sign_in(
    serving: &Serving,
    visit: &Visit,
    backend: &Backend,
    fields: &Fields,
    pending: &Pending,
) -> Result<Response<Body>, Refusal> {
    let parameters = fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.into()));
    let callback = json!({
        "parameters": parameters.collect::<Map<String, Value>>(),
        "private": pending.private,
    });
    let request = visit.request(json!({}), Some(backend.id.clone()));
    let back = serving.tokens.finish_login(&request, backend, callback);
    let (admitted, private) = back.await?;
    let way_on = page::see_other(&pending.return_to);
    settle::sign_in(serving, visit, admitted, private, way_on).await
}

fn start_again(serving: &Serving, visit: &Visit, reason: &'static str) -> Response<Body> {
    turned_away(&visit.request(json!({}), None), reason);
    let trouble = Trouble {
        status: StatusCode::BAD_REQUEST,
        heading: "Please start again",
        text: "This sign-in was begun in another browser, is over already, or took too long. If you see this again, allow cookies for this site."
            .into(),
        way_on: "Start again",
        href: String::new(),
    };
    trouble::page(serving, visit, &trouble)
}

fn told(
    serving: &Serving,
    visit: &Visit,
    backend: &Backend,
    pending: &Pending,
    refusal: &Refusal,
) -> Response<Body> {
    let title = choices::title(backend);
    let (heading, text, pause) = match refusal {
        Refusal::Denied => (
            "You are not signed in",
            format!(
                "The sign-in with {title} was cancelled or did not succeed, or you have no account here. Try again, or ask your administrator for access."
            ),
            None,
        ),
        Refusal::BadRequest(_) => (
            "You are not signed in",
            format!("What {title} sent back cannot be understood. Please try again."),
            None,
        ),
        Refusal::Throttled(pause) => (
            "Too many attempts",
            format!("Try again in {}.", in_words(*pause)),
            Some(*pause),
        ),
        Refusal::Unavailable(pause) => (
            "Not right now",
            format!(
                "{title} does not answer. Try again in {}, or sign in another way.",
                in_words(*pause)
            ),
            Some(*pause),
        ),
        Refusal::Fault => return trouble::fault(serving, visit),
    };
    let browser = &serving.browser;
    let trouble = Trouble {
        status: settle::status(refusal),
        heading,
        text,
        way_on: "See the ways to sign in",
        href: choices::link(browser, super::LOGIN, Some(&pending.return_to)),
    };
    let page = trouble::page(serving, visit, &trouble);
    match pause {
        Some(pause) => trouble::later(page, pause),
        None => page,
    }
}
