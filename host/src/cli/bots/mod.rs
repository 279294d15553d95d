//! `countersign bots create|change|list|describe|token|revoke|delete`: through the running
//! server, or, when none runs, on the store itself.

mod page;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::accounts::bots::NewBot;
use crate::cli::control;
use crate::cli::failure::{Failure, REFUSED, USAGE};
use crate::cli::output;
use crate::cli::setup::Setup;
use crate::clock;
use crate::config::Config;
use crate::config::shapes::{Expiry, TokenForm};
use crate::config::values::duration;
use crate::start;
use crate::state;
use crate::token::lasting::Ask;
use crate::token::management::Asker;
use crate::token::management::order::{Changes, Order};
use page::{describe, list, text};

/// Programs that have tokens of their own.
#[derive(Subcommand)]
pub(in crate::cli) enum Bots {
    /// Make a bot
    Create {
        /// Its name; it may ask for tokens with it, as an OAuth client
        name: String,
        /// Role; may repeat
        #[arg(long)]
        role: Vec<String>,
        #[command(flatten)]
        texts: Texts,
    },
    /// Change what is given of a bot; the rest stays as it is
    Change {
        /// Its name
        name: String,
        /// Role; may repeat; they take the place of all that it has
        #[arg(long, conflicts_with = "no_roles")]
        role: Vec<String>,
        /// It has no roles any more
        #[arg(long)]
        no_roles: bool,
        #[command(flatten)]
        texts: Texts,
    },
    /// List bots, with their live tokens
    List {
        /// Those with this in their name or their texts
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        search: String,
        /// Those with a token that is over within this time, such as 7d, and has no successor
        #[arg(long, value_name = "DURATION")]
        expiring: Option<String>,
        /// As JSON: [{id, name, roles, …, tokens: [{id, form, state, expires_at, …}]}], times
        /// in seconds since 1970
        #[arg(long)]
        json: bool,
    },
    /// Show a bot and its tokens; never the tokens themselves
    Describe {
        /// Its name
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a token; it alone is written to standard output, and is never shown again
    Token {
        /// The bot's name
        name: String,
        /// OneHour 1 7 30 60 90 Unlimited: an hour, so many days, for ever
        #[arg(long, value_parser = expiry)]
        expiry: Expiry,
        /// It may be Unlimited: good until it is revoked
        #[arg(long)]
        allow_unlimited: bool,
        /// Whom it is for: a name of tokens.audiences; default: the default audience
        #[arg(long, value_name = "NAME")]
        audience: Option<String>,
        /// jwt, or opaque: short, known to secret scanners; /oauth2/token exchanges it, and
        /// takes it for the bot's client_secret
        #[arg(long, value_name = "FORM", value_parser = form, default_value = "jwt")]
        form: TokenForm,
        /// What to call it in lists
        #[arg(
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        label: String,
        /// Earlier tokens of the same form and audience end after this time, such as 1h;
        /// 0s = at once; default: they stay
        #[arg(long, value_name = "DURATION", value_parser = time)]
        overlap: Option<u64>,
    },
    /// Revoke a token, or all tokens of a bot
    Revoke {
        /// The bot's name
        name: String,
        /// The token's id, as bots describe shows it; default: all of them
        #[arg(long, value_name = "ID")]
        token: Option<String>,
    },
    /// Delete a bot and revoke its tokens
    Delete {
        /// Its name
        name: String,
    },
}

/// What is said of a bot.
#[derive(Args)]
pub(in crate::cli) struct Texts {
    /// How people call it
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Its e-mail address
    #[arg(long)]
    email: Option<String>,
    /// File with its public keys, a JWK set: it may show who it is by private_key_jwt
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
}

pub(in crate::cli) fn run(setup: &Setup, command: Bots) -> Result<(), Failure> {
    let config = setup.load()?.config;
    let runtime = Setup::runtime()?;
    let ask = |order| runtime.block_on(perform(&config, order));
    output::write(&match command {
        Bots::Create { name, role, texts } => {
            let made = ask(Order::Create(NewBot {
                name,
                roles: role,
                jwks: texts.keys()?.unwrap_or_default(),
                display_name: texts.display_name.unwrap_or_default(),
                description: texts.description.unwrap_or_default(),
                email: texts.email.unwrap_or_default(),
            }))?;
            format!(
                "created {} (id {})\n",
                text(&made["name"]),
                text(&made["id"])
            )
        }
        Bots::Change {
            name,
            role,
            no_roles,
            texts,
        } => {
            let changed = ask(Order::Change(Changes {
                name,
                roles: (no_roles || !role.is_empty()).then_some(role),
                jwks: texts.keys()?,
                display_name: texts.display_name,
                description: texts.description,
                email: texts.email,
            }))?;
            format!("changed {}\n", text(&changed["name"]))
        }
        Bots::List {
            search,
            expiring,
            json,
        } => {
            let within = expiring.as_deref().map(time).transpose();
            let expiring = within.map_err(|error| {
                Failure::new(
                    USAGE,
                    format!("--expiring: {error}"),
                    "write 24h, 7d or such",
                )
            })?;
            let listed = ask(Order::List { search, expiring })?;
            match json {
                true => format!("{listed:#}\n"),
                false => list(&listed, clock::unix_now()),
            }
        }
        Bots::Describe { name, json } => {
            let bot = ask(Order::Describe { name })?;
            match json {
                true => format!("{bot:#}\n"),
                false => describe(&bot),
            }
        }
        Bots::Token {
            name,
            expiry,
            allow_unlimited,
            audience,
            form,
            label,
            overlap,
        } => {
            let token = Ask {
                name: label,
                form,
                expiry,
                audience,
                allow_unlimited,
            };
            let made = ask(Order::Token {
                name,
                ask: token,
                overlap,
            })?;
            // Whole: a signed one is longer than any text that is shown.
            format!("{}\n", made["token"].as_str().unwrap_or_default())
        }
        Bots::Revoke { name, token } => {
            let done = ask(Order::Revoke { name, token })?;
            let revoked = done["revoked"].as_u64().unwrap_or_default();
            let tokens = if revoked == 1 { "token" } else { "tokens" };
            format!("revoked {revoked} {tokens} of {}\n", text(&done["name"]))
        }
        Bots::Delete { name } => {
            let gone = ask(Order::Delete { name })?;
            format!("deleted {}\n", text(&gone["name"]))
        }
    })
}

async fn perform(config: &Config, order: Order) -> Result<Value, Failure> {
    if let Some(answer) = control::ask(&config.state, "/bots", &order).await? {
        return Ok(answer);
    }
    let _lock = state::lock(&config.state)?;
    let tokens = start::open_tokens(config, |_| {}).await?;
    let asker = Asker {
        name: "command line",
        ..Asker::default()
    };
    let done = match tokens.management(&config.bots, &config.admin.roles) {
        Ok(management) => management.perform(order, asker).await,
        Err(error) => Err(error),
    };
    if let Some(store) = tokens.accounts.store() {
        store.close().await;
    }
    Ok(done?)
}

impl Texts {
    /// The text of the file with its keys.
    fn keys(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.jwks else {
            return Ok(None);
        };
        let read = fs::read_to_string(file);
        read.map(Some).map_err(|error| unreadable(file, &error))
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let error = format!("{}: {error}", file.display());
    Failure::new(REFUSED, error, "name a file with a JWK set of public keys")
}

fn expiry(text: &str) -> Result<Expiry, String> {
    let found = Expiry::ALL.into_iter().find(|it| it.name() == text);
    found.ok_or_else(|| format!("one of {}", Expiry::ALL.map(Expiry::name).join(" ")))
}

fn form(text: &str) -> Result<TokenForm, String> {
    serde_json::from_value(text.into()).map_err(|_| "one of jwt opaque".to_owned())
}

/// Seconds of a duration.
fn time(text: &str) -> Result<u64, String> {
    let parsed = duration::parse(text).map(|it| it.as_secs());
    parsed.ok_or_else(|| "a duration such as 0s, 1h, 7d".to_owned())
}
