//! `countersign keys generate|list|rotate|retire|import`: what changes keys is done by the running
//! server, or, when none runs, here.

use std::io::{Write, stderr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::control;
use super::failure::{Failure, USAGE};
use super::output;
use super::setup::Setup;
use crate::config::Config;
use crate::config::shapes::Algorithm;
use crate::keyring::{Keyring, KeyringError};
use crate::keys::generate::{self, Format};
use crate::keys::{Asked, Mode, Order, Rings, table};
use crate::start::{StartError, open_store};
use crate::state;

/// Make and show keys.
#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key: into two files, or as the next key of the state folder
    Generate {
        /// RS256 RS384 RS512 PS256 ES256 ES384 EdDSA; default: keys.algorithm
        #[arg(long)]
        algorithm: Option<String>,
        /// Key id; default: the RFC 7638 thumbprint
        #[arg(long)]
        id: Option<String>,
        /// Where the private half goes (PKCS#8)
        #[arg(long, requires = "public_key")]
        private_key: Option<PathBuf>,
        /// Where the public half goes (SubjectPublicKeyInfo)
        #[arg(long, requires = "private_key")]
        public_key: Option<PathBuf>,
        /// Format of the two files
        #[arg(long, value_enum, default_value = "der")]
        format: FileFormat,
        #[command(flatten)]
        ring: OfRing,
    },
    /// Every published key, its state, and its next date
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        ring: OfRing,
    },
    /// Put the standby key in the active one's place, and publish a new standby
    ///
    /// Refused until the standby has been published as long as keys.lead says. The active key
    /// retires: it is published until the last token that it signed has expired.
    Rotate {
        /// Do not wait for the lead: consumers that keep our keys refuse new tokens meanwhile
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        ring: OfRing,
    },
    /// Take a key out of use: one that signs is rotated away, a standby is replaced
    Retire {
        /// The key's id
        kid: String,
        /// At once: the key is revoked, and every token that it signed is refused
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        ring: OfRing,
    },
    /// Copy a private key of elsewhere as the next key
    Import {
        /// The private key file, PEM or DER
        private_key: PathBuf,
        /// RS256 RS384 RS512 PS256 ES256 ES384 EdDSA; default: keys.algorithm where it fits
        #[arg(long)]
        algorithm: Option<String>,
        /// Key id; default: the RFC 7638 thumbprint
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        ring: OfRing,
    },
}

/// Whose keys.
#[derive(Args)]
pub(super) struct OfRing {
    /// An audience with `keys: own`; default: the keys that audiences share
    #[arg(long)]
    audience: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FileFormat {
    Der,
    Pem,
}

/// The keys as they are; nothing is made, whoever may reach the server.
pub(super) fn looked_at(config: &Config) -> Result<Rings, Failure> {
    let looking = async {
        let keyring = Keyring::new(config, None, |_| {})?;
        keyring.look().await
    };
    Ok(Setup::runtime()?.block_on(looking)?)
}

pub(super) fn run(setup: &Setup, command: &Keys) -> Result<(), Failure> {
    let loaded = setup.load()?;
    let config = &loaded.config;
    let (ring, order) = match command {
        Keys::List { json, ring } => return list(config, *json, ring.audience.as_deref()),
        Keys::Generate {
            algorithm,
            id,
            private_key: Some(private_key),
            public_key: Some(public_key),
            format,
            ..
        } => {
            let algorithm = named(algorithm.as_deref())?.unwrap_or(config.keys.algorithm);
            let format = match format {
                FileFormat::Der => Format::Der,
                FileFormat::Pem => Format::Pem,
            };
            let id = id.as_deref();
            let made =
                generate::into_files(algorithm, id, private_key, public_key, format, &progress)?;
            return output::write(&format!(
                "kid         {}\nthumbprint  {}\nprivate     {}\npublic      {}\n",
                made.kid,
                made.thumbprint,
                made.private_key.display(),
                made.public_key.display(),
            ));
        }
        Keys::Generate {
            algorithm,
            id,
            ring,
            ..
        } => {
            let algorithm = named(algorithm.as_deref())?;
            let kid = id.clone();
            (ring, Order::Generate { algorithm, kid })
        }
        Keys::Rotate { now, ring } => (ring, Order::Rotate { now: *now }),
        Keys::Retire { kid, now, ring } => {
            let (kid, now) = (kid.clone(), *now);
            (ring, Order::Retire { kid, now })
        }
        Keys::Import {
            private_key,
            algorithm,
            id,
            ring,
        } => {
            // The server has another working directory.
            let file = std::path::absolute(private_key);
            let order = Order::Import {
                algorithm: named(algorithm.as_deref())?,
                kid: id.clone(),
                private_key: file.unwrap_or_else(|_| private_key.clone()),
            };
            (ring, order)
        }
    };
    let asked = Asked {
        audience: ring.audience.clone(),
        order,
    };
    let told = Setup::runtime()?.block_on(done(config, &asked))?;
    output::write(
        &told
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
}

/// By the running server, or here when none runs.
async fn done(config: &Config, asked: &Asked) -> Result<Vec<String>, Failure> {
    if let Some(told) = control::ask(&config.state, "/keys", asked).await? {
        return Ok(serde_json::from_value(told).unwrap_or_default());
    }
    let _lock = state::lock(&config.state)?;
    let store = open_store(config, Mode::Serve, None).await;
    let store = store.map_err(StartError::Store)?;
    let keyring = Keyring::new(config, store.as_ref(), progress)?;
    let audience = asked.audience.as_deref();
    let (done, _) = keyring.obey(audience, &asked.order).await?;
    if let Some(store) = store {
        store.close().await;
    }
    Ok(done.told)
}

fn list(config: &Config, json: bool, audience: Option<&str>) -> Result<(), Failure> {
    let rings = looked_at(config)?;
    let mut all = rings.all();
    let found = all.find(|(name, _)| *name == audience);
    let missing = || KeyringError::NoRing(audience.unwrap_or_default().to_owned());
    let (_, keys) = found.ok_or_else(missing)?;
    output::write(&match json {
        true => format!("{:#}\n", serde_json::json!(keys.list())),
        false => table(keys.list()),
    })
}

fn progress(step: &str) {
    let _ = writeln!(stderr(), "{step} …");
}

fn named(name: Option<&str>) -> Result<Option<Algorithm>, Failure> {
    let Some(name) = name else {
        return Ok(None);
    };
    serde_json::from_value(name.into()).map(Some).map_err(|_| {
        Failure::new(
            USAGE,
            format!("--algorithm {name} is unknown"),
            "one of RS256 RS384 RS512 PS256 ES256 ES384 EdDSA",
        )
    })
}
