//! `/console/bots`: the bots, a search among them, and the form for a new one; [`one`] is the
//! page of one.

mod forms;
pub(super) mod one;
mod view;

use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use url::form_urlencoded::Serializer;

use super::BOTS;
use super::door::{Inside, Refused};
use super::shell::Shell;
use super::when::When;
use crate::accounts::bots::{NewBot, Side};
use crate::accounts::lasting::Lasting;
use crate::http::login::fields::Fields;
use crate::http::login::page;
use crate::http::login::trouble::{self, Trouble};
use crate::token::management::{Kind, ManagementError};
use view::{Row, row};

/// On one page.
const LIMIT: u32 = 50;

#[derive(Template)]
#[template(path = "console/bots.html")]
struct Page<'a> {
    shell: Shell<'a>,
    action: String,
    token: String,
    search: &'a str,
    rows: Vec<Row>,
    /// Tokens that end soon, whichever the search.
    soon: Vec<Soon>,
    total: u64,
    next: Option<String>,
    first: Option<String>,
    /// The form as it was sent, where it was refused.
    sent: NewBot,
    /// Why it was.
    alert: String,
}

/// A bot's token that ends soon.
struct Soon {
    name: String,
    href: String,
    when: When,
}

/// The list.
pub(super) async fn show(inside: &Inside) -> Response<Body> {
    let answer = list(inside, StatusCode::OK, NewBot::default(), String::new()).await;
    answer.unwrap_or_else(|refused| *refused)
}

/// A new bot; then to its page.
pub(super) async fn add(inside: &Inside, body: Body) -> Response<Body> {
    let answer = added(inside, body).await;
    answer.unwrap_or_else(|refused| *refused)
}

async fn added(inside: &Inside, body: Body) -> Result<Response<Body>, Refused> {
    let fields = inside.sent(body, &inside.path(BOTS)).await?;
    let new = new_bot(&fields);
    let management = inside.serving.management();
    let management = management.map_err(|error| failed(inside, BOTS, &error))?;
    match management.create(&new, inside.asker()).await {
        Ok(bot) => Ok(page::see_other(&inside.path(&one::path(&bot.name)))),
        Err(error) if is_his(&error) => list(inside, status(&error), new, told(&error)).await,
        Err(error) => Err(failed(inside, BOTS, &error)),
    }
}

async fn list(
    inside: &Inside,
    status: StatusCode,
    sent: NewBot,
    alert: String,
) -> Result<Response<Body>, Refused> {
    let parameter = |name| inside.visit.parameter(name).unwrap_or_default();
    let (search, after) = (parameter("search"), parameter("after"));
    let management = inside.serving.management();
    let management = management.map_err(|error| failed(inside, BOTS, &error))?;
    let side = Side::After(&after);
    let found = management.search(search.trim(), side, LIMIT).await;
    let found = found.map_err(|error| failed(inside, BOTS, &error))?;
    let soon = management
        .expiring(Duration::from_secs(view::SOON), 20)
        .await;
    let soon = soon.map_err(|error| failed(inside, BOTS, &error))?;
    let guard = inside.guard()?;
    let action = inside.path(BOTS);
    let address = |after: &str| {
        let mut query = Serializer::new(String::new());
        for (name, value) in [("search", search.trim()), ("after", after)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("{action}?{}", query.finish())
    };
    let last = found.bots.last().map_or("", |it| it.bot.name.as_str());
    let list = Page {
        shell: inside.shell(BOTS),
        token: guard.token,
        search: search.trim(),
        next: found.more.then(|| address(last)),
        first: (!after.is_empty()).then(|| address("")),
        rows: found.bots.iter().map(|it| row(inside, it)).collect(),
        soon: soon
            .iter()
            .filter_map(|(bot, token)| ending(inside, bot, token))
            .collect(),
        total: found.total,
        action: action.clone(),
        sent,
        alert,
    };
    let list = inside.page(status, &list);
    Ok(page::with_cookies(list, [guard.cookie]))
}

fn ending(inside: &Inside, bot: &str, token: &Lasting) -> Option<Soon> {
    let now = inside.visit.now;
    let end = token.end().filter(|_| view::is_soon(token, now))?;
    Some(Soon {
        name: bot.to_owned(),
        href: inside.path(&one::path(bot)),
        when: When::of(end, now),
    })
}

fn new_bot(fields: &Fields) -> NewBot {
    let text = |name| fields.get(name).unwrap_or_default().trim().to_owned();
    NewBot {
        name: text("name"),
        display_name: text("display_name"),
        description: forms::description(fields),
        email: String::new(),
        roles: forms::roles(fields),
        ..NewBot::default()
    }
}

/// Can whoever sent the form mend it?
fn is_his(error: &ManagementError) -> bool {
    !matches!(error.kind(), Kind::Unavailable | Kind::Fault)
}

fn status(error: &ManagementError) -> StatusCode {
    match error.kind() {
        Kind::Wrong => StatusCode::BAD_REQUEST,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Fault => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// In a sentence.
fn told(error: &ManagementError) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}

/// A page instead of the one at `back`: there is no such bot, or the store does not answer. What
/// exactly is wrong with the store is the log's.
fn failed(inside: &Inside, back: &str, error: &ManagementError) -> Refused {
    let (heading, text) = match error.kind() {
        Kind::Unavailable | Kind::Fault => {
            let (reason, help) = (error.to_string(), error.help());
            tracing::error!(target: "http", request = inside.visit.id, reason, help, "the console cannot do this");
            (
                "This cannot be done right now",
                "The store does not answer. Please try again in a moment; the server's log says more.".to_owned(),
            )
        }
        _ => ("Nothing was changed", told(error)),
    };
    let trouble = Trouble {
        status: status(error),
        heading,
        text,
        way_on: "Back",
        href: inside.path(back),
    };
    trouble::page(&inside.serving, &inside.visit, &trouble).into()
}
