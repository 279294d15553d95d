//! `countersign token verify`: which rules and keys judge a token, and their verdict.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use countersign_verify::{Algorithm, Jws, KeySet, Rules, Unverified};
use serde_json::{Value, json};

use super::help::help;
use super::{keys, read, refused};
use crate::cli::failure::{CONFIGURATION, Failure, REFUSED, USAGE};
use crate::cli::output;
use crate::cli::setup::Setup;
use crate::cli::verdicts::{self, Revocation};
use crate::clock;
use crate::config::{Config, shapes};
use crate::token::Trusted;
use crate::token::audience::OURS;

/// What is not given is as configured here: our own keys, issuer and audience, or those in trust
/// of the issuer that the token names.
#[derive(Args)]
pub(in crate::cli) struct Verify {
    /// The issuer's public keys: a JWK set's file or URL
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// Who must have issued it, to the letter
    #[arg(long)]
    issuer: Option<String>,
    /// Whom it must be meant for, as `aud` or tokens.audiences name it; may repeat, one is
    /// enough. Default: tokens.audience alone, not those of tokens.audiences
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

/// Who judges a token: the issuer's rules and keys.
struct Judge {
    rules: Rules,
    keys: Arc<KeySet>,
    /// Is the issuer ourselves, as configured?
    ours: bool,
}

impl Verify {
    pub(super) fn run(&self, setup: &Setup) -> Result<(), Failure> {
        let token = read(&self.token)?;
        // With everything given, a configuration has no say, and need not exist.
        let complete = self.jwks.is_some() && self.issuer.is_some() && !self.audience.is_empty();
        let config = match complete {
            true => None,
            false => Some(setup.load()?.config),
        };
        let config = config.as_ref();
        let Judge { rules, keys, ours } = match self.trusted(config, &token) {
            Some((config, entry)) => self.as_trusted(config, entry, &token)?,
            None => self.as_given(config, &token)?,
        };
        let now = clock::unix_now();
        let verdict = rules.verify(&token, &keys, now);
        let revocation = match (config, &verdict) {
            (Some(config), Ok(verified)) if ours => Revocation::of(&config.state, verified)?,
            _ => Revocation::NotAsked,
        };
        verdicts::tell(&rules.explain(&token, &keys, now), revocation);
        match verdict {
            Ok(verified) => match revocation.refusal() {
                None => output::write(&format!("{:#}\n", json!(verified.claims))),
                Some(why) => Err(Failure::new(
                    REFUSED,
                    format!("refused by rule revoked: {why}"),
                    "make a new one",
                )),
            },
            Err(refusal) => {
                let help = help(&refusal, &rules, &keys, config);
                Err(refused(&refusal, help))
            }
        }
    }

    /// The trusted issuer that the token names, unless keys are given.
    fn trusted<'a>(
        &self,
        config: Option<&'a Config>,
        token: &str,
    ) -> Option<(&'a Config, &'a shapes::Trust)> {
        let config = config.filter(|_| self.jwks.is_none())?;
        let said = Unverified::read(token).ok();
        let said = said.as_ref().and_then(|said| said.issuer().ok());
        let name = self.issuer.as_deref().or(said)?;
        let entry = config.trust.iter().find(|entry| entry.issuer == name)?;
        Some((config, entry))
    }

    fn as_trusted(
        &self,
        config: &Config,
        entry: &shapes::Trust,
        token: &str,
    ) -> Result<Judge, Failure> {
        let trusted = Trusted::new(config, None);
        let trusted = trusted.map_err(|error| Failure::new(CONFIGURATION, &error, error.help()))?;
        let issuer = trusted.issuer(&entry.issuer);
        let issuer = issuer.ok_or_else(|| incomplete(&"--issuer names nobody in trust"))?;
        let kid = Jws::parse(token).ok();
        let kid = kid.as_ref().and_then(|jws| jws.header().kid.as_deref());
        let place = format!("trust, issuer {}", entry.issuer);
        let keys = Setup::runtime()?
            .block_on(issuer.keys(kid, clock::unix_now()))
            .map_err(|error| keys::unusable(&place, &error))?;
        let untouched = self.audience.is_empty() && self.algorithms.is_empty();
        let rules = match untouched && self.leeway.is_none() {
            true => issuer.rules().clone(),
            false => {
                let mut entry = entry.clone();
                if !self.audience.is_empty() {
                    entry.audiences.clone_from(&self.audience);
                }
                let algorithms = match self.algorithms.as_slice() {
                    [] => entry.algorithms.iter().map(|it| it.verified()).collect(),
                    named => named.to_vec(),
                };
                self.made_of(Some(config), entry.issuer, entry.audiences, algorithms)?
            }
        };
        Ok(Judge {
            rules,
            keys,
            ours: false,
        })
    }

    fn as_given(&self, config: Option<&Config>, token: &str) -> Result<Judge, Failure> {
        let mut named = config.map_or_else(Vec::new, |config| self.named(config));
        let ours = config.is_some() && self.jwks.is_none();
        if ours {
            keep_one(&mut named, token);
        }
        let keys = match (&self.jwks, config) {
            (Some(url), _) if keys::is_url(url) => keys::fetch(url)?,
            (Some(file), _) => keys::from_file(Path::new(file))?,
            (None, Some(config)) => keys::own(config, named.iter().find_map(|(name, _)| *name))?,
            (None, None) => return Err(incomplete(&"--jwks is missing")),
        };
        let issuer = self.issuer.clone();
        let issuer = issuer.or_else(|| config.map(Config::issuer));
        let audiences = match config {
            Some(_) => named.into_iter().map(|(_, aud)| aud).collect(),
            None => self.audience.clone(),
        };
        let algorithms = match self.algorithms.as_slice() {
            [] => keys::algorithms_of(&keys),
            named => named.to_vec(),
        };
        let rules = self.made_of(config, issuer.unwrap_or_default(), audiences, algorithms)?;
        Ok(Judge {
            // A bot's token may be good until it is revoked.
            rules: if ours { rules.without_expiry() } else { rules },
            keys,
            ours,
        })
    }

    /// The audiences of `--audience`, each by its name in `tokens.audiences`, where it is one,
    /// and its `aud`.
    fn named<'a>(&self, config: &'a Config) -> Vec<(Option<&'a str>, String)> {
        if self.audience.is_empty() {
            return vec![(None, config.tokens.audience.clone())];
        }
        let said = self.audience.iter();
        let found = said.map(|said| {
            let mut known = config.tokens.audiences.iter().map(|(name, each)| {
                let aud = if each.aud.is_empty() { name } else { &each.aud };
                (name, aud)
            });
            match known.find(|(name, aud)| *name == said || *aud == said) {
                Some((name, aud)) => (Some(name.as_str()), aud.clone()),
                None if said == OURS => (None, config.issuer()),
                None => (None, said.clone()),
            }
        });
        found.collect()
    }

    fn made_of(
        &self,
        config: Option<&Config>,
        issuer: String,
        audiences: Vec<String>,
        algorithms: Vec<Algorithm>,
    ) -> Result<Rules, Failure> {
        let configured = config.map_or(Duration::from_secs(10), |config| config.tokens.leeway);
        let leeway = self.leeway.map_or(configured, Duration::from);
        let rules = Rules::new(issuer, audiences, algorithms);
        let rules = rules.map_err(|error| incomplete(&error))?;
        Ok(rules.leeway(leeway).types(["JWT", "at+jwt"]))
    }
}

fn incomplete(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(USAGE, error, "give --jwks, --issuer and --audience")
}

/// Of several audiences of ours the one that the token is meant for: each has its own keys, and
/// no key of one verifies a token for another.
fn keep_one(named: &mut Vec<(Option<&str>, String)>, token: &str) {
    let read = Unverified::read(token).ok();
    let said = read.as_ref().and_then(|read| read.claims().get("aud"));
    let is_meant = |aud: &str| match said {
        Some(Value::String(one)) => one == aud,
        Some(Value::Array(several)) => several.iter().any(|one| one == aud),
        _ => false,
    };
    let meant = named.iter().position(|(_, aud)| is_meant(aud));
    named.swap(0, meant.unwrap_or_default());
    named.truncate(1);
}
