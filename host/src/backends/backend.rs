//! One live backend: its instance behind a gate and under a time limit.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_abi::{Call, Code, Failure, Instance, Operation, Request, User};
use regex::Regex;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::Outcome;
use super::breaker::Subject;
use super::calls::{Asked, Verdict};
use super::gate::{Gate, RETRY_AFTER, State};
use super::library::Plugin;
use super::log::BackendLog;
use super::outcome::Refused;
use super::recent::{LastFailure, Minute};
use super::sent::Sent;
use crate::config::shapes;

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
    pub(super) gate: Arc<Gate>,
    pub(super) log: Arc<BackendLog>,
    pub(super) username: Option<Regex>,
}

/// What an instance offers, as the plugin says it. Unknown members are of newer plugins.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Capabilities {
    /// Understands a username and a password.
    pub password: bool,
    /// Understands `Authorization: Bearer`.
    pub bearer: bool,
    /// Offers a login in the browser.
    pub browser: bool,
    /// Finds or registers users for other backends.
    pub provision: bool,
    /// Offers `countersign users …`.
    pub manage: bool,
    /// Looks users up without credentials.
    pub lookup: bool,
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
        let by_name = match username {
            Some(name) => self.is_for(name),
            None => self.username.is_none(),
        };
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

    /// Does its `match.username` admit this name?
    pub fn is_for(&self, name: &str) -> bool {
        let pattern = self.username.as_ref();
        pattern.is_none_or(|pattern| pattern.is_match(name))
    }

    /// Asks who is asking; `body` is the request's JSON. Whatever goes wrong is an outcome;
    /// nothing fails open.
    pub async fn authenticate(&self, request: &Request, body: &Value) -> Outcome {
        let limit = self.settings.timeout;
        let sent = Sent::from(request);
        let subject = Subject::of(&(name(body), request.headers.get("authorization")));
        let pass = match self.gate.enter(Asked::CreateToken, subject, sent) {
            Ok(pass) => pass,
            Err(refused) => return Outcome::Unavailable(refused),
        };
        let request = Request {
            millis_left: millis(limit),
            ..request.clone()
        };
        let call = self.instance.create_token_under(pass.lease(), request);
        match timeout(limit, call).await {
            Ok(answer) => {
                let answer = answer.map_err(|failure| self.log.clean_failure(failure));
                let outcome = Outcome::from(answer);
                if let Outcome::Unavailable(refused) | Outcome::Fault(refused) = &outcome {
                    self.failed(Asked::CreateToken, &refused.detail);
                }
                pass.end(Verdict::from(&outcome));
                outcome
            }
            Err(_) => {
                self.failed(Asked::CreateToken, &late(limit));
                pass.end(Verdict::Timeout);
                Outcome::Unavailable(outage(late(limit)))
            }
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
            millis_left: millis(limit),
            arguments,
        };
        let asked = Asked::Optional(operation);
        let user = call.arguments.get("user").unwrap_or(&call.arguments);
        let subject = Subject::of(&name(user));
        let pass = self
            .gate
            .enter(asked, subject, Sent::from(&call))
            .map_err(|refused| Failure {
                retry_after_millis: refused.retry_after.map_or(0, millis),
                ..Failure::new(Code::Unavailable, refused.detail)
            })?;
        let answer = self.instance.call_under(pass.lease(), operation, &call);
        match timeout(limit, answer).await {
            Ok(answer) => {
                let code = answer.as_ref().map_err(|failure| failure.code);
                pass.end(code.map_or_else(Verdict::from, |_| Verdict::Done));
                answer.map_err(|failure| {
                    let failure = self.log.clean_failure(failure);
                    if matches!(failure.code, Code::Unavailable | Code::Fault) {
                        self.failed(asked, &failure.detail);
                    }
                    failure
                })
            }
            Err(_) => {
                self.failed(asked, &late(limit));
                pass.end(Verdict::Timeout);
                Err(Failure::new(Code::Unavailable, late(limit)))
            }
        }
    }

    /// Who came back from the provider, and what his logout will need; `callback` is what
    /// [`FinishLogin`](Operation::FinishLogin) is asked with. Whatever goes wrong is an outcome.
    pub async fn finish_login(&self, request_id: &str, callback: Value) -> (Outcome, Value) {
        let answer = self
            .call(Operation::FinishLogin, request_id, callback)
            .await;
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(failure) => return (Outcome::from(Err(failure)), Value::Null),
        };
        let private = answer["private"].take();
        let user = User::try_from(answer["user"].take());
        (Outcome::from(user.map(Some)), private)
    }

    /// Its instance was told to finish, and nothing takes its place: it is unavailable.
    pub fn end(&self) {
        self.gate.shut();
    }

    /// The calls of the last hour by the minute, the oldest first, up to this time in seconds
    /// since 1970.
    pub fn minutes(&self, now: u64) -> Vec<Minute> {
        self.gate.calls.recent.minutes(now)
    }

    /// What went wrong last with a call of it.
    pub fn last_failure(&self) -> Option<LastFailure> {
        self.gate.calls.recent.failure()
    }

    fn failed(&self, asked: Asked, reason: &str) {
        self.gate.calls.recent.failed(asked, reason);
    }

    /// What it is doing: its breaker, its permits, its calls.
    pub fn state(&self) -> State {
        self.gate.state()
    }
}

/// The name in a body or in an operation's arguments, as directories compare it.
fn name(arguments: &Value) -> Option<String> {
    let name = arguments.get("username").and_then(Value::as_str);
    name.map(|name| name.trim().to_lowercase())
}

fn outage(detail: impl fmt::Display) -> Refused {
    Refused {
        detail: detail.to_string(),
        retry_after: Some(RETRY_AFTER),
        ..Refused::default()
    }
}

fn late(limit: Duration) -> String {
    format!("no answer within {}", humantime::format_duration(limit))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
