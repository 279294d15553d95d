//! `POST /oauth2/revoke` (RFC 7009): a client has no more use for a token of its own. Whatever
//! else it shows, it is answered the same, and nothing happens. What cannot be revoked now is
//! answered so (section 2.2.1).

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
    match &call.client {
        Client::Bot(bot, _) => of_bot(call, call.store()?, bot, token).await,
        Client::Public(_) if call.client.require_id()? == native::CLIENT => {
            of_user(call, call.store()?, token).await
        }
        Client::Public(_) => Err(Error::invalid_client(true)),
    }
}

/// A bot's: one that was made for it, or that it was given for its credential.
async fn of_bot(call: &Call, store: &Store, bot: &Bot, token: &str) -> Result<(), Error> {
    let outage = |error: StoreError| call.outage(&error);
    let lasting = store.token_by_hash(&opaque::hash(token)).await;
    if let Some(lasting) = lasting.map_err(outage)? {
        return match lasting.owner == Owner::Bot(bot.id.clone()) {
            true => {
                let revoked = store.revoke_token(&lasting, call.now).await;
                revoked.map_err(outage)
            }
            false => Ok(()),
        };
    }
    match call.own(token)? {
        Some(own) if is_of(call, bot, &own) => end(call, store, &own).await,
        _ => Ok(()),
    }
}

/// One that a user's client was given.
async fn of_user(call: &Call, store: &Store, token: &str) -> Result<(), Error> {
    let outage = |error: StoreError| call.outage(&error);
    if opaque::kind(token) == Some(Kind::Refresh) {
        let grant = store.grant_of(&opaque::hash(token)).await;
        let grant = grant.map_err(outage)?;
        // All that came of it, the access tokens, too (RFC 7009 section 2.1).
        return match grant.filter(|(grant, _)| grant.client == native::CLIENT) {
            Some((grant, _)) => {
                let revoked = store.revoke_grant(&grant.id, call.now).await;
                revoked.map_err(outage)
            }
            None => Ok(()),
        };
    }
    let Some(own) = call.own(token)? else {
        return Ok(());
    };
    let id = own.verified.id.as_deref().unwrap_or_default();
    let client = store.client_of(id).await.map_err(outage)?;
    match client.as_deref() {
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

async fn end(call: &Call, store: &Store, own: &Own) -> Result<(), Error> {
    let Some(id) = own.verified.id.as_deref() else {
        return Ok(());
    };
    let leeway = call.serving.tokens.issuer.leeway() + 1;
    let until = own.verified.expires.map(|at| at.saturating_add(leeway));
    let revoked = store.revoke(Revocable::Token(id), until, call.now).await;
    revoked.map_err(|error| call.outage(&error))
}
