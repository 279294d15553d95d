//! `countersign token decode|verify`: what a token says, and whether to believe it.

use std::fs::File;
use std::io::{Read, Write, stderr, stdin};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use countersign_verify::{self as verify, Algorithm, JwksClient, JwksOptions, Jws, Refusal, Rules};
use serde_json::json;

use super::failure::{Failure, INTERNAL, KEYS, REFUSED, USAGE};
use super::keys::looked_at;
use super::output;
use super::setup::Setup;
use crate::clock;
use crate::config::Config;

/// A file of keys is at most this large; the parser says so, too.
const KEYS_LIMIT: u64 = 1 << 20;

/// Read and verify tokens.
#[derive(Subcommand)]
pub(super) enum Token {
    /// Print header and claims; nothing is verified
    Decode {
        /// The token, or - for standard input, where no process list shows it
        token: String,
    },
    /// Verify a token: exit code 0 and its claims, or 1 and the rule that it breaks
    Verify(Verify),
}

/// What is not given is as configured here: our own keys, issuer and audience.
#[derive(Args)]
pub(super) struct Verify {
    /// The issuer's public keys: a JWK set's file or URL
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// Who must have issued it, to the letter
    #[arg(long)]
    issuer: Option<String>,
    /// Whom it must be meant for, as `aud` says it; may repeat, one is enough. Default:
    /// tokens.audience alone, not those of tokens.audiences
    #[arg(long)]
    audience: Vec<String>,
    /// Algorithms that may have signed it, with commas; default: those of the keys
    #[arg(long, value_delimiter = ',')]
    algorithms: Vec<Algorithm>,
    /// How far the issuer's clock may be off, such as 10s
    #[arg(long)]
    leeway: Option<humantime::Duration>,
    /// The token, or - for standard input, where no process list shows it
    token: String,
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

impl Verify {
    fn run(&self, setup: &Setup) -> Result<(), Failure> {
        let token = read(&self.token)?;
        // With everything given, a configuration has no say, and need not exist.
        let complete = self.jwks.is_some() && self.issuer.is_some() && !self.audience.is_empty();
        let config = match complete {
            true => None,
            false => Some(setup.load()?.config),
        };
        let keys = match (&self.jwks, &config) {
            (Some(url), _) if is_url(url) => fetch(url)?,
            (Some(file), _) => from_file(Path::new(file))?,
            (None, Some(config)) => own(config)?,
            (None, None) => return Err(incomplete(&"--jwks is missing")),
        };
        let rules = self.rules(config.as_ref(), &keys)?;
        match rules.verify(&token, &keys, clock::unix_now()) {
            Ok(verified) => output::write(&format!("{:#}\n", json!(verified.claims))),
            Err(refusal) => {
                let help = help(&refusal, &rules, &keys, config.as_ref());
                Err(refused(&refusal, help))
            }
        }
    }

    fn rules(&self, config: Option<&Config>, keys: &verify::KeySet) -> Result<Rules, Failure> {
        let issuer = self.issuer.clone();
        let issuer = issuer.or_else(|| config.map(Config::issuer));
        let audiences = match config {
            Some(config) if self.audience.is_empty() => vec![config.tokens.audience.clone()],
            _ => self.audience.clone(),
        };
        let algorithms = match self.algorithms.as_slice() {
            [] => algorithms_of(keys),
            named => named.to_vec(),
        };
        let configured = config.map_or(Duration::from_secs(10), |config| config.tokens.leeway);
        let leeway = self.leeway.map_or(configured, Duration::from);
        let rules = Rules::new(issuer.unwrap_or_default(), audiences, algorithms);
        let rules = rules.map_err(|error| incomplete(&error))?;
        Ok(rules.leeway(leeway).types(["JWT", "at+jwt"]))
    }
}

fn incomplete(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(USAGE, error, "give --jwks, --issuer and --audience")
}

/// The public side of our own keys, as consumers see it.
fn own(config: &Config) -> Result<Arc<verify::KeySet>, Failure> {
    parse(
        &looked_at(config)?.shared().jwks().body(),
        "the published keys",
    )
}

fn from_file(file: &Path) -> Result<Arc<verify::KeySet>, Failure> {
    let mut document = Vec::new();
    let read =
        File::open(file).and_then(|file| file.take(KEYS_LIMIT + 1).read_to_end(&mut document));
    let shown = file.display();
    read.map_err(|error| unusable(&shown, &error))?;
    parse(&document, shown)
}

fn parse(document: &[u8], place: impl std::fmt::Display) -> Result<Arc<verify::KeySet>, Failure> {
    let keys = verify::KeySet::parse(document);
    keys.map(Arc::new).map_err(|error| unusable(&place, &error))
}

fn fetch(url: &str) -> Result<Arc<verify::KeySet>, Failure> {
    // The URL may hold a password: it is not repeated.
    let failed = |error: verify::JwksError| unusable(&"--jwks", &error);
    let runtime = Setup::runtime()?;
    runtime.block_on(async {
        let client = JwksClient::new(url, JwksOptions::default()).map_err(failed)?;
        client.keys(None, clock::unix_now()).await.map_err(failed)
    })
}

fn unusable(place: &dyn std::fmt::Display, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        KEYS,
        format!("{place}: {error}"),
        "name a JWK set, such as https://HOST/.well-known/jwks.json or a file of it (http:// only on this machine)",
    )
}

/// What the keys say of themselves; of a key that says nothing, the one algorithm that
/// everybody takes for its kind.
fn algorithms_of(keys: &verify::KeySet) -> Vec<Algorithm> {
    let first = |key: &verify::Key| key.algorithms().next();
    keys.keys().iter().filter_map(first).collect()
}

fn refused(refusal: &Refusal, help: String) -> Failure {
    let rule = refusal.rule();
    Failure::new(REFUSED, format!("refused by rule {rule}: {refusal}"), help)
}

/// What was expected, and what may have gone wrong.
fn help(
    refusal: &Refusal,
    rules: &Rules,
    keys: &verify::KeySet,
    config: Option<&Config>,
) -> String {
    match refusal {
        Refusal::Issuer => format!("--issuer or tokens.issuer: here it is {:?}", rules.issuer()),
        Refusal::Audience => {
            let tokens = config.map(|config| &config.tokens);
            let named = tokens
                .into_iter()
                .flat_map(|tokens| tokens.audiences.values());
            let others: Vec<&str> = named.map(|each| each.aud.as_str()).collect();
            let mut help =
                "--audience or tokens.audience names whom it must be meant for".to_owned();
            if !others.is_empty() {
                help += &format!("; those of tokens.audiences are meant only if named: {others:?}");
            }
            help
        }
        Refusal::AlgorithmNotAllowed(_) => "--algorithms names those that are allowed".into(),
        Refusal::KidUnknown => {
            let names: Vec<_> = keys.keys().iter().filter_map(verify::Key::kid).collect();
            let refused: Vec<_> = keys.refused().iter().map(ToString::to_string).collect();
            format!("usable are the keys {names:?}; not used: {refused:?}")
        }
        Refusal::Expired(_) | Refusal::NotYet(_) | Refusal::IssuedInFuture(_) => {
            "compare the clocks, or allow more with --leeway".into()
        }
        _ => "`countersign token decode` shows what the token says, unverified".into(),
    }
}

fn is_url(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

/// The token of the command line; one line end after that of standard input is none of it.
fn read(token: &str) -> Result<String, Failure> {
    if token != "-" {
        return Ok(token.to_owned());
    }
    let mut text = String::new();
    let limit = verify::jws::TOKEN_LIMIT as u64 + 3;
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
