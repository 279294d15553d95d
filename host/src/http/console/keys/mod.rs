//! `/console/keys`: which keys there are, where each is in its life, and what comes next. Keys
//! are changed by the command line alone: who holds a session of a browser does not hold them.

mod timeline;

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::KEYS;
use super::door::Inside;
use super::shell::{Badge, Shell};
use super::when::When;
use crate::http::login::moment::Moment;
use crate::keys::{KeySet, KeyState, KeyView};
use timeline::{Bar, Span};

#[derive(Template)]
#[template(path = "console/keys.html")]
struct Page<'a> {
    shell: Shell<'a>,
    rings: Vec<Ring>,
}

struct Ring {
    /// The audience's name; none = the shared one.
    audience: Option<String>,
    /// What of the command line means this ring.
    option: String,
    notices: Vec<String>,
    rows: Vec<Row>,
    /// What the bars reach over.
    from: Moment,
    to: Moment,
    /// Where now is among them.
    now: f64,
}

struct Row {
    badge: Badge,
    key: KeyView,
    bars: Vec<Bar>,
    /// What has happened, and what will.
    dates: Vec<(&'static str, When)>,
}

/// The page.
pub(super) fn show(inside: &Inside) -> Response<Body> {
    let keys = inside.serving.tokens.keys.load();
    let now = inside.visit.now;
    let page = Page {
        shell: inside.shell(KEYS),
        rings: keys
            .all()
            .map(|(audience, keys)| ring(audience, keys, now))
            .collect(),
    };
    inside.page(StatusCode::OK, &page)
}

fn ring(audience: Option<&str>, keys: &KeySet, now: u64) -> Ring {
    let list = keys.list();
    let span = Span::of(list, now);
    let row = |key: &KeyView| Row {
        badge: Badge::new(kind(key.state), key.state.name()),
        bars: timeline::bars(key, &span),
        dates: dates(key, now),
        key: key.clone(),
    };
    Ring {
        audience: audience.map(str::to_owned),
        option: audience.map_or_else(String::new, |name| format!(" --audience {name}")),
        notices: keys.notices().to_vec(),
        rows: list.iter().map(row).collect(),
        from: Moment::of(span.from),
        to: Moment::of(span.to),
        now: span.place(now),
    }
}

fn kind(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "good",
        KeyState::Retiring => "late",
        _ => "soft",
    }
}

fn dates(key: &KeyView, now: u64) -> Vec<(&'static str, When)> {
    let dates = [
        ("published", &key.published),
        ("may sign", &key.ready),
        ("signs since", &key.activated),
        ("rotates", &key.rotates),
        ("signs no more since", &key.retired),
        ("leaves", &key.leaves),
    ];
    let told = dates.into_iter().filter_map(|(name, at)| {
        let at = seconds(at.as_deref())?;
        Some((name, When::of(at, now)))
    });
    told.collect()
}

/// A time of the list, in seconds since 1970.
fn seconds(time: Option<&str>) -> Option<u64> {
    let time = OffsetDateTime::parse(time?, &Rfc3339).ok()?;
    u64::try_from(time.unix_timestamp()).ok()
}
