//! Pages that say what went wrong, in plain words: what to do, and the request's id for
//! whoever reads the logs; never a detail.

use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};

use super::page::{self, Frame};
use super::visit::Visit;
use crate::http::Serving;
use crate::token::refusal;

/// What a page of trouble says.
pub(in crate::http) struct Trouble {
    pub status: StatusCode,
    pub heading: &'static str,
    pub text: String,
    /// What the link says.
    pub way_on: &'static str,
    /// Where it leads; empty = to `/login`.
    pub href: String,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct Page<'a> {
    frame: Frame,
    trouble: &'a Trouble,
    href: &'a str,
    request: &'a str,
}

/// The page.
pub(in crate::http) fn page(serving: &Serving, visit: &Visit, trouble: &Trouble) -> Response<Body> {
    let browser = &serving.browser;
    let login = browser.path(super::LOGIN);
    let page = Page {
        frame: Frame::of(browser),
        trouble,
        href: if trouble.href.is_empty() {
            &login
        } else {
            &trouble.href
        },
        request: &visit.id,
    };
    page::html(trouble.status, &page, &[])
}

/// There is no such address or backend, or it offers nothing to browsers.
pub(in crate::http) fn not_found(serving: &Serving, visit: &Visit) -> Response<Body> {
    let trouble = Trouble {
        status: StatusCode::NOT_FOUND,
        heading: "There is no such page",
        text: "Nothing is at this address, or not any more.".to_owned(),
        way_on: "See the ways to sign in",
        href: String::new(),
    };
    page(serving, visit, &trouble)
}

/// 405.
pub(in crate::http) fn method_not_allowed(
    serving: &Serving,
    visit: &Visit,
    allowed: &'static str,
) -> Response<Body> {
    let trouble = Trouble {
        status: StatusCode::METHOD_NOT_ALLOWED,
        heading: "This does not work here",
        text: "The page cannot be used in this manner.".to_owned(),
        way_on: "Start again",
        href: String::new(),
    };
    let mut response = page(serving, visit, &trouble);
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Something is wrong with us or with a plugin.
pub(in crate::http) fn fault(serving: &Serving, visit: &Visit) -> Response<Body> {
    let trouble = Trouble {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        heading: "Something went wrong",
        text: "The fault is not yours. Please try again in a moment.".to_owned(),
        way_on: "Start again",
        href: String::new(),
    };
    page(serving, visit, &trouble)
}

/// What must be remembered cannot be: the store does not answer.
pub(in crate::http) fn not_now(serving: &Serving, visit: &Visit) -> Response<Body> {
    let pause = refusal::RETRY_AFTER;
    let trouble = Trouble {
        status: StatusCode::SERVICE_UNAVAILABLE,
        heading: "Not right now",
        text: format!(
            "The server could not write this down. Try again in {}.",
            in_words(pause)
        ),
        way_on: "Start again",
        href: String::new(),
    };
    later(page(serving, visit, &trouble), pause)
}

/// The answer with `Retry-After` in whole seconds (RFC 9110 section 10.2.3).
pub(in crate::http) fn later(mut response: Response<Body>, pause: Duration) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds(pause)));
    response
}

/// The same in words: `5 seconds`, `2 minutes`.
pub(in crate::http) fn in_words(pause: Duration) -> String {
    let seconds = seconds(pause);
    let (number, unit) = match seconds {
        0..=90 => (seconds, "second"),
        91..=5_400 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3_600), "hour"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

fn seconds(pause: Duration) -> u64 {
    (pause.as_secs() + u64::from(pause.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_told_in_the_unit_that_people_use() {
        for (millis, words) in [
            (0, "1 second"),
            (1_200, "2 seconds"),
            (90_000, "90 seconds"),
            (91_000, "2 minutes"),
            (3_600_000, "60 minutes"),
            (7_000_000, "2 hours"),
        ] {
            assert_eq!(in_words(Duration::from_millis(millis)), words);
        }
    }
}
