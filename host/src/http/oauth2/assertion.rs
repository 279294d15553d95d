//! Assertions (RFC 7521, RFC 7523): JWTs that a bot signs with its own key, to show who it is
//! or to ask for a token, and those of issuers that are trusted. Each is good once.

use countersign_verify::{Algorithm, KeySet, Refusal, Rules, Unverified, Verified};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::error::Error;
use std::time::Duration;

use crate::accounts::bots::{Bot, BotError};
use crate::accounts::store::Store;
use crate::http::{Serving, oauth2};

/// The types that an assertion may say it is of.
const TYPES: [&str; 3] = [
    "JWT",
    "client-authentication+jwt",
    "authorization-grant+jwt",
];

/// Seconds that a bot's assertion may live: it is made to be used at once.
const LONGEST: u64 = 3_600;

/// Why an assertion is good for nothing.
pub enum Failed {
    /// For the audit log.
    Refused(String),
    /// Nobody can say now.
    Outage(Box<dyn Error + Send + Sync>),
}

impl Failed {
    /// For this reason.
    pub fn refused(reason: &str) -> Self {
        Failed::Refused(reason.to_owned())
    }
}

/// The issuer that an assertion says it is of; none = it is no JWT of anybody.
pub fn issuer(assertion: &str) -> Option<String> {
    let unverified = Unverified::read(assertion).ok()?;
    let issuer = unverified.claims().get("iss")?.as_str()?;
    Some(issuer.to_owned())
}

/// The bot that signed it: `iss` and `sub` are its name, `aud` is us alone, and it was not
/// shown before (RFC 7523 section 3).
///
/// # Errors
/// [`Failed`].
pub async fn by_bot(
    serving: &Serving,
    store: &Store,
    assertion: &str,
    now: u64,
) -> Result<Bot, Failed> {
    let name = issuer(assertion).ok_or_else(|| Failed::refused("the assertion is no JWT"))?;
    let bot = match store.bot(&name).await {
        Ok(bot) if bot.name == name => bot,
        Ok(_) | Err(BotError::NoSuchBot(_)) => return Err(Failed::refused("no bot has this name")),
        Err(error) => return Err(Failed::Outage(Box::new(error))),
    };
    let keys = KeySet::parse(bot.jwks.as_bytes());
    let keys = keys.map_err(|_| Failed::refused("the bot has no keys of its own"))?;
    let verified = rules(serving, &name)
        .map_err(|error| Failed::Refused(error.to_string()))?
        .verify(assertion, &keys, now)
        .map_err(|refusal| Failed::Refused(format!("the assertion: {refusal}")))?;
    if verified.subject != name {
        return Err(Failed::refused(
            "the assertion is about somebody else than its issuer",
        ));
    }
    if !is_for_one(&verified) {
        return Err(Failed::refused("the assertion is for others, too"));
    }
    if verified
        .expires
        .is_none_or(|at| at > now.saturating_add(LONGEST))
    {
        return Err(Failed::refused("the assertion lives longer than an hour"));
    }
    if verified.id.is_none() {
        return Err(Failed::refused(
            "the assertion has no jti, so it could be shown twice",
        ));
    }
    use_up(serving, store, &verified, assertion, now).await?;
    Ok(bot)
}

/// Uses an assertion up, whichever host it was shown to.
///
/// # Errors
/// [`Failed`]: it was used before.
pub async fn use_up(
    serving: &Serving,
    store: &Store,
    verified: &Verified,
    assertion: &str,
    now: u64,
) -> Result<(), Failed> {
    // Not the signature, of which ECDSA has two for each.
    let signed = assertion
        .rsplit_once('.')
        .map_or(assertion, |(signed, _)| signed);
    let what = verified.id.as_deref().unwrap_or(signed);
    let id: String = Sha256::digest(format!("{}\n{what}", verified.issuer))
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let leeway = serving.tokens.issuer.leeway();
    let until = verified
        .expires
        .unwrap_or(u64::MAX)
        .saturating_add(leeway + 1);
    match store.use_up(&format!("assertion {id}"), until, now).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failed::refused("the assertion was used before")),
        Err(error) => Err(Failed::Outage(Box::new(error))),
    }
}

/// We are meant by our issuer's name, or by the address of the token endpoint.
fn rules(serving: &Serving, issuer: &str) -> Result<Rules, Refusal> {
    let own = serving.tokens.issuer.name().to_owned();
    let endpoint = format!("{}{}", serving.browser.public_url, oauth2::TOKEN);
    let rules = Rules::new(issuer, [own, endpoint], Algorithm::ALL);
    let leeway = Duration::from_secs(serving.tokens.issuer.leeway());
    // An issuer without a name has no tokens.
    Ok(rules
        .map_err(|_| Refusal::Issuer)?
        .leeway(leeway)
        .types(TYPES))
}

/// Whoever else is meant could show it here in the client's name.
fn is_for_one(verified: &Verified) -> bool {
    match verified.claims.get("aud") {
        Some(Value::Array(all)) => all.len() == 1,
        _ => true,
    }
}
