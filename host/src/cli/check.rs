//! `countersign check`: the code of `serve` up to binding a socket; changes nothing.

use std::fmt::Write as _;

use clap::Args;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use crate::keys::Mode;
use crate::server::tls::Pair;
use crate::{start, state, telemetry};

/// Check the configuration, the keys and every backend.
#[derive(Args)]
pub(super) struct Check {}

pub(super) fn run(setup: &Setup, _: &Check) -> Result<(), Failure> {
    let loaded = setup.load()?;
    let filter = setup.sources.environment.get("RUST_LOG");
    telemetry::start(filter.map(String::as_str).or(Some("error")));
    state::inspect(&loaded.config.state)?;
    let tls = &loaded.config.server.tls;
    let pair = tls.is_on().then(|| Pair::read(tls)).transpose()?;
    let starting = start::start(&loaded.config, &setup.libraries, Mode::Check, &|_| {});
    let started = Setup::runtime()?.block_on(starting);
    let placed = |error| Failure::starting(error, &loaded.origins);
    let tokens = started.map_err(placed)?.tokens;

    let mut text = String::new();
    for notice in &loaded.notices {
        let _ = writeln!(text, "{notice}");
    }
    for notice in tokens.keys.notices() {
        let _ = writeln!(text, "warning: {notice}");
    }
    for notice in pair.iter().flat_map(Pair::notices) {
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
    text.push_str("ok: the server can start\n");
    output::write(&text)
}
