//! What is asked of the token service, whichever face it came through.

use std::net::IpAddr;

use serde_json::Value;
use zeroize::Zeroize;

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
}

/// Airflow's two lifetimes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifetime {
    /// `tokens.lifetime` (`/auth/token`).
    Api,
    /// `tokens.cli_lifetime` (`/auth/token/cli`).
    Cli,
}

impl Request {
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
