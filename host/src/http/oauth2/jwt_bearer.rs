//! The grant `urn:ietf:params:oauth:grant-type:jwt-bearer` (RFC 7523 section 2.1): a token for
//! whoever an assertion is about. It is of an issuer that is trusted, or a bot has signed it
//! with its own key; each is good once.

use countersign_verify::Refusal;

use super::assertion::{self, Failed};
use super::client::{Client, Shows};
use super::error::Error;
use super::exchange::{audience, lifetime};
use super::{Answer, Call, credentials};
use crate::accounts::Principal;
use crate::accounts::bots::Bot;
use crate::token::guess::Guess;
use crate::token::trust::NotTrusted;

/// As `grant_type` names it.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Whom an assertion is about.
enum Whose {
    /// A user of an issuer that is trusted.
    Trusted(Box<Principal>),
    /// The bot that has signed it.
    Bot(Box<Bot>),
}

/// The token for an assertion.
///
/// # Errors
/// `invalid_grant`: the assertion is not accepted, for whatever reason (RFC 7523 section 3.1).
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let assertion = call.form.require("assertion")?.to_owned();
    if call.form.get("scope").is_some() {
        return Err(Error::invalid_scope("no scope is known here"));
    }
    call.request.lifetime = lifetime(&call.form)?;
    let issuer = &call.serving.tokens.issuer;
    let audience = audience(issuer, &call.form)?.map(str::to_owned);
    let whose = whose(call, &assertion).await?;
    call.bind().await?;
    match whose {
        Whose::Trusted(principal) => {
            let client = match &call.client {
                Client::Bot(bot, _) => Some(bot.name.as_str()),
                Client::Public(_) => None,
            };
            let tokens = &call.serving.tokens;
            let minted = tokens.token_of(&call.request, client, &principal, audience.as_deref());
            let refused = |refusal| Error::refused(refusal, denied());
            Ok(minted.await.map_err(refused)?.into())
        }
        Whose::Bot(bot) => credentials::give(call, &bot, audience, &Shows::Key).await,
    }
}

/// Whom an assertion is about; it is used up.
async fn whose(call: &Call, assertion: &str) -> Result<Whose, Error> {
    let named = assertion::issuer(assertion).unwrap_or_default();
    let tokens = &call.serving.tokens;
    let refused = |refusal| Error::refused(refusal, denied());
    let guess = Guess::Client(&named);
    tokens.may_guess(&call.request, guess).map_err(refused)?;
    let failed = |failed| match failed {
        Failed::Refused(reason) => refused(tokens.misguessed(&call.request, guess, &reason)),
        Failed::Outage(error) => call.outage(&*error),
    };
    let store = call.store()?;
    match tokens.verify_trusted(assertion, call.now).await {
        Ok((principal, verified)) => {
            let used = assertion::use_up(&call.serving, store, &verified, assertion, call.now);
            used.await.map_err(failed)?;
            Ok(Whose::Trusted(Box::new(principal)))
        }
        Err(NotTrusted::Refused(Refusal::Issuer)) => {
            let bot = assertion::by_bot(&call.serving, store, assertion, call.now).await;
            Ok(Whose::Bot(Box::new(bot.map_err(failed)?)))
        }
        Err(error) if error.is_outage() => Err(call.outage(&error)),
        Err(error) => Err(failed(Failed::Refused(format!("the assertion: {error}")))),
    }
}

fn denied() -> Error {
    Error::invalid_grant("the assertion is not accepted")
}
