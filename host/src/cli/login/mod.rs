//! `countersign login`: a token for the terminal, from any backend. The password is asked for
//! here, or the user signs in with a browser, on this computer (RFC 8252) or on another one (RFC
//! 8628); either way the token is kept in a file of his own until it is nearly over, and renewed
//! then as long as the server allows.

mod ask;
mod browser;
mod cache;
mod device;
mod held;
mod listener;
mod open;
mod password;
mod pkce;
mod renew;
mod server;

use std::fmt::Write as _;
use std::io::{Write as _, stderr};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::failure::Failure;
use super::output;
use super::password::Password;
use super::setup::Setup;
use crate::clock;
use ask::Client;
use cache::Cache;
use held::Held;
use server::Server;

#[derive(Args)]
#[command(after_help = "Examples:
  curl -H \"Authorization: Bearer $(countersign login)\" https://airflow.example.com/api/v2/dags
  countersign login --server https://auth.example.com --username ada --print header
  countersign login --device
  countersign login --forget")]
pub(super) struct Login {
    /// The server. Default: $COUNTERSIGN_SERVER, else server.public_url of the configuration
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The backend to sign in with; default: those that the server offers. With --username
    /// the token lives tokens.lifetime, as any of /auth/ID/token
    #[arg(long, value_name = "ID", value_parser = backend)]
    backend: Option<String>,
    /// Sign in here with a name and a password, without a browser
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    #[command(flatten)]
    password: Password,
    /// Whom the token is for: a name of tokens.audiences, or its aud; default: tokens.audience
    #[arg(long, value_name = "A", conflicts_with = "username")]
    audience: Option<String>,
    /// Sign in with a browser on another device: a code is shown here, to be typed there
    #[arg(long, conflicts_with_all = ["username", "backend", "no_browser"])]
    device: bool,
    /// Open no browser: print the address only
    #[arg(long)]
    no_browser: bool,
    /// Sign in anew, though a token is there
    #[arg(long)]
    force: bool,
    /// Remove the token that is kept, tell the server that it ends, and do nothing else
    #[arg(long, conflicts_with = "force")]
    forget: bool,
    /// How to write the token
    #[arg(long, value_name = "AS", default_value = "token")]
    print: Print,
    /// Certificates (PEM) that the server's may be issued by, beside the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Allow http:// to another machine, where everybody on the way reads password and token
    #[arg(long)]
    plain_http: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Print {
    /// Authorization: Bearer …
    Header,
    /// The token alone
    Token,
    /// An object with access_token, token_type, expires_at (seconds since 1970)
    Json,
}

pub(super) fn run(setup: &Setup, login: &Login) -> Result<(), Failure> {
    login.sane()?;
    let server = Server::find(setup, login.server.as_deref(), login.plain_http)?;
    let environment = &setup.sources.environment;
    let cache = Cache::find(environment, &login.key(&server));
    if login.forget {
        return login.forget(&server, cache.as_ref());
    }
    if cache.is_none() {
        tell("the token is not kept: neither HOME nor XDG_CACHE_HOME names a folder");
    }
    let kept = match &cache {
        Some(cache) if !login.force => cache.read()?,
        _ => None,
    };
    let held = match kept {
        Some(held) if held.is_fresh(clock::unix_now()) => held,
        kept => {
            let held = match kept {
                Some(kept) => login.renew(&server, &kept)?,
                None => None,
            };
            let held = match held {
                Some(held) => held,
                None => login.sign_in(&server, setup)?,
            };
            // Whoever has signed in gets his token, whether it can be kept or not.
            if let Some(Err(failure)) = cache.as_ref().map(|cache| cache.write(&held)) {
                tell(&format!(
                    "the token is not kept\n{}",
                    failure.to_string().trim_end()
                ));
            }
            held
        }
    };
    output::write(&login.print.of(&held))
}

impl Login {
    fn sane(&self) -> Result<(), Failure> {
        match (&self.username, self.password.is_given()) {
            (None, true) => Err(Failure::new(
                super::failure::USAGE,
                "--password-stdin without --username",
                "add --username NAME, or leave both out to sign in with the browser",
            )),
            _ => Ok(()),
        }
    }

    /// What makes one token another than the next.
    fn key(&self, server: &Server) -> cache::Key {
        let owned = |text: &Option<String>| text.clone().unwrap_or_default();
        cache::Key {
            server: server.to_string(),
            backend: owned(&self.backend),
            username: owned(&self.username),
            audience: owned(&self.audience),
        }
    }

    fn client(&self, server: &Server) -> Result<Client, Failure> {
        Client::new(self.ca.as_deref(), server.is_loopback())
    }

    /// The next token of a sign-in, if that still holds.
    fn renew(&self, server: &Server, held: &Held) -> Result<Option<Held>, Failure> {
        if held.refresh.is_none() {
            return Ok(None);
        }
        let client = self.client(server)?;
        Setup::runtime()?.block_on(renew::renew(&client, server, held))
    }

    /// Forgets the token here, and ends it there: here in any case.
    fn forget(&self, server: &Server, cache: Option<&Cache>) -> Result<(), Failure> {
        let kept = cache.and_then(|cache| cache.read().ok().flatten());
        let gone = cache.map_or(Ok(false), Cache::forget)?;
        let end = |held: Held| {
            let client = self.client(server)?;
            Setup::runtime()?.block_on(renew::end(&client, server, &held))
        };
        tell(match (gone, kept.map(end)) {
            (false, _) => "no token is kept for this server, backend, name and audience",
            (true, Some(Ok(true))) => {
                "the token is gone from this computer and is not renewed; who verifies it without asking the server takes it until it is over"
            }
            (true, Some(Err(failure))) => {
                tell(failure.to_string().trim_end());
                "the token is gone from this computer, but the server was not told: it stays valid"
            }
            (true, _) => "the token is gone from this computer; until it is over it stays valid",
        });
        Ok(())
    }

    fn sign_in(&self, server: &Server, setup: &Setup) -> Result<Held, Failure> {
        let client = self.client(server)?;
        let backend = self.backend.as_deref();
        match &self.username {
            Some(username) => {
                let password = self.password.read_or_ask(username)?;
                let runtime = Setup::runtime()?;
                runtime.block_on(password::sign_in(
                    &client, server, backend, username, &password,
                ))
            }
            None if self.device => {
                let runtime = Setup::runtime()?;
                let audience = self.audience.as_deref();
                runtime.block_on(device::sign_in(&client, server, audience))
            }
            None => {
                let browser = (!self.no_browser).then(|| {
                    let named = setup.sources.environment.get("BROWSER");
                    open::candidates(named.map(String::as_str))
                });
                let wish = browser::Wish {
                    backend,
                    audience: self.audience.as_deref(),
                    browser,
                };
                let runtime = Setup::runtime()?;
                runtime.block_on(browser::sign_in(&client, server, wish))
            }
        }
    }
}

impl Print {
    fn of(self, held: &Held) -> String {
        match self {
            Print::Token => format!("{}\n", held.token),
            Print::Header => format!("Authorization: Bearer {}\n", held.token),
            Print::Json => {
                let told = json!({
                    "access_token": held.token,
                    "token_type": "Bearer",
                    "expires_at": held.expires,
                });
                let mut text = String::new();
                // Writing to a text does not fail.
                let _ = writeln!(text, "{told:#}");
                text
            }
        }
    }
}

/// To whoever sits at the terminal: never to standard output, which is the token's alone.
fn tell(text: &str) {
    // Where nobody listens, nothing is lost.
    let _ = writeln!(stderr(), "{text}");
}

/// As backends may be called.
fn backend(text: &str) -> Result<String, String> {
    let letter = |c: char| c.is_ascii_lowercase();
    let fits = |c: char| letter(c) || c.is_ascii_digit() || c == '_';
    match text.starts_with(letter) && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("a backend's name has the letters a to z, digits and _".into()),
    }
}
