//! The command line: one file per command. Exit codes: 0 ok, 1 refused, 64 usage,
//! 70 internal, 74 key files, 78 configuration.

mod announce;
mod bots;
mod check;
mod config;
mod control;
mod failure;
mod ingestion;
mod keys;
mod login;
mod output;
mod password;
mod plugins;
mod reload;
mod serve;
mod setup;
mod token;
mod users;
mod verdicts;

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// An authentication plugin host: backends answer who is asking, the host signs the token.
#[derive(Parser)]
#[command(
    name = "countersign",
    version,
    subcommand_required = false,
    disable_help_subcommand = true
)]
struct Cli {
    /// Configuration file; may repeat, later ones win. Default: $COUNTERSIGN_CONFIG,
    /// ./config/countersign.yaml, /etc/countersign/countersign.yaml
    #[arg(long, global = true, value_name = "FILE", display_order = 100)]
    config: Vec<PathBuf>,
    /// Sets one key, such as --set server.listen=0.0.0.0:8090; may repeat
    #[arg(long, global = true, value_name = "KEY=VALUE", display_order = 100)]
    set: Vec<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Tell the running server to read its configuration, plugins and keys anew (as SIGHUP does)
    Reload(reload::Reload),
    /// Do everything that serve does up to binding a socket, and change nothing
    Check(check::Check),
    /// Show and explain the configuration
    #[command(subcommand)]
    Config(config::Config),
    /// Show plugins
    #[command(subcommand)]
    Plugins(plugins::Plugins),
    /// Make and show keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Manage the users of a backend that keeps users of its own
    #[command(subcommand)]
    Users(users::Users),
    /// Programs that have tokens of their own
    #[command(subcommand)]
    Bots(bots::Bots),
    /// Read and verify tokens
    #[command(subcommand)]
    Token(token::Token),
    /// Get a token for the terminal: with the browser, or with a name and a password
    ///
    /// The token alone is written to standard output. Without --username the browser opens:
    /// whoever signs in there, by whichever way the server offers, confirms that this terminal
    /// gets a token. It is kept in ${XDG_CACHE_HOME:-~/.cache}/countersign/tokens, readable by
    /// its owner alone, and handed out again until it is nearly over.
    Login(login::Login),
}

/// Runs the command that the process was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                failure::USAGE
            } else {
                0
            });
        }
    };
    let done = match setup::Setup::new(cli.config, &cli.set) {
        Ok(setup) => dispatch(&setup, cli.command.unwrap_or(Command::Serve)),
        Err(failure) => Err(failure),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Where even this cannot be written, the exit code is left.
            let _ = writeln!(stderr(), "{failure}");
            ExitCode::from(failure.code)
        }
    }
}

fn dispatch(setup: &setup::Setup, command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve => serve::run(setup),
        Command::Reload(reload) => reload::run(setup, &reload),
        Command::Check(check) => check::run(setup, &check),
        Command::Config(config) => config::run(setup, &config),
        Command::Plugins(plugins) => plugins::run(setup, &plugins),
        Command::Keys(keys) => keys::run(setup, &keys),
        Command::Users(users) => users::run(setup, &users),
        Command::Bots(bots) => bots::run(setup, bots),
        Command::Token(token) => token::run(setup, &token),
        Command::Login(login) => login::run(setup, &login),
    }
}
