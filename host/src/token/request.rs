//! What is asked of the token service, whichever face it came through.

use std::net::IpAddr;
use std::num::NonZeroU64;

use countersign_abi::Headers;
use serde_json::{Value, json};
use zeroize::Zeroize;

use super::Holder;
use crate::config::shapes::Expiry;

/// A bounded, parsed request. What may hold credentials is overwritten when it is dropped.
#[derive(Clone)]
pub struct Request {
    /// What the backends see: headers, raw body, peer, request id.
    pub inner: countersign_abi::Request,
    /// The body's JSON object.
    pub body: Value,
    /// The one backend to ask, or the chain.
    pub only: Option<String>,
    /// Which lifetime the token gets.
    pub lifetime: Lifetime,
    /// The route that was called, such as `/auth/token`.
    pub path: &'static str,
    /// The client's address; failures of a client without one are not counted.
    pub address: Option<IpAddr>,
    /// The thumbprint of the key that the client has proved to have ([`dpop`](super::dpop)), to
    /// which the token is bound; none = whoever has the token has it.
    pub key: Option<String>,
}

/// How long a token shall live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `tokens.lifetime` (`/auth/token`).
    Api,
    /// `tokens.cli_lifetime` (`/auth/token/cli`).
    Cli,
    /// What a client asked for, cut to the audience's `max_lifetime`.
    Requested(NonZeroU64),
    /// What a bot's token was made for, whatever the audience allows others.
    Lasting(Expiry),
}

/// A client asked for a lifetime that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the lifetime must be a whole number of seconds from 1 to {}",
    u32::MAX
)]
pub struct NotALifetime;

impl Lifetime {
    /// A lifetime as a client asks for it, in seconds: 0, a negative number, a fraction, and
    /// what no clock could count to are refused. More than the audience allows is not: it is
    /// cut to `max_lifetime` when the token is made.
    ///
    /// # Errors
    /// [`NotALifetime`], which is the client's mistake: 400.
    pub fn requested(seconds: &Value) -> Result<Self, NotALifetime> {
        let seconds = seconds.as_u64().and_then(|it| u32::try_from(it).ok());
        let seconds = seconds.and_then(|it| NonZeroU64::new(it.into()));
        seconds.map(Lifetime::Requested).ok_or(NotALifetime)
    }
}

impl Request {
    /// Asks the whole chain, for a token of the usual lifetime: nothing is in its body yet.
    /// `id` is the request's id, `headers` are those that backends are told.
    pub fn new(path: &'static str, headers: Headers, id: String, address: Option<IpAddr>) -> Self {
        Request {
            inner: countersign_abi::Request {
                headers,
                peer: address.map_or_else(String::new, |address| address.to_string()),
                request_id: id,
                ..countersign_abi::Request::default()
            },
            body: json!({}),
            only: None,
            lifetime: Lifetime::Api,
            path,
            address,
            key: None,
        }
    }

    /// Does it carry `Authorization: Bearer`?
    pub fn has_bearer(&self) -> bool {
        let value = self.inner.headers.get("authorization").unwrap_or_default();
        value.len() > 7 && value[..7].eq_ignore_ascii_case(b"bearer ")
    }

    /// Are both username and password there, as FAB understands "there"?
    pub fn has_credentials(&self) -> bool {
        let given = |key| match self.body.get(key) {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => !members.is_empty(),
            Some(Value::Bool(true)) => true,
        };
        // A password that is no text cannot be right; FAB answers 500.
        given("username") && given("password") && self.body["password"].is_string()
    }

    /// The username as it was typed, or empty.
    pub fn username(&self) -> &str {
        self.body
            .get("username")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Who will hold the token: a client that is known, and its key.
    pub fn holder<'a>(&'a self, client: Option<&'a str>) -> Holder<'a> {
        Holder {
            client,
            key: self.key.as_deref(),
        }
    }

    /// The client's `User-Agent`, or empty.
    pub fn agent(&self) -> &str {
        let agent = self.inner.headers.get("user-agent").unwrap_or_default();
        std::str::from_utf8(agent).unwrap_or_default()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.inner.wipe();
        wipe(&mut self.body);
    }
}

/// Overwrites every text; no deeper than the parser went.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wipe_leaves_no_text_wherever_it_stands() {
        let mut body = json!({ "password": "secret", "more": [{ "a": "secret" }, 1, null, true] });
        wipe(&mut body);
        assert_eq!(
            body,
            json!({ "password": "", "more": [{ "a": "" }, 1, null, true] })
        );
    }
}
