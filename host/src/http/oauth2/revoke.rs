//! `POST /oauth2/revoke` (RFC 7009): a client has no more use for a token of its own. Whatever
//! else it shows, it is answered the same, and nothing happens.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use serde_json::{Value, json};

use super::client::Client;
use super::error::{self, Error};
use super::introspect::subject;
use super::{Call, Face, native};
use crate::accounts::bots::Bot;
use crate::accounts::lasting::Owner;
use crate::accounts::opaque::{self, Kind};
use crate::accounts::store::{Revocable, Store, StoreError};
use crate::token::own::Own;

/// The revocation endpoint.
pub const REVOKE: &str = "/oauth2/revoke";

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(REVOKE, any(revoke))
}

async fn revoke(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let call = match Call::open(&face, http, REVOKE).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let answered = revoked(&call).await;
    call.answer(answered.map(|()| error::answer(StatusCode::OK, &json!({}))))
}

async fn revoked(call: &Call) -> Result<(), Error> {
    let token = call.form.require("token")?;
    // One that asks again was revoked here before, perhaps, and nowhere else.
    let paid = call.store()?.pay().await;
    paid.map_err(|error| call.outage(&error))?;
    let done = match &call.client {
        Client::Bot(bot, _) => of_bot(call, call.store()?, bot, token).await,
        Client::Public(_) if call.client.require_id()? == native::CLIENT => {
            of_user(call, call.store()?, token).await
        }
        Client::Public(_) => return Err(Error::invalid_client(true)),
    };
    done.map_err(|error| call.outage(&error))
}

/// A bot's: one that was made for it, or that it was given for its credential.
async fn of_bot(call: &Call, store: &Store, bot: &Bot, token: &str) -> Result<(), StoreError> {
    if let Some(lasting) = store.token_by_hash(&opaque::hash(token)).await? {
        return match lasting.owner == Owner::Bot(bot.id.clone()) {
            true => store.revoke_token(&lasting, call.now).await,
            false => Ok(()),
        };
    }
    match call.serving.tokens.verify_any(token, call.now) {
        Ok(own) if is_of(call, bot, &own) => end(call, store, &own).await,
        _ => Ok(()),
    }
}

/// One that a user's client was given.
async fn of_user(call: &Call, store: &Store, token: &str) -> Result<(), StoreError> {
    if opaque::kind(token) == Some(Kind::Refresh) {
        let grant = store.grant_of(&opaque::hash(token)).await?;
        // All that came of it, the access tokens, too (RFC 7009 section 2.1).
        return match grant.filter(|(grant, _)| grant.client == native::CLIENT) {
            Some((grant, _)) => store.revoke_grant(&grant.id, call.now).await,
            None => Ok(()),
        };
    }
    let Ok(own) = call.serving.tokens.verify_any(token, call.now) else {
        return Ok(());
    };
    let id = own.verified.id.as_deref().unwrap_or_default();
    match store.client_of(id).await?.as_deref() {
        Some(native::CLIENT) => end(call, store, &own).await,
        _ => Ok(()),
    }
}

fn is_of(call: &Call, bot: &Bot, own: &Own) -> bool {
    let subject = subject(call, bot, own.audience.as_deref());
    let client = own.verified.claims.get("client_id").and_then(Value::as_str);
    let foreign = client.is_some_and(|client| client != bot.name);
    !foreign && subject.as_ref() == Some(&own.verified.subject)
}

async fn end(call: &Call, store: &Store, own: &Own) -> Result<(), StoreError> {
    let Some(id) = own.verified.id.as_deref() else {
        return Ok(());
    };
    let leeway = call.serving.tokens.issuer.leeway() + 1;
    let until = own.verified.expires.map(|at| at.saturating_add(leeway));
    store.revoke(Revocable::Token(id), until, call.now).await
}
