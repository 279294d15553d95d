//! `POST /oauth2/introspect` (RFC 7662): is a token of ours good, and what does it say? Asked by
//! a service that got it, which is a bot here. It is told of tokens for its own audience, and of
//! its own; of all others that they are not active, whatever they are.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use serde_json::{Map, Value, json};

use super::client::Shows;
use super::error::{self, Error};
use super::{Call, Face, token_type};
use crate::accounts::bots::Bot;
use crate::accounts::lasting::Owner;
use crate::accounts::opaque::{self, Kind};
use crate::token::lasting::principal;
use crate::token::{Holder, Lifetime};

/// The introspection endpoint.
pub const INTROSPECT: &str = "/oauth2/introspect";

/// A token of ours that is good.
struct Good {
    /// The name of its audience; none = the default one.
    audience: Option<String>,
    claims: Map<String, Value>,
}

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(INTROSPECT, any(introspect))
}

async fn introspect(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let call = match Call::open(&face, http, INTROSPECT).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let answered = told(&call).await;
    call.answer(answered.map(|body| error::answer(StatusCode::OK, &body)))
}

/// What the service is told.
async fn told(call: &Call) -> Result<Value, Error> {
    let (bot, shows) = call.client.require_bot()?;
    let token = call.form.require("token")?;
    let good = match opaque::kind(token) {
        Some(Kind::Bot | Kind::User) => opaque_token(call, token).await?,
        Some(Kind::Refresh | Kind::Device) => None,
        None => call.own(token)?.map(|own| {
            call.serving.tokens.used(&own.verified, call.now);
            Good {
                audience: own.audience,
                claims: own.verified.claims,
            }
        }),
    };
    let inactive = json!({ "active": false });
    let Some(good) = good else {
        return Ok(inactive);
    };
    let own = is_of(call, bot, &good);
    if !own && !audiences(call, bot, shows).await?.contains(&good.audience) {
        return Ok(inactive);
    }
    let bound = good.claims.contains_key("cnf");
    let mut body = Value::Object(good.claims);
    body["active"] = true.into();
    // RFC 9449 section 6.2: who is shown the token asks for the proof, too.
    body["token_type"] = token_type(bound).into();
    Ok(body)
}

/// An opaque token says what the signed one would say that it is exchanged for.
async fn opaque_token(call: &Call, token: &str) -> Result<Option<Good>, Error> {
    let users = call.serving.bots.personal_tokens;
    let (tokens, id) = (&call.serving.tokens, &call.request.inner.request_id);
    let redeemed = tokens.redeem(token, users, id, call.now).await;
    let (token, principal) = match redeemed {
        Ok(redeemed) => (redeemed.lasting, redeemed.principal),
        Err(error) if error.is_outage() => return Err(call.outage(&error)),
        Err(_) => return Ok(None),
    };
    let issuer = &call.serving.tokens.issuer;
    let Some(audience) = issuer.audience(token.audience.as_deref()) else {
        return Ok(None);
    };
    let holder = Holder::default();
    let claims = issuer.claims(
        audience,
        &principal,
        Lifetime::Api,
        token.created_at,
        holder,
    );
    let claims = claims.ok().map(|claims| claims.json);
    let claims = claims.and_then(|json| serde_json::from_slice(&json).ok());
    let Some(Value::Object(mut claims)) = claims else {
        return Ok(None);
    };
    claims.insert("jti".into(), token.id.clone().into());
    match token.end() {
        Some(end) => claims.insert("exp".into(), end.into()),
        None => claims.remove("exp"),
    };
    Ok(Some(Good {
        audience: token.audience,
        claims,
    }))
}

/// The audiences that a bot serves: that of the token that it shows; of one that shows its key,
/// those of its tokens, or the default one.
async fn audiences(call: &Call, bot: &Bot, shows: &Shows) -> Result<Vec<Option<String>>, Error> {
    if let Shows::Token(token) = shows {
        return Ok(vec![token.audience.clone()]);
    }
    let owner = Owner::Bot(bot.id.clone());
    let tokens = call.store()?.unrevoked_tokens_of(&owner).await;
    let tokens = tokens.map_err(|error| call.outage(&error))?;
    let live = tokens.into_iter().filter(|token| token.is_live(call.now));
    let audiences: Vec<_> = live.map(|token| token.audience).collect();
    Ok(match audiences.is_empty() {
        true => vec![None],
        false => audiences,
    })
}

/// Is a token about this bot itself?
fn is_of(call: &Call, bot: &Bot, good: &Good) -> bool {
    let subject = subject(call, bot, good.audience.as_deref());
    subject.is_some_and(|subject| good.claims.get("sub") == Some(&subject.into()))
}

/// What tokens about a bot say in `sub`.
pub(super) fn subject(call: &Call, bot: &Bot, audience: Option<&str>) -> Option<String> {
    let issuer = &call.serving.tokens.issuer;
    let audience = issuer.audience(audience)?;
    let (bot, holder) = (principal(bot), Holder::default());
    let claims = issuer.claims(audience, &bot, Lifetime::Api, call.now, holder);
    claims.ok().map(|claims| claims.sub)
}
