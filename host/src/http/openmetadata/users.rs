//! Bots as users, and their tokens.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{Refused, created, not_done, ok, refuse, wrong};
use super::asker::{Call, Known};
use super::patch;
use super::shapes::{self, HowLong, Which, names};
use crate::accounts::bots::{Bot, BotError, NewBot};
use crate::accounts::lasting::Lasting;
use crate::clock;
use crate::config::shapes::TokenForm;
use crate::config::values::duration;
use crate::token::lasting::{Ask, Issued};
use crate::token::management::{Described, Earlier, ManagementError};

/// What OpenMetadata's clients send for a new user. Members that have no meaning here, such as
/// `domains`, are passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewUser {
    name: String,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    is_bot: Option<bool>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, deserialize_with = "names")]
    roles: Vec<String>,
    #[serde(default)]
    authentication_mechanism: Option<Mechanism>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mechanism {
    auth_type: String,
    #[serde(default)]
    config: Option<HowLong>,
}

/// `POST` (`only_new`) or `PUT` of a bot's user, with a token if a mechanism asks for one and
/// it has none yet.
pub(super) async fn put(call: Call, only_new: bool) -> Result<Response<Body>, Refused> {
    let mut known = call.manager().await?;
    let new: NewUser = known.read().await?;
    if new.is_bot != Some(true) {
        return Err(wrong(
            "Users are their backends': only bots are made here, with isBot: true",
        ));
    }
    if new.roles.iter().any(|role| shapes::is_number(role)) {
        return Err(wrong(
            "Roles are named here, not numbered: \"roles\": [\"Op\"], or objects with a name",
        ));
    }
    let expiry = match &new.authentication_mechanism {
        None => None,
        Some(mechanism) if mechanism.auth_type != "JWT" => {
            let text = format!(
                "Not supported authentication mechanism type: [{}]",
                mechanism.auth_type
            );
            return Err(wrong(&text));
        }
        Some(Mechanism { config: None, .. }) => {
            let text = format!(
                "Incomplete authentication mechanism parameters for bot user: [{}]",
                new.name
            );
            return Err(wrong(&text));
        }
        Some(Mechanism {
            config: Some(config),
            ..
        }) => Some(config.expiry),
    };
    let failed = |error: ManagementError| not_done(&error, &known.id);
    let (management, asker) = (known.management()?, known.asker());
    let wanted = NewBot {
        name: new.name.clone(),
        display_name: new.display_name.unwrap_or_default(),
        description: new.description.unwrap_or_default(),
        email: new.email.unwrap_or_default(),
        roles: new.roles,
        ..NewBot::default()
    };
    let (bot, is_new) = match management.create(&wanted, asker).await {
        Ok(bot) => (bot, true),
        Err(ManagementError::Bot(BotError::Exists(_))) if !only_new => {
            let known = management.describe(&new.name).await.map_err(failed)?.bot;
            let bot = Bot {
                display_name: wanted.display_name,
                description: wanted.description,
                email: wanted.email,
                roles: wanted.roles,
                ..known
            };
            management.change(&bot, asker).await.map_err(failed)?;
            (bot, false)
        }
        Err(error) => return Err(failed(error)),
    };
    let described = management.describe_id(&bot.id).await.map_err(failed)?;
    let newest = newest(&described);
    let mut told = shapes::bot_user(&described.bot);
    match (expiry, newest) {
        (Some(expiry), None) => {
            let config = HowLong { expiry };
            let issued = issue(&known, &bot, &config, Earlier::Stay).await?;
            let token = Some(issued.token.expose());
            told["authenticationMechanism"] = shapes::mechanism(Some(&issued.lasting), token);
        }
        (Some(_), kept) => told["authenticationMechanism"] = shapes::mechanism(kept, None),
        (None, _) => {}
    }
    Ok(if is_new { created(&told) } else { ok(&told) })
}

/// Changes a bot's user: who it is, and its roles, which are named.
pub(super) async fn change(
    call: Call,
    which: &str,
    by_name: bool,
) -> Result<Response<Body>, Refused> {
    const OPEN: [&str; 4] = ["displayName", "description", "email", "roles"];
    let mut known = call.manager().await?;
    let before = find(&known, which, by_name).await?.bot;
    let shown = shapes::bot_user(&before);
    let patched = patch::patched(&mut known, &shown, &OPEN).await?;
    let roles = shapes::patched_roles(patched.list("roles")?, &before.roles);
    let email = patched.text("email")?;
    let bot = Bot {
        display_name: patched.text("displayName")?,
        description: patched.text("description")?,
        // One that has none is shown with one that leads nowhere.
        email: match shown["email"] == *email {
            true => before.email.clone(),
            false => email,
        },
        roles: roles.map_err(|place| {
            wrong(&format!(
                "Roles are named here, not numbered: role {place} has no name, or the id of another"
            ))
        })?,
        ..before.clone()
    };
    let bot = changed(&known, before, bot).await?;
    Ok(ok(&shapes::bot_user(&bot)))
}

/// Writes what is new of a bot; how it is then.
pub(super) async fn changed(known: &Known, before: Bot, bot: Bot) -> Result<Bot, Refused> {
    if bot == before {
        return Ok(before);
    }
    let failed = |error: ManagementError| not_done(&error, &known.id);
    let (management, asker) = (known.management()?, known.asker());
    management.change(&bot, asker).await.map_err(failed)?;
    Ok(management.describe_id(&bot.id).await.map_err(failed)?.bot)
}

/// A bot's user, by its id or its name; or whoever asks, by his own name.
pub(super) async fn get(call: Call, which: &str, by_name: bool) -> Result<Response<Body>, Refused> {
    let known = call.known(true).await?;
    let me = &known.principal;
    let mine = match by_name {
        true => me.user.username == which,
        false => shapes::owner_id(me) == which,
    };
    if !known.serving.may_manage(me) || !known.trusted {
        return match mine {
            true => Ok(ok(&known.me().await)),
            false => Err(refuse(
                StatusCode::FORBIDDEN,
                "Only who manages may look at others",
            )),
        };
    }
    match find(&known, which, by_name).await {
        Ok(described) => Ok(ok(&shapes::bot_user(&described.bot))),
        Err(_) if mine => Ok(ok(&known.me().await)),
        Err(refused) => Err(refused),
    }
}

/// Whoever asks.
pub(super) async fn logged_in(call: Call) -> Result<Response<Body>, Refused> {
    let known = call.known(true).await?;
    Ok(ok(&known.me().await))
}

/// A new token, in the place of the one before; `?overlap=1h` lets that live on for so long.
pub(super) async fn generate(call: Call, id: &str) -> Result<Response<Body>, Refused> {
    let mut known = call.manager().await?;
    let asked: HowLong = known.read().await?;
    let overlap = match known.parameter("overlap") {
        None => Duration::ZERO,
        Some(text) => duration::parse(&text)
            .ok_or_else(|| wrong("overlap is a duration such as 0s, 30m, 1h"))?,
    };
    let bot = find(&known, id, false).await?.bot;
    let issued = issue(&known, &bot, &asked, Earlier::End(overlap)).await?;
    let token = Some(issued.token.expose());
    Ok(ok(&shapes::token(Some(&issued.lasting), token)))
}

/// Revokes all tokens of a bot.
pub(super) async fn revoke(call: Call) -> Result<Response<Body>, Refused> {
    let mut known = call.manager().await?;
    let Which { id } = known.read().await?;
    let bot = find(&known, &id, false).await?.bot;
    let revoked = known.management()?.revoke_all(&bot, known.asker()).await;
    revoked.map_err(|error| not_done(&error, &known.id))?;
    Ok(ok(&shapes::bot_user(&bot)))
}

/// What is known of the newest token.
pub(super) async fn token(call: Call, id: &str) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let described = find(&known, id, false).await?;
    Ok(ok(&shapes::token(newest(&described), None)))
}

/// The same in OpenMetadata's other shape.
pub(super) async fn mechanism(call: Call, id: &str) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let described = find(&known, id, false).await?;
    Ok(ok(&shapes::mechanism(newest(&described), None)))
}

/// A bot by its id or its name.
pub(super) async fn find(known: &Known, which: &str, by_name: bool) -> Result<Described, Refused> {
    let management = known.management()?;
    let found = match by_name {
        true => management.describe(which).await,
        false => management.describe_id(which).await,
    };
    found.map_err(|error| match error {
        ManagementError::Bot(BotError::NoSuchBot(_)) => {
            let text = format!(
                "bot instance for {} not found",
                crate::audit::clean(which, 128)
            );
            refuse(StatusCode::NOT_FOUND, &text)
        }
        error => not_done(&error, &known.id),
    })
}

async fn issue(
    known: &Known,
    bot: &Bot,
    asked: &HowLong,
    earlier: Earlier,
) -> Result<Issued, Refused> {
    let ask = Ask {
        expiry: asked.expiry,
        audience: known.audience(),
        ..Ask::default()
    };
    let management = known.management()?;
    let issued = management.generate(bot, &ask, earlier, known.asker()).await;
    issued.map_err(|error| not_done(&error, &known.id))
}

/// The signed token that was made last and is good: a bot has one, for OpenMetadata.
fn newest(described: &Described) -> Option<&Lasting> {
    let mut live = described.live(clock::unix_now());
    live.find(|token| token.form == TokenForm::Jwt && token.ends_at.is_none())
}

impl Known {
    /// Whoever asks: a bot as the store knows it.
    async fn me(&self) -> Value {
        let me = &self.principal;
        if me.backend == crate::token::lasting::BOT
            && let Ok(management) = self.management()
            && let Ok(described) = management.describe(&me.user.username).await
        {
            return shapes::bot_user(&described.bot);
        }
        shapes::user(me, self.serving.may_manage(me))
    }
}
