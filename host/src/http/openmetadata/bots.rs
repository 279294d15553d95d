//! Bots as such.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refused, created, not_done, ok, refuse, wrong};
use super::asker::{Call, Known};
use super::patch;
use super::shapes::{self, Which};
use super::users::{changed, find};
use crate::accounts::bots::{Bot, BotError, NewBot, Side};
use crate::audit::clean;
use crate::token::management::ManagementError;

/// So many on a page, unless `limit` says otherwise.
const USUAL: u32 = 10;

/// At most.
const MOST: u32 = 1_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    name: String,
    #[serde(default)]
    bot_user: Option<Value>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// A page of bots, by their names; `?q=` narrows it down to a part of name or text.
pub(super) async fn list(call: Call) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let limit = match known.parameter("limit") {
        None => USUAL,
        Some(text) => text
            .parse()
            .ok()
            .filter(|limit| (0..=MOST).contains(limit))
            .ok_or_else(|| wrong("limit is a number from 0 to 1000"))?,
    };
    if known.parameter("include").as_deref() == Some("deleted") {
        // A deleted bot leaves nothing.
        return Ok(ok(&json!({ "data": [], "paging": { "total": 0 } })));
    }
    let (before, after) = (cursor(&known, "before")?, cursor(&known, "after")?);
    let side = match (&before, &after) {
        (Some(_), Some(_)) => {
            return Err(wrong("Only one of before or after query parameter allowed"));
        }
        (Some(name), None) => Side::Before(name),
        (None, after) => Side::After(after.as_deref().unwrap_or_default()),
    };
    let search = known.parameter("q").unwrap_or_default();
    let found = known.management()?.search(&search, side, limit).await;
    let found = found.map_err(|error| not_done(&error, &known.id))?;
    let data = found.bots.iter().map(|it| shapes::bot(&it.bot));
    let mut paging = json!({ "total": found.total });
    // Where a page was turned from, there is one to go back to.
    let (is_back, is_on) = match side {
        Side::After(_) => (after.is_some(), found.more),
        Side::Before(_) => (found.more, true),
    };
    for (name, is_there, edge) in [
        ("before", is_back, found.bots.first()),
        ("after", is_on, found.bots.last()),
    ] {
        if let Some(edge) = edge.filter(|_| is_there) {
            paging[name] = URL_SAFE_NO_PAD.encode(&edge.bot.name).into();
        }
    }
    Ok(ok(
        &json!({ "data": data.collect::<Vec<_>>(), "paging": paging }),
    ))
}

/// `POST` (`only_new`) or `PUT` of a bot. Its user was made before, as OpenMetadata's clients
/// do, or is left out, and then it is made here.
pub(super) async fn put(call: Call, only_new: bool) -> Result<Response<Body>, Refused> {
    let mut known = call.manager().await?;
    let new: Created = known.read().await?;
    let user = match &new.bot_user {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(reference) => {
            let name = reference["name"]
                .as_str()
                .or(reference["fullyQualifiedName"].as_str());
            Some(name.unwrap_or_default().to_owned())
        }
    };
    if user
        .as_ref()
        .is_some_and(|user| !user.eq_ignore_ascii_case(&new.name))
    {
        return Err(wrong(
            "A bot and its user have one name here: let botUser be the bot's name",
        ));
    }
    let failed = |error: ManagementError| not_done(&error, &known.id);
    let (management, asker) = (known.management()?, known.asker());
    if user.is_none() {
        let wanted = NewBot {
            name: new.name.clone(),
            display_name: new.display_name.clone().unwrap_or_default(),
            description: new.description.clone().unwrap_or_default(),
            ..NewBot::default()
        };
        match management.create(&wanted, asker).await {
            Ok(bot) => return Ok(created(&shapes::bot(&bot))),
            Err(ManagementError::Bot(BotError::Exists(_))) if only_new => {
                return Err(refuse(StatusCode::CONFLICT, "Entity already exists"));
            }
            Err(ManagementError::Bot(BotError::Exists(_))) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let before = find(&known, &new.name, true).await?.bot;
    let bot = Bot {
        display_name: new
            .display_name
            .unwrap_or_else(|| before.display_name.clone()),
        description: new
            .description
            .unwrap_or_else(|| before.description.clone()),
        ..before.clone()
    };
    let told = shapes::bot(&changed(&known, before, bot).await?);
    Ok(if only_new { created(&told) } else { ok(&told) })
}

/// One, by its id or its name.
pub(super) async fn get(call: Call, which: &str, by_name: bool) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    Ok(ok(&shapes::bot(&find(&known, which, by_name).await?.bot)))
}

/// Changes what is said of one. Its roles are its user's.
pub(super) async fn change(
    call: Call,
    which: &str,
    by_name: bool,
) -> Result<Response<Body>, Refused> {
    const OPEN: [&str; 2] = ["displayName", "description"];
    let mut known = call.manager().await?;
    let before = find(&known, which, by_name).await?.bot;
    let patched = patch::patched(&mut known, &shapes::bot(&before), &OPEN).await?;
    let bot = Bot {
        display_name: patched.text("displayName")?,
        description: patched.text("description")?,
        ..before.clone()
    };
    Ok(ok(&shapes::bot(&changed(&known, before, bot).await?)))
}

/// `PUT …/restore`: there is never one to restore.
pub(super) async fn restore(call: Call) -> Result<Response<Body>, Refused> {
    let mut known = call.manager().await?;
    let Which { id } = known.read().await?;
    let why = match find(&known, &id, false).await {
        Ok(_) => "it is not deleted",
        Err(refused) if refused.status() == StatusCode::NOT_FOUND => {
            "a deleted bot is not kept here, make a new one"
        }
        Err(refused) => return Err(refused),
    };
    let id = clean(&id, 128);
    let text = format!("bot instance for {id} not found among deleted ones: {why}");
    Err(refuse(StatusCode::NOT_FOUND, &text))
}

/// Deletes one, and revokes its tokens. With `hardDelete` or without: nothing is left of it.
pub(super) async fn delete(
    call: Call,
    which: &str,
    by_name: bool,
) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let hard = known.parameter("hardDelete");
    if !matches!(hard.as_deref(), None | Some("true" | "false")) {
        return Err(wrong("hardDelete is true or false"));
    }
    let bot = find(&known, which, by_name).await?.bot;
    let deleted = known.management()?.delete(&bot, known.asker()).await;
    deleted.map_err(|error| not_done(&error, &known.id))?;
    let mut told = shapes::bot(&bot);
    told["deleted"] = true.into();
    Ok(ok(&told))
}

/// The name that a page begins beside.
fn cursor(known: &Known, which: &str) -> Result<Option<String>, Refused> {
    let Some(text) = known.parameter(which).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let name = URL_SAFE_NO_PAD.decode(text).ok();
    let name = name.and_then(|name| String::from_utf8(name).ok());
    let wrong = || wrong(&format!("{which} is none of paging.{which}"));
    name.map(Some).ok_or_else(wrong)
}
