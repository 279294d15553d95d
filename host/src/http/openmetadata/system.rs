//! What clients ask first, and whether the bots' tokens would be taken.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Map, Value, json};

use super::answer::{Refused, not_done, ok};
use super::asker::Call;
use super::shapes::millis;
use crate::accounts::bots::Side;
use crate::clock;

/// The API whose shapes these are: OpenMetadata's Python client wants its own major and minor
/// version here.
const SPOKEN: &str = "2.0.7";

/// Bots that are read at once.
const PAGE: u32 = 500;

pub(super) fn version() -> Response<Body> {
    ok(&json!({
        "version": SPOKEN,
        "revision": concat!("countersign ", env!("CARGO_PKG_VERSION")),
        "timestamp": millis(clock::unix_now()),
    }))
}

/// The check of OpenMetadata's status page: would each bot's token pass?
pub(super) async fn status(call: Call) -> Result<Response<Body>, Refused> {
    let known = call.manager().await?;
    let (management, now) = (known.management()?, clock::unix_now());
    let mut bots = Map::new();
    let mut failed = Vec::new();
    let mut after = String::new();
    loop {
        let found = management.search("", Side::After(&after), PAGE).await;
        let found = found.map_err(|error| not_done(&error, &known.id))?;
        for described in &found.bots {
            let verdict = known.serving.tokens.would_pass(described, now);
            let name = &described.bot.name;
            if verdict.is_err() {
                failed.push(name.clone());
            }
            let message = verdict.err().unwrap_or("a token is good");
            let told: Value = json!({ "description": "Bot token", "passed": verdict.is_ok(), "message": message });
            bots.insert(name.clone(), told);
        }
        match found.bots.last().filter(|_| found.more) {
            Some(last) => after.clone_from(&last.bot.name),
            None => break,
        }
    }
    let message = match failed.as_slice() {
        [] => "Every bot has a token that is good".to_owned(),
        failed => format!("No good token: {}", failed.join(", ")),
    };
    Ok(ok(&json!({
        "jwks": { "description": "Bots' tokens", "passed": failed.is_empty(), "message": message },
        "bots": bots,
    })))
}
