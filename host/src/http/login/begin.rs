//! `GET /login/{backend}`: to the backend's provider, or to its form.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use countersign_abi::{Code, Operation};
use serde_json::json;
use url::Url;

use super::pending::Pending;
use super::visit::Visit;
use super::ways::{self, Ways};
use super::{choices, form, page, return_to, trouble};
use crate::backends::backend::Backend;
use crate::http::browser::Browser;
use crate::http::{Face, Serving};
use crate::token::attempt::unbegun;

/// Waited when an outage does not say how long.
const PAUSE: Duration = Duration::from_secs(5);

/// Why a login does not begin.
struct Failed {
    /// None = it is no outage.
    pause: Option<Duration>,
    /// For the audit log.
    reason: String,
}

/// `GET /login/{backend}`.
pub(super) async fn at(face: &Face, visit: &Visit, id: &str) -> Response<Body> {
    let serving = face.enter().await;
    let asked = visit.parameter("return_to");
    let place = return_to::allowed(&serving.browser, asked.as_deref());
    match serving.tokens.registry.get(id) {
        Some(backend) if choices::is_provider(backend) => {
            lead_away(&serving, visit, backend, place.as_deref()).await
        }
        Some(_) if form::is_open(&serving, Some(id)) => {
            let ways = Ways {
                only: Some(id),
                return_to: place.as_deref(),
                ..Ways::default()
            };
            ways::page(&serving, visit, &ways)
        }
        _ => trouble::not_found(&serving, visit),
    }
}

/// To the backend's provider, with a cookie that knows the way back. A provider that is not
/// there leaves the other ways.
pub(super) async fn lead_away(
    serving: &Serving,
    visit: &Visit,
    backend: &Backend,
    place: Option<&str>,
) -> Response<Body> {
    let to = return_to::or_login(&serving.browser, place);
    let failed = match start(&serving.browser, visit, backend, to).await {
        Ok((url, cookies)) => return page::with_cookies(page::see_other(&url), cookies),
        Err(failed) => failed,
    };
    let request = visit.request(json!({}), Some(backend.id.clone()));
    let Some(pause) = failed.pause else {
        unbegun(&request, &backend.id, "fault", &failed.reason);
        return trouble::fault(serving, visit);
    };
    unbegun(&request, &backend.id, "unavailable", &failed.reason);
    let ways = Ways {
        status: StatusCode::SERVICE_UNAVAILABLE,
        alert: format!(
            "{} does not answer right now. Try again in {}, or sign in another way.",
            choices::title(backend),
            trouble::in_words(pause)
        ),
        pause: Some(pause),
        return_to: place,
        ..Ways::default()
    };
    ways::page(serving, visit, &ways)
}

/// The provider's page, and the cookies to go there with.
async fn start(
    browser: &Browser,
    visit: &Visit,
    backend: &Backend,
    to: String,
) -> Result<(String, Vec<String>), Failed> {
    let pending = Pending::new(&backend.id, to, visit.now);
    let mut pending = pending.ok_or_else(|| Failed::fault("the system has no random numbers"))?;
    let arguments = json!({
        "redirect_uri": redirect_uri(browser, backend),
        "state": pending.state,
        "nonce": pending.nonce,
    });
    let answer = backend.call(Operation::BeginLogin, &visit.id, arguments);
    let mut answer = answer.await.map_err(|failure| match failure.code {
        Code::Unavailable => Failed {
            pause: Some(match failure.retry_after_millis {
                0 => PAUSE,
                millis => Duration::from_millis(millis),
            }),
            reason: failure.detail,
        },
        _ => Failed::fault(&failure.detail),
    })?;
    let url = answer["url"].as_str().and_then(web);
    let url = url.ok_or_else(|| Failed::fault("begin_login returned no http(s) URL"))?;
    pending.private = answer["private"].take();
    let cookies = pending.cookies(browser, &visit.headers, visit.now);
    let too_large = "what begin_login wants to be kept is too large for a cookie";
    Ok((url, cookies.ok_or_else(|| Failed::fault(too_large))?))
}

/// Where the provider sends the browser back to.
pub(super) fn redirect_uri(browser: &Browser, backend: &Backend) -> String {
    match backend.settings.callback_url.as_str() {
        "" => format!("{}{}/{}", browser.public_url, super::CALLBACK, backend.id),
        configured => configured.to_owned(),
    }
}

/// A URL of a web page, as it may stand in `Location`.
pub(super) fn web(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

impl Failed {
    fn fault(reason: &str) -> Self {
        Failed {
            pause: None,
            reason: reason.to_owned(),
        }
    }
}
