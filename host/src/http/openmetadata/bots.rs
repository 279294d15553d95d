//! Bots as such.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{Refused, created, not_done, ok, refuse, wrong};
use super::asker::Call;
use super::shapes;
use super::users::find;
use crate::accounts::bots::{Bot, BotError, NewBot};
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
    if known.parameter("before").is_some_and(|it| !it.is_empty()) {
        return Err(wrong("Pages are turned forward alone, with after"));
    }
    if known.parameter("include").as_deref() == Some("deleted") {
        // A deleted bot leaves nothing.
        return Ok(ok(&json!({ "data": [], "paging": { "total": 0 } })));
    }
    let after = known.parameter("after").unwrap_or_default();
    let after = URL_SAFE_NO_PAD.decode(after).ok().map(String::from_utf8);
    let Some(Ok(after)) = after else {
        return Err(wrong("after is none of paging.after"));
    };
    let search = known.parameter("q").unwrap_or_default();
    let found = known.management()?.search(&search, &after, limit).await;
    let found = found.map_err(|error| not_done(&error, &known.id))?;
    let data = found.bots.iter().map(|it| shapes::bot(&it.bot));
    let mut paging = json!({ "total": found.total });
    if let Some(last) = found.bots.last().filter(|_| found.more) {
        paging["after"] = URL_SAFE_NO_PAD.encode(&last.bot.name).into();
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
    if bot != before {
        management.change(&bot, asker).await.map_err(failed)?;
    }
    let told = shapes::bot(&management.describe_id(&bot.id).await.map_err(failed)?.bot);
    Ok(if only_new { created(&told) } else { ok(&told) })
}

/// One, by its id or its name.
pub(super) async fn get(call: Call, which: &str, by_name: bool) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    Ok(ok(&shapes::bot(&find(&known, which, by_name).await?.bot)))
}

/// Deletes one, and revokes its tokens.
pub(super) async fn delete(
    call: Call,
    which: &str,
    by_name: bool,
) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let bot = find(&known, which, by_name).await?.bot;
    let deleted = known.management()?.delete(&bot, known.asker()).await;
    deleted.map_err(|error| not_done(&error, &known.id))?;
    let mut told = shapes::bot(&bot);
    told["deleted"] = true.into();
    Ok(ok(&told))
}
