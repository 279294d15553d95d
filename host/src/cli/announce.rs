//! What a server says when it serves: a line for machines, a page for a person.

use std::fmt::Write as _;
use std::io::{IsTerminal, stdout};

use super::output;
use crate::accounts::initial_password;
use crate::config::Config;
use crate::token::Tokens;

/// What is running, for a person; the log has the same for machines.
pub(super) fn announce(config: &Config, tokens: &Tokens) {
    for backend in tokens.registry.iter() {
        let (info, sha256) = (
            backend.plugin.library.info(),
            backend.plugin.library.sha256(),
        );
        tracing::info!(backend = backend.id, plugin = info.name, version = info.version, abi = info.abi, sha256, path = %backend.plugin.path.display(), "backend ready");
    }
    tracing::info!(listen = config.server.listen, admin = config.admin.listen, state = %config.state.display(), issuer = tokens.issuer.name(), "serving");
    if stdout().is_terminal() {
        let _ = output::write(&banner(config, tokens));
    }
}

fn banner(config: &Config, tokens: &Tokens) -> String {
    let url = config.public_url();
    let mut text = format!("\ncountersign {} serves {url}\n", env!("CARGO_PKG_VERSION"));
    for backend in tokens.registry.iter() {
        let library = &backend.plugin.library;
        let (info, sha256) = (library.info(), library.sha256());
        let _ = writeln!(
            text,
            "  backend  {}  {} {}  sha256 {}…",
            backend.id,
            info.name,
            info.version,
            &sha256[..16]
        );
    }
    let keys = tokens.keys.load();
    let key = keys.shared().active();
    let _ = writeln!(text, "  key      {} {}", key.kid(), key.algorithm());
    let _ = writeln!(text, "  jwks     {url}/.well-known/jwks.json");
    let _ = writeln!(text, "  probes   http://{}/readyz", config.admin.listen);
    let _ = writeln!(text, "  state    {}\n", config.state.display());
    text.push_str(&curl(config, &url));
    text
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A command to paste that returns a token.
fn curl(config: &Config, url: &str) -> String {
    let file = initial_password::file(&config.state);
    let (who, password) = if file.exists() {
        (
            initial_password::NAME,
            format!("'\"$(cat {})\"'", quoted(&file.display().to_string())),
        )
    } else {
        ("NAME", "PASSWORD".to_owned())
    };
    format!(
        "Get a token:\n\n  curl -s {url}/auth/token -H 'Content-Type: application/json' \\\n    -d '{{\"username\": \"{who}\", \"password\": \"{password}\"}}'\n\n"
    )
}
