//! `/console/bots/{name}`: a bot, its tokens, and what is done to them. A new token is shown in
//! the answer to its form and nowhere else: not in an address, not a second time.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::super::BOTS;
use super::super::door::{Inside, Refused};
use super::super::shell::Shell;
use super::super::when::When;
use super::forms::{self, Choice};
use super::view::{self, Token};
use super::{failed, is_his, status, told};
use crate::http::login::fields::Fields;
use crate::http::login::guard;
use crate::http::login::page;
use crate::token::lasting::Issued;
use crate::token::management::{Described, Management, ManagementError};

#[derive(Template)]
#[template(path = "console/bot.html")]
struct Page<'a> {
    shell: Shell<'a>,
    all: String,
    action: String,
    token: String,
    described: &'a Described,
    made: When,
    changed: When,
    roles: String,
    tokens: Vec<Token>,
    live: usize,
    expiries: Vec<Choice>,
    fates: Vec<Choice>,
    audiences: Vec<String>,
    /// Is every Unlimited one allowed?
    unlimited: bool,
    alert: String,
    notice: String,
}

#[derive(Template)]
#[template(path = "console/token.html")]
struct TokenPage<'a> {
    shell: Shell<'a>,
    bot: &'a str,
    back: String,
    token: &'a str,
    is_opaque: bool,
    end: Option<When>,
    id: &'a str,
}

/// What was done, or why not.
enum Done {
    /// Changed: this is to be said.
    Said(String),
    /// A token was made.
    Token(Box<Issued>),
    /// The bot is no more.
    Gone,
    /// The form is none of ours, or was sent already.
    Not(StatusCode, String),
}

/// The page of the bot of this name.
pub(super) fn path(name: &str) -> String {
    format!("{BOTS}/{name}")
}

/// The page.
pub(in crate::http::console) async fn show(inside: &Inside, name: &str) -> Response<Body> {
    let answer = async {
        let management = management(inside)?;
        let described = describe(inside, &management, name).await?;
        bot(inside, &described, StatusCode::OK, "", "")
    };
    answer.await.unwrap_or_else(|refused| *refused)
}

/// What one of its forms asks for.
pub(in crate::http::console) async fn act(
    inside: &Inside,
    name: &str,
    body: Body,
) -> Response<Body> {
    let answer = acted(inside, name, body).await;
    answer.unwrap_or_else(|refused| *refused)
}

async fn acted(inside: &Inside, name: &str, body: Body) -> Result<Response<Body>, Refused> {
    let here = path(name);
    let fields = inside.sent(body, &inside.path(&here)).await?;
    let management = management(inside)?;
    let described = describe(inside, &management, name).await?;
    let done = perform(inside, &management, &described, &fields).await;
    let (status, alert, notice) = match done {
        Ok(Done::Token(issued)) => return Ok(shown(inside, &described, &issued)),
        Ok(Done::Gone) => return Ok(page::see_other(&inside.path(BOTS))),
        Ok(Done::Said(notice)) => (StatusCode::OK, String::new(), notice),
        Ok(Done::Not(status, alert)) => (status, alert, String::new()),
        Err(error) if is_his(&error) => (status(&error), told(&error), String::new()),
        Err(error) => return Err(failed(inside, &here, &error)),
    };
    // As it is now.
    let described = describe(inside, &management, name).await?;
    bot(inside, &described, status, &alert, &notice)
}

async fn perform(
    inside: &Inside,
    management: &Management<'_>,
    described: &Described,
    fields: &Fields,
) -> Result<Done, ManagementError> {
    let (known, asker) = (&described.bot, inside.asker());
    let text = |name| fields.get(name).unwrap_or_default().trim().to_owned();
    match fields.get("do") {
        Some("generate") => {
            let (Some(ask), Some(earlier)) = (forms::ask(fields), forms::earlier(fields)) else {
                return Ok(not_understood());
            };
            let store = inside.serving.tokens.accounts.store();
            let store = store.ok_or(ManagementError::NoStore)?;
            if !guard::is_first(store, fields.get("token"), inside.visit.now).await? {
                let text = "This form was sent before, and its token was shown then; nothing was made now. Whoever has lost the token makes another and revokes that one.";
                return Ok(Done::Not(StatusCode::CONFLICT, text.to_owned()));
            }
            let issued = management.generate(known, &ask, earlier, asker).await?;
            Ok(Done::Token(issued.into()))
        }
        Some("revoke") => {
            let token = management.revoke(known, &text("id"), asker).await?;
            Ok(Done::Said(format!(
                "Token {} is revoked: it is refused here at once, and so is what it was exchanged for. Who verifies without asking us takes them until they expire.",
                token.id
            )))
        }
        Some("revoke_all") => {
            let count = management.revoke_all(known, asker).await?;
            Ok(Done::Said(format!(
                "All tokens are revoked: {count} were live."
            )))
        }
        Some("change") => {
            let mut bot = known.clone();
            bot.display_name = text("display_name");
            bot.description = forms::description(fields);
            bot.roles = forms::roles(fields);
            management.change(&bot, asker).await?;
            Ok(Done::Said("The bot is changed. Signed tokens that it has say what they said; new ones, and those that its opaque ones are exchanged for, say the new roles.".to_owned()))
        }
        Some("delete") => {
            management.delete(known, asker).await?;
            Ok(Done::Gone)
        }
        _ => Ok(not_understood()),
    }
}

fn not_understood() -> Done {
    let text = "The form was not understood. Please try again.";
    Done::Not(StatusCode::BAD_REQUEST, text.to_owned())
}

fn management(inside: &Inside) -> Result<Management<'_>, Refused> {
    let management = inside.serving.management();
    management.map_err(|error| failed(inside, BOTS, &error))
}

async fn describe(
    inside: &Inside,
    management: &Management<'_>,
    name: &str,
) -> Result<Described, Refused> {
    let described = management.describe(name).await;
    described.map_err(|error| failed(inside, BOTS, &error))
}

fn bot(
    inside: &Inside,
    described: &Described,
    status: StatusCode,
    alert: &str,
    notice: &str,
) -> Result<Response<Body>, Refused> {
    let (bot, now) = (&described.bot, inside.visit.now);
    let guard = inside.guard()?;
    let audiences = inside.serving.tokens.issuer.audience_names();
    let tokens: Vec<Token> = described
        .tokens
        .iter()
        .map(|token| view::token(token, now))
        .collect();
    let page = Page {
        shell: inside.shell(BOTS),
        all: inside.path(BOTS),
        action: inside.path(&path(&bot.name)),
        token: guard.token,
        described,
        made: When::of(bot.created_at, now),
        changed: When::of(bot.updated_at, now),
        roles: bot.roles.join(", "),
        live: tokens.iter().filter(|token| token.is_live).count(),
        tokens,
        expiries: forms::expiries(),
        fates: forms::fates(),
        audiences: audiences.map(str::to_owned).collect(),
        unlimited: inside.serving.bots.allow_unlimited,
        alert: alert.to_owned(),
        notice: notice.to_owned(),
    };
    let page = inside.page(status, &page);
    Ok(page::with_cookies(page, [guard.cookie]))
}

/// The one page that ever shows it.
fn shown(inside: &Inside, described: &Described, issued: &Issued) -> Response<Body> {
    let (bot, token) = (&described.bot, &issued.lasting);
    let page = TokenPage {
        shell: inside.shell(BOTS),
        bot: &bot.name,
        back: inside.path(&path(&bot.name)),
        token: issued.token.expose(),
        is_opaque: token.kid.is_empty(),
        end: token.end().map(|at| When::of(at, inside.visit.now)),
        id: &token.id,
    };
    inside.page(StatusCode::CREATED, &page)
}
