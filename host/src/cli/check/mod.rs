//! `countersign check`: the code of `serve` up to binding a socket; changes nothing. With
//! `--probe` it also connects: see [`probe`].

mod keys;
mod known;
mod page;
mod probe;
mod told;

use std::fmt::Write as _;

use clap::Args;

use super::failure::{Failure, REFUSED, USAGE};
use super::ingestion::{self, Judged};
use super::output;
use super::setup::Setup;
use crate::accounts::store::{Location, Store};
use crate::config::Loaded;
use crate::keys::Mode;
use crate::server::tls::Pair;
use crate::token::Tokens;
use crate::{start, state, telemetry};

/// Check the configuration, the keys and every backend.
#[derive(Args)]
pub(super) struct Check {
    /// Also ask each backend whether it can be reached, and what it knows of a user: his
    /// groups, roles and row, without his password; and fetch the keys of trusted issuers;
    /// 1 = one cannot be reached, or no backend knows him
    #[arg(long, value_name = "USER", num_args = 0..=1, default_missing_value = "")]
    probe: Option<String>,
    /// What --probe found, as JSON: {backends: [{backend, reachable, millis, error?}],
    /// trust?: [{issuer, url, millis, keys, refused?, error?, help?}], user?: {name, backends: [{backend, millis, conditions?, found: {outcome, reason?},
    /// user?: {id, username, email, name, groups: [{group, roles, because?, missed}],
    /// roles: [{role, from}], row?: {backend, what, admitted, roles?}}}]}}; outcome is known,
    /// unknown, refused, not_offered, not_asked or failed
    #[arg(long)]
    json: bool,
}

pub(super) fn run(setup: &Setup, check: &Check) -> Result<(), Failure> {
    if check.json && check.probe.is_none() {
        let help = "add --probe, or --probe USER; or leave --json out";
        return Err(Failure::new(USAGE, "--json shows what --probe finds", help));
    }
    let loaded = setup.load()?;
    let filter = setup.sources.environment.get("RUST_LOG");
    telemetry::start(filter.map(String::as_str).or(Some("error")));
    state::inspect(&loaded.config.state)?;
    let tls = &loaded.config.server.tls;
    let pair = tls.is_on().then(|| Pair::read(tls)).transpose()?;
    let runtime = Setup::runtime()?;
    let starting = start::start(&loaded.config, &setup.libraries, Mode::Check, |_| {});
    let placed = |error| Failure::starting(error, &loaded.origins);
    let tokens = runtime.block_on(starting).map_err(placed)?.tokens;

    let mut text = summary(&loaded, pair.as_ref(), &tokens);
    let judged = runtime.block_on(held(&loaded, &tokens));
    for each in &judged {
        let _ = writeln!(text, "{each}");
    }
    let refused = judged.iter().filter(|each| each.is_refused()).count();
    if refused > 0 && !check.json {
        output::write(&text)?;
        let what =
            format!("the server can start, but {refused} of OpenMetadata's tokens cannot be used");
        let help = "the reason stands above; `countersign bots token NAME` makes a new one";
        return Err(Failure::new(REFUSED, what, help));
    }
    let Some(user) = &check.probe else {
        return output::write(&format!("{text}ok: the server can start\n"));
    };
    let user = Some(user.as_str()).filter(|user| !user.is_empty());
    let told = runtime.block_on(probe::probe(&loaded.config, &tokens, user));
    output::write(&match check.json {
        true => format!("{:#}\n", serde_json::json!(told)),
        false => format!("{text}{}", page::written(&told)),
    })?;
    match told.verdict() {
        None if check.json => Ok(()),
        None if told.trust.is_empty() => {
            output::write("ok: the server can start, and every backend answers\n")
        }
        None => output::write(
            "ok: the server can start, every backend answers, and trusted issuers have keys\n",
        ),
        Some((what, help)) => Err(Failure::new(REFUSED, what, help)),
    }
}

/// The tokens of OpenMetadata's ingestion, judged; the store is only looked into.
async fn held(loaded: &Loaded, tokens: &Tokens) -> Vec<Judged> {
    if loaded.ingestion.is_empty() {
        return Vec::new();
    }
    // A store that cannot be looked into has stopped the check before.
    let store = Store::look(Location::of(&loaded.config)).await;
    let store = store.unwrap_or_default();
    let judged = ingestion::judge(loaded.ingestion.clone(), tokens, store.as_ref()).await;
    if let Some(store) = store {
        store.close().await;
    }
    judged
}

fn summary(loaded: &Loaded, pair: Option<&Pair>, tokens: &Tokens) -> String {
    let mut text = String::new();
    for notice in &loaded.notices {
        let _ = writeln!(text, "{notice}");
    }
    for notice in tokens.keys.load().notices() {
        let _ = writeln!(text, "warning: {notice}");
    }
    for notice in pair.into_iter().flat_map(Pair::notices) {
        let _ = writeln!(text, "warning: TLS: {notice}");
    }
    for backend in tokens.registry.iter() {
        let _ = writeln!(
            text,
            "backend {}: {}",
            backend.id,
            backend.plugin.library.info()
        );
    }
    text
}
