//! What stands around each page of the console: its looks, its ways, who is signed in.

use std::sync::LazyLock;

use askama::Template;

use super::{BACKENDS, BOTS, DECISIONS, KEYS};
use crate::http::browser::Browser;
use crate::http::login::LOGOUT;
use crate::http::login::page::{Frame, Sheet};

/// The looks of wide pages.
pub(super) static SHEET: LazyLock<Sheet> = LazyLock::new(|| {
    Sheet::of(concat!(
        include_str!("../../../templates/look.css"),
        include_str!("../../../templates/console.css")
    ))
});

/// What stands around a page.
pub(super) struct Shell<'a> {
    pub frame: Frame,
    pub ways: Vec<Way>,
    pub user: &'a str,
    pub logout: String,
}

/// A section of the console.
pub(super) struct Way {
    pub title: &'static str,
    pub href: String,
    pub is_here: bool,
}

/// A word that is to be seen first.
#[derive(Template)]
#[template(path = "console/badge.html")]
pub(super) struct Badge {
    /// `good`, `late`, `bad` or `soft`.
    pub kind: &'static str,
    pub text: String,
}

impl<'a> Shell<'a> {
    /// Of a page in the section `here`.
    pub(super) fn of(browser: &Browser, user: &'a str, here: &str) -> Self {
        let way = |(title, path)| Way {
            title,
            href: browser.path(path),
            is_here: path == here,
        };
        let sections = [
            ("Bots", BOTS),
            ("Keys", KEYS),
            ("Backends", BACKENDS),
            ("Decisions", DECISIONS),
        ];
        Shell {
            frame: Frame::of(browser).dressed(&SHEET),
            ways: sections.map(way).into(),
            user,
            logout: browser.path(LOGOUT),
        }
    }
}

impl Badge {
    pub(super) fn new(kind: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        Badge { kind, text }
    }
}
