//! The grant `refresh_token` (RFC 6749 section 6), and how what may be refreshed begins. Every
//! refresh token is used once (RFC 9700 section 4.14.2); what a second use means is in
//! [`accounts::grants`](crate::accounts::grants).

use super::error::Error;
use super::exchange::audience;
use super::{Answer, Call, Serving, code, has_clients, native};
use crate::accounts::Principal;
use crate::accounts::grants::{Grant, Pair, Taken};
use crate::accounts::opaque::{self, Kind};
use crate::accounts::store::Revocable;
use crate::token::Lifetime;
use crate::token::again::NotAgain;

/// As `grant_type` names it.
pub const GRANT: &str = "refresh_token";

/// Are refresh tokens given? Where users sign in, unless the configuration says that there are
/// none.
pub fn is_enabled(serving: &Serving) -> bool {
    let settings = serving.tokens.issuer.refresh();
    settings.is_enabled() && has_clients(serving) && code::is_enabled(serving)
}

/// The tokens for a refresh token.
///
/// # Errors
/// `invalid_grant`: it is unknown, used, expired, another client's, or bound to another key.
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let form = &call.form;
    let (token, client) = (form.require("refresh_token")?, call.client.require_id()?);
    if form.get("scope").is_some() {
        return Err(Error::invalid_scope("no scope is known here"));
    }
    let text = "the refresh token is unknown, used, expired, or another client's";
    let told = || Error::invalid_grant(text);
    if opaque::kind(token) != Some(Kind::Refresh) {
        return Err(call.deny(None, "this is no refresh token", told()));
    }
    let hash = opaque::hash(token);
    let known = call.store()?.grant_of(&hash).await;
    let known = known.map_err(|error| call.outage(&error))?;
    // Asked for again, it must be the same (RFC 8707 section 2.2).
    let again = !form.all("audience").is_empty() || !form.all("resource").is_empty();
    if again {
        let asked = audience(&call.serving.tokens.issuer, form)?;
        let differs = |(grant, _): &(Grant, bool)| grant.audience.as_deref() != asked;
        if known.as_ref().is_some_and(differs) {
            let text = "the refresh token is for another audience";
            return Err(Error::invalid_target(text));
        }
    }
    let client = client.to_owned();
    let now = match known {
        // Whoever has stolen it has not the key: it is left to whom it belongs to.
        Some((grant, true)) if grant.client == client && !grant.is_for(call.key()) => {
            let reason = "the refresh token is bound to another key than the client's";
            return Err(call.deny(Some(&grant.principal), reason, told()));
        }
        // Before it is used up: an outage takes nothing from him.
        Some((grant, true)) if grant.client == client => {
            call.bind().await?;
            Some(look_again(call, &grant).await?)
        }
        _ => None,
    };
    let store = call.store()?;
    let key = call.request.key.as_deref();
    let taken = store.take_refresh(&hash, &client, key, call.now);
    let taken = taken.await;
    match taken.map_err(|error| call.outage(&error))? {
        Taken::Next(mut grant) => {
            grant.principal = now.unwrap_or(grant.principal);
            give(call, &grant, told()).await
        }
        Taken::Reused(grant) => {
            end(call, &grant).await?;
            let reason = "the refresh token was used before: all that came of it is revoked";
            Err(call.deny(Some(&grant.principal), reason, told()))
        }
        Taken::Refused(grant, why) => {
            let reason = format!("the refresh token is not good: {why}");
            Err(call.deny(Some(&grant.principal), &reason, told()))
        }
        Taken::Unknown => Err(call.deny(None, "nobody knows the refresh token", told())),
    }
}

/// Who the user is now. One who may not come in any more has nothing left.
async fn look_again(call: &Call, grant: &Grant) -> Result<Principal, Error> {
    let (tokens, id) = (&call.serving.tokens, &call.request.inner.request_id);
    match tokens.look_again(&grant.principal, id).await {
        Ok(principal) => Ok(principal),
        Err(outage @ NotAgain::Outage(_)) => Err(call.outage(&outage)),
        Err(gone) => {
            end(call, grant).await?;
            let told = Error::invalid_grant("the user has to sign in anew");
            Err(call.deny(Some(&grant.principal), &gone.to_string(), told))
        }
    }
}

/// All that came of it is refused from now on.
async fn end(call: &Call, grant: &Grant) -> Result<(), Error> {
    let revoked = call.store()?.revoke_grant(&grant.id, call.now).await;
    revoked.map_err(|error| call.outage(&error))
}

/// The first tokens of a grant, for a user who has just said yes.
///
/// # Errors
/// `invalid_grant`: the grant was revoked meanwhile.
pub async fn begin(
    call: &mut Call,
    id: String,
    principal: Principal,
    audience: Option<String>,
) -> Result<Answer, Error> {
    call.bind().await?;
    let settings = call.serving.tokens.issuer.refresh();
    let grant = Grant {
        id,
        client: native::CLIENT.to_owned(),
        // It is a public client: its refresh tokens are worth as much as its key.
        key: call.request.key.clone(),
        principal,
        audience,
        generation: 0,
        ends_at: call.now.saturating_add(settings.absolute.as_secs()),
    };
    let told = || Error::invalid_grant("what was granted was used before, or is over");
    let begun = call.store()?.begin_grant(&grant, call.now).await;
    match begun.map_err(|error| call.outage(&error))? {
        true => give(call, &grant, told()).await,
        false => Err(call.deny(
            Some(&grant.principal),
            "what was granted was used before",
            told(),
        )),
    }
}

/// An access token, and the refresh token that fetches the next one.
async fn give(call: &mut Call, grant: &Grant, told: Error) -> Result<Answer, Error> {
    call.request.lifetime = Lifetime::Cli;
    let tokens = &call.serving.tokens;
    let (principal, audience) = (&grant.principal, grant.audience.as_deref());
    let minted = tokens.token_for(&call.request, &grant.client, principal, audience);
    let refused = |refusal| Error::refused(refusal, told.clone());
    let minted = minted.await.map_err(refused)?;
    let Some(token) = opaque::generate(Kind::Refresh) else {
        return Err(refused(crate::token::Refusal::Fault));
    };
    let settings = tokens.issuer.refresh();
    let expires_at = call.now.saturating_add(settings.lifetime.as_secs());
    let end = minted.claims.expires.unwrap_or(u64::MAX);
    // What is given without a refresh token is remembered, too: a code that comes again ends it.
    let pair = Pair {
        hash: &opaque::hash(token.expose()),
        expires_at: expires_at.min(grant.ends_at),
        access_id: &minted.claims.jti,
        access_until: end.saturating_add(tokens.issuer.leeway() + 1),
    };
    let store = call.store()?;
    let put = store.put_refresh(grant, &pair, call.now).await;
    if !put.map_err(|error| call.outage(&error))? {
        let access = Revocable::Token(pair.access_id);
        let revoked = store.revoke(access, Some(pair.access_until), call.now);
        revoked.await.map_err(|error| call.outage(&error))?;
        return Err(call.deny(Some(principal), "it was revoked at this moment", told));
    }
    Ok(Answer {
        refresh_token: is_enabled(&call.serving).then_some(token),
        ..minted.into()
    })
}
