//! The answers to a browser: pages that load nothing, run nothing, and stand in nobody's
//! frame; and where it goes on.

use std::sync::LazyLock;

use askama::Template;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, LOCATION, REFERRER_POLICY,
    SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use crate::http::browser::Browser;

/// A style sheet, within each page: one request, and nothing else may style it.
pub struct Sheet {
    text: &'static str,
    /// As the policy names it.
    hash: String,
}

/// The looks of small pages: one card.
static CARD: LazyLock<Sheet> = LazyLock::new(|| {
    Sheet::of(concat!(
        include_str!("../../../templates/look.css"),
        include_str!("../../../templates/style.css")
    ))
});

impl Sheet {
    /// Of its text.
    pub fn of(text: &'static str) -> Self {
        let hash = BASE64_STANDARD.encode(Sha256::digest(text));
        Sheet { text, hash }
    }
}

/// What stands around each page's content.
pub struct Frame {
    /// `server.login.title`, or our name.
    pub brand: String,
    /// The style sheet.
    pub style: &'static str,
}

impl Default for Frame {
    /// With our name.
    fn default() -> Self {
        Frame {
            brand: "Countersign".to_owned(),
            style: CARD.text,
        }
    }
}

impl Frame {
    /// As configured.
    pub fn of(browser: &Browser) -> Self {
        let frame = Frame::default();
        match browser.settings.title.trim() {
            "" => frame,
            title => Frame {
                brand: title.to_owned(),
                ..frame
            },
        }
    }

    /// The same with another style sheet: the page is to be [`dressed`] in it.
    #[must_use]
    pub fn dressed(self, sheet: &Sheet) -> Self {
        Frame {
            style: sheet.text,
            ..self
        }
    }
}

/// Leads on from a form of ours.
#[derive(Template)]
#[template(path = "onward.html")]
struct Onward<'a> {
    frame: Frame,
    heading: &'a str,
    text: &'a str,
    place: &'a str,
}

/// A page. Its forms go to us and, led on by our answer, to the `targets`: Chromium counts
/// what follows a redirect, too.
pub fn html(status: StatusCode, page: &impl Template, targets: &[String]) -> Response<Body> {
    dressed(&CARD, status, page, targets)
}

/// The same of a page with another style sheet.
pub fn dressed(
    sheet: &Sheet,
    status: StatusCode,
    page: &impl Template,
    targets: &[String],
) -> Response<Body> {
    // Writing to memory does not fail.
    let text = page.render().unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; img-src data:; form-action 'self'{}; base-uri 'none'; frame-ancestors 'none'",
        sheet.hash,
        targets
            .iter()
            .map(|it| format!(" {it}"))
            .collect::<String>(),
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    guard(headers);
    response
}

/// 303: the browser goes there with GET, whatever it came with.
pub fn see_other(place: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    if let Ok(place) = HeaderValue::from_str(place) {
        headers.insert(LOCATION, place);
    }
    guard(headers);
    response
}

/// On from a form, to a path of ours or a URL. Elsewhere a page leads, by itself: redirects
/// would be the form's, for Chromium, and then its policy had to name every page on the way.
pub fn onward(browser: &Browser, place: &str, heading: &str, text: &str) -> Response<Body> {
    if place.starts_with('/') {
        return see_other(place);
    }
    let frame = Frame::of(browser);
    let page = Onward {
        frame,
        heading,
        text,
        place,
    };
    html(StatusCode::OK, &page, &[])
}

/// The answer with `Set-Cookie` values.
pub fn with_cookies(
    mut response: Response<Body>,
    cookies: impl IntoIterator<Item = String>,
) -> Response<Body> {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}

/// What every answer to a browser says. `same-origin`, for with `no-referrer` a form's
/// `Origin` would be `null` (Fetch, section 3.1).
fn guard(headers: &mut HeaderMap) {
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
