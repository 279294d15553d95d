//! `countersign reload`: tells the running server to read its configuration, plugin
//! files and keys anew, and how that went. The same as SIGHUP, with an answer.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;

use super::control;
use super::failure::{CONFIGURATION, Failure, REFUSED};
use super::output;
use super::setup::Setup;

/// Tell the running server to read its configuration anew.
#[derive(Args)]
pub(super) struct Reload {}

pub(super) fn run(setup: &Setup, _: &Reload) -> Result<(), Failure> {
    let state = setup.load()?.config.state;
    let asked = Setup::runtime()?.block_on(control::ask(&state, "/reload", &json!({})));
    // What does not hold does not hold for a start either: the same exit code.
    let news = asked.map_err(|failure| failure.with_code(CONFIGURATION))?;
    let Some(news) = news else {
        let error = format!("no server runs on {}", state.display());
        let help =
            "start one with `countersign serve`, or name its state folder with COUNTERSIGN_STATE";
        return Err(Failure::new(REFUSED, error, help));
    };
    let mut text = String::new();
    for notice in news["notices"].as_array().into_iter().flatten() {
        let _ = writeln!(text, "{}", notice.as_str().unwrap_or_default());
    }
    for (backend, change) in news["backends"].as_object().into_iter().flatten() {
        let _ = writeln!(
            text,
            "backend {backend}: {}",
            change.as_str().unwrap_or_default()
        );
    }
    for key in news["needs_restart"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap_or_default();
        let _ = writeln!(text, "warning: {key} changes with the next start only");
    }
    text.push_str("ok: the new configuration serves\n");
    output::write(&text)
}
