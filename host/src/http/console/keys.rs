//! `/console/keys`: which keys there are, and where each is in its life.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::KEYS;
use super::door::Inside;
use super::shell::{Badge, Shell};
use crate::keys::{KeySet, KeyState, KeyView};

#[derive(Template)]
#[template(path = "console/keys.html")]
struct Page<'a> {
    shell: Shell<'a>,
    rings: Vec<Ring>,
}

struct Ring {
    /// The audience's name; none = the shared one.
    audience: Option<String>,
    rows: Vec<Row>,
}

struct Row {
    badge: Badge,
    key: KeyView,
}

/// The page.
pub(super) fn show(inside: &Inside) -> Response<Body> {
    let keys = inside.serving.tokens.keys.load();
    let own = keys.own().iter();
    let own = own.map(|(audience, keys)| ring(Some(audience.clone()), keys));
    let page = Page {
        shell: inside.shell(KEYS),
        rings: std::iter::once(ring(None, keys.shared()))
            .chain(own)
            .collect(),
    };
    inside.page(StatusCode::OK, &page)
}

fn ring(audience: Option<String>, keys: &KeySet) -> Ring {
    let row = |key: &KeyView| Row {
        badge: Badge::new(kind(key.state), key.state.name()),
        key: key.clone(),
    };
    Ring {
        audience,
        rows: keys.list().iter().map(row).collect(),
    }
}

fn kind(state: KeyState) -> &'static str {
    match state {
        KeyState::Active => "good",
        KeyState::Retiring => "late",
        _ => "soft",
    }
}
