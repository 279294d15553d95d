//! What the browser is shown at the end of its way.

use askama::Template;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};

use crate::http::login::page::Frame;

/// As all our pages look.
#[derive(Template)]
#[template(path = "terminal.html")]
struct Page<'a> {
    frame: Frame,
    title: &'a str,
    text: &'a str,
}

/// A whole page, without a script, that nobody keeps.
pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Response<Full<Bytes>> {
    let frame = Frame::default();
    // Writing to memory does not fail.
    let html = Page { frame, title, text }.render().unwrap_or_default();
    let mut response = Response::new(Full::new(Bytes::from(html)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONNECTION, "close"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
