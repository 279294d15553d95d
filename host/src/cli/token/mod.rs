//! `countersign token decode|verify`: what a token says, and whether to believe it.

mod help;
mod keys;
mod verify;

use std::io::{Read, Write, stderr, stdin};

use clap::Subcommand;
use countersign_verify::jws::TOKEN_LIMIT;
use countersign_verify::{Jws, Refusal};
use serde_json::json;

use super::failure::{Failure, INTERNAL, REFUSED};
use super::output;
use super::setup::Setup;
use verify::Verify;

/// Read and verify tokens.
#[derive(Subcommand)]
pub(super) enum Token {
    /// Print header and claims; nothing is verified
    Decode {
        /// The token, or - for standard input, where no process list shows it
        token: String,
    },
    /// Verify a token: exit code 0 and its claims, or 1 and the rule that it breaks; every rule
    /// with its verdict goes to standard error
    Verify(Verify),
}

pub(super) fn run(setup: &Setup, command: &Token) -> Result<(), Failure> {
    match command {
        Token::Decode { token } => decode(&read(token)?),
        Token::Verify(settings) => settings.run(setup),
    }
}

fn decode(token: &str) -> Result<(), Failure> {
    let unreadable = |refusal: Refusal| refused(&refusal, "is this the whole token?".into());
    let jws = Jws::parse(token).map_err(unreadable)?;
    let claims = jws.claims().map_err(unreadable)?;
    // Where this cannot be written, the output would mislead all the same.
    let _ = writeln!(
        stderr(),
        "warning: NOTHING WAS VERIFIED: anybody can write this. `countersign token verify` verifies."
    );
    let both = json!({ "header": jws.header().members, "claims": claims });
    output::write(&format!("{both:#}\n"))
}

fn refused(refusal: &Refusal, help: String) -> Failure {
    let rule = refusal.rule();
    Failure::new(REFUSED, format!("refused by rule {rule}: {refusal}"), help)
}

/// The token of the command line; one line end after that of standard input is none of it.
fn read(token: &str) -> Result<String, Failure> {
    if token != "-" {
        return Ok(token.to_owned());
    }
    let mut text = String::new();
    let limit = TOKEN_LIMIT as u64 + 3;
    let read = stdin().take(limit).read_to_string(&mut text);
    read.map_err(|error| {
        Failure::new(
            INTERNAL,
            format!("standard input cannot be read: {error}"),
            "pipe the token into the command",
        )
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}
