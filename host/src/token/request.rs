//! What is asked of the token service, whichever face it came through.

use serde_json::Value;

/// A bounded, parsed request.
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
}
