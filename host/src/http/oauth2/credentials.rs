//! The grant `client_credentials` (RFC 6749 section 4.4): a token for a bot that has shown who it
//! is. It gets no refresh token (section 4.4.3): it can ask again.

use super::client::Shows;
use super::error::Error;
use super::exchange::{audience, lifetime};
use super::form::Form;
use super::{Answer, Call};
use crate::accounts::bots::Bot;
use crate::accounts::derived::Parent;
use crate::token::Issuer;
use crate::token::audience::OURS;
use crate::token::lasting::principal;
use crate::token::redeem::Due;

/// As `grant_type` names it.
pub const GRANT: &str = "client_credentials";

/// The token for the client itself.
///
/// # Errors
/// `invalid_client`: it has not shown who it is; `invalid_target`: it is not to have tokens for
/// this audience.
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let (_, shows) = call.client.require_bot()?;
    let audience = audience_of(&call.serving.tokens.issuer, &call.form, shows)?;
    call.bind().await?;
    let (bot, shows) = call.client.require_bot()?;
    give(call, bot, audience, shows).await
}

/// A token for a bot, which ends with what the bot has shown.
///
/// # Errors
/// The parameters are wrong, or no token can be made.
pub async fn give(
    call: &Call,
    bot: &Bot,
    audience: Option<String>,
    shows: &Shows,
) -> Result<Answer, Error> {
    if call.form.get("scope").is_some() {
        return Err(Error::invalid_scope("no scope is known here"));
    }
    if audience.as_deref() == Some(OURS) {
        return Err(Error::invalid_target("a bot may not manage this server"));
    }
    let tokens = &call.serving.tokens;
    let audience = audience.as_deref();
    let (parent, end) = match shows {
        Shows::Token(token) => (Parent::Token(&token.id), token.end()),
        Shows::Key => (Parent::Bot(&bot.id), None),
    };
    let due = Due {
        principal: &principal(bot),
        audience,
        lifetime: tokens.within(audience, lifetime(&call.form)?, end),
        client: Some(&bot.name),
        named: Some(&bot.name),
        parent,
    };
    let minted = tokens.give(&call.request, &due).await;
    let denied = || Error::invalid_grant("there is no token for this client");
    Ok(minted
        .map_err(|refusal| Error::refused(refusal, denied()))?
        .into())
}

/// The audience that a bot asks for. A token of its own is for one, and shows nothing for others.
fn audience_of(issuer: &Issuer, form: &Form, shows: &Shows) -> Result<Option<String>, Error> {
    let asked = audience(issuer, form)?.map(str::to_owned);
    let Shows::Token(token) = shows else {
        return Ok(asked);
    };
    let is_asked = !form.all("audience").is_empty() || !form.all("resource").is_empty();
    match is_asked && asked != token.audience {
        true => Err(Error::invalid_target(
            "the client's secret is a token for another audience",
        )),
        false => Ok(token.audience.clone()),
    }
}
