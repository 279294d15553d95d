//! Tokens for a terminal without a browser (RFC 8628): it shows its user a short code, and he
//! says yes in a browser elsewhere, on the pages at [`DEVICE`].
//!
//! He must be signed in before he types a code, so that nobody guesses at codes unseen, and he
//! sees where and when the device was started before he says yes: whoever sends somebody a code
//! of his own device wants it to be confirmed in haste (section 5.4).

mod code;
mod pages;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use serde_json::{Value, json};

use super::error::{self, Error};
use super::exchange::audience;
use super::{Answer, Call, Face, Serving, has_clients, native, refresh};
use crate::accounts::devices::{Begun, NewDevice, Polled};
use crate::accounts::opaque::{self, Kind};
use crate::accounts::throttle::network;
use crate::token::Refusal;
use code::UserCode;

/// As `grant_type` names it.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where a device begins.
pub const AUTHORIZATION: &str = "/oauth2/device_authorization";

/// Where its user says yes.
pub const DEVICE: &str = "/device";

/// Seconds that a device waits for its user.
const PATIENCE: u64 = 600;

/// Seconds between two polls.
const PAUSE: u64 = 5;

/// How often another code is tried where one is taken.
const TRIES: u32 = 5;

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(AUTHORIZATION, any(authorize))
        .route(DEVICE, any(pages::show))
}

/// Can devices wait here? Where anybody can sign in with a browser.
pub fn is_enabled(serving: &Serving) -> bool {
    has_clients(serving) && super::code::is_enabled(serving)
}

async fn authorize(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let call = match Call::open(&face, http, AUTHORIZATION).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let answered = begun(&call).await;
    call.answer(answered.map(|body| error::answer(StatusCode::OK, &body)))
}

/// A device begins to wait (RFC 8628 section 3.2).
async fn begun(call: &Call) -> Result<Value, Error> {
    let serving = &call.serving;
    match call.client.require_id()? {
        native::CLIENT => {}
        _ => return Err(Error::unauthorized_client("this client has no devices")),
    }
    if !is_enabled(serving) {
        let text = "nobody signs in here with a browser";
        return Err(Error::unauthorized_client(text));
    }
    let audience = audience(&serving.tokens.issuer, &call.form)?;
    let network = call.request.address.map(network);
    let network = network.map_or_else(String::new, |network| network.to_string());
    let fault = || Error::refused(Refusal::Fault, Error::invalid_request(""));
    let device_code = opaque::generate(Kind::Device).ok_or_else(fault)?;
    let hash = opaque::hash(device_code.expose());
    for _ in 0..TRIES {
        let user_code = UserCode::random().ok_or_else(fault)?;
        let device = NewDevice {
            hash: &hash,
            user_code: user_code.plain(),
            client: native::CLIENT,
            audience,
            address: &call.request.inner.peer,
            network: &network,
            expires_at: call.now.saturating_add(PATIENCE),
            pause: PAUSE,
        };
        let begun = call.store()?.put_device(&device, call.now).await;
        match begun.map_err(|error| call.outage(&error))? {
            Begun::Waits => {
                let page = format!("{}{DEVICE}", serving.browser.public_url);
                return Ok(json!({
                    "device_code": device_code.expose(),
                    "user_code": user_code.shown(),
                    "verification_uri": page,
                    "verification_uri_complete": format!("{page}?user_code={}", user_code.shown()),
                    "expires_in": PATIENCE,
                    "interval": PAUSE,
                }));
            }
            Begun::Again => {}
            Begun::TooMany => break,
        }
    }
    let later = Refusal::Throttled(std::time::Duration::from_secs(60));
    tracing::warn!(target: "http", "too many devices wait for their users");
    Err(Error::refused(later, Error::invalid_request("")))
}

/// The tokens for a device code, once the user has said yes.
///
/// # Errors
/// `authorization_pending`, `slow_down`, `access_denied`, `expired_token` (RFC 8628 section
/// 3.5); `invalid_grant`: nobody knows the code.
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let device_code = call.form.require("device_code")?;
    let client = call.client.require_id()?;
    let unknown = || Error::invalid_grant("the device code is unknown, used, or another client's");
    if opaque::kind(device_code) != Some(Kind::Device) {
        return Err(call.deny(None, "this is no device code", unknown()));
    }
    let hash = opaque::hash(device_code);
    let polled = call.store()?.poll_device(&hash, client, call.now).await;
    match polled.map_err(|error| call.outage(&error))? {
        Polled::Granted(principal, audience) => {
            let id = format!("device {hash}");
            refresh::begin(call, id, *principal, audience).await
        }
        Polled::Pending => {
            Err(Error::device("authorization_pending", "the user has not answered yet").told())
        }
        Polled::SlowDown => {
            Err(Error::device("slow_down", "wait 5 seconds longer between two requests").told())
        }
        Polled::Denied => {
            let told = Error::device("access_denied", "the user said no");
            Err(call.deny(None, "the user said no to the device", told))
        }
        Polled::Expired => {
            let told = Error::device("expired_token", "the user did not answer in time");
            Err(call.deny(None, "the user of the device was too late", told))
        }
        Polled::Unknown => Err(call.deny(None, "nobody knows the device code", unknown())),
    }
}
