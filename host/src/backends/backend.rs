//! One live backend: its instance behind a permit and a deadline.

use std::time::Duration;

use countersign_abi::{Call, Code, Failure, Instance, Operation, Request};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::Outcome;
use super::library::Plugin;
use super::outcome::Refused;
use crate::config::shapes;

/// How long an outage should be waited out when the plugin does not say.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// A configured, live use of a plugin.
#[derive(Debug)]
pub struct Backend {
    /// The id in the configuration.
    pub id: String,
    /// The library behind it.
    pub plugin: Plugin,
    /// Its settings.
    pub settings: shapes::Backend,
    /// What the instance offers.
    pub capabilities: Capabilities,
    pub(super) instance: Instance,
    pub(super) permits: Semaphore,
    pub(super) username: Option<Regex>,
}

/// What an instance offers, as the plugin says it. Unknown members are of newer plugins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Understands a username and a password.
    pub password: bool,
    /// Offers `countersign users …`.
    pub manage: bool,
    /// Only one copy of its library may hold its files.
    pub exclusive: bool,
    /// Its user table was just made and is empty.
    pub fresh: bool,
}

impl Backend {
    /// Does the backend want to be asked about this request? `body` is its JSON.
    pub fn matches(&self, request: &Request, body: &Value) -> bool {
        let rules = &self.settings.matches;
        let username = body.get("username").and_then(Value::as_str);
        let by_name = self
            .username
            .as_ref()
            .is_none_or(|pattern| username.is_some_and(|name| pattern.is_match(name)));
        let by_header = rules
            .header
            .as_ref()
            .is_none_or(|wanted| request.headers.get(&wanted.to_ascii_lowercase()).is_some());
        let by_body = rules
            .body
            .as_ref()
            .is_none_or(|field| body.get(field).is_some());
        by_name && by_header && by_body
    }

    /// Asks who is asking. Whatever goes wrong is an outcome; nothing fails open.
    pub async fn authenticate(&self, request: &Request) -> Outcome {
        let Ok(_permit) = self.permits.try_acquire() else {
            return Outcome::Unavailable(Refused {
                detail: format!(
                    "{} calls are in flight, the most that `concurrency` allows",
                    self.settings.concurrency
                ),
                retry_after: Some(RETRY_AFTER),
                ..Refused::default()
            });
        };
        let limit = self.settings.timeout;
        let request = Request {
            millis_left: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            ..request.clone()
        };
        match timeout(limit, self.instance.create_token(request)).await {
            Ok(answer) => Outcome::from(answer),
            Err(_) => Outcome::Unavailable(Refused {
                detail: format!("no answer within {}", humantime::format_duration(limit)),
                retry_after: Some(RETRY_AFTER),
                ..Refused::default()
            }),
        }
    }

    /// Calls an optional operation under the backend's time limit; `request_id` is that of
    /// the request that it serves, or empty.
    pub async fn call(
        &self,
        operation: Operation,
        request_id: &str,
        arguments: Value,
    ) -> Result<Value, Failure> {
        let limit = self.settings.timeout;
        let call = Call {
            request_id: request_id.to_owned(),
            millis_left: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
            arguments,
        };
        let answer = timeout(limit, self.instance.call(operation, &call)).await;
        answer.map_err(|_| {
            let detail = format!("no answer within {}", humantime::format_duration(limit));
            Failure::new(Code::Unavailable, detail)
        })?
    }
}
