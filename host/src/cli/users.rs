//! `countersign users add|list|passwd|import|unlink`: through the running server, or,
//! when none runs, by starting the backends, or opening the store, here.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::control;
use super::failure::{Failure, REFUSED};
use super::output;
use super::password::Password;
use super::setup::Setup;
use crate::accounts::manage::manage;
use crate::accounts::unlink::{Unlink, UnlinkError, unlink};
use crate::backends::supervisor;
use crate::config::Config;
use crate::http::control::Manage;
use crate::keys::Mode;
use crate::start::{self, StartError};
use crate::state;

/// A file of users is at most this large.
const LIMIT: u64 = 16 << 20;

/// Manage the users of a backend that keeps users of its own.
#[derive(Subcommand)]
pub(super) enum Users {
    /// Add a user; the password is read from standard input
    Add {
        /// Log-in name
        name: String,
        /// E-mail address
        #[arg(long)]
        email: Option<String>,
        /// Given name
        #[arg(long)]
        first_name: Option<String>,
        /// Family name
        #[arg(long)]
        last_name: Option<String>,
        /// Role; may repeat
        #[arg(long)]
        role: Vec<String>,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        backend: OnBackend,
    },
    /// List users
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        backend: OnBackend,
    },
    /// Set a user's password; it is read from standard input
    Passwd {
        /// Log-in name
        name: String,
        #[command(flatten)]
        password: Password,
        #[command(flatten)]
        backend: OnBackend,
    },
    /// Import the file of `airflow users export`, ids included
    Import {
        /// The file, or - for standard input
        file: PathBuf,
        #[command(flatten)]
        backend: OnBackend,
    },
    /// Drop the link between a row and the user of another backend who was provisioned into it
    ///
    /// For a row that went to the wrong one, or that is gone: a linked row is never made anew. At
    /// his next login the user is looked for as at his first. Tokens that he has stay good until
    /// they expire; the row itself stays as it is.
    Unlink {
        /// Log-in name of the row
        name: String,
        /// Whose link, where there are several: his backend, and his id there
        #[arg(long, value_name = "BACKEND:ID")]
        user: Option<String>,
        #[command(flatten)]
        backend: OnBackend,
    },
}

#[derive(Args)]
pub(super) struct OnBackend {
    /// The backend; may be left out where only one keeps users
    #[arg(long = "backend", value_name = "ID")]
    id: Option<String>,
}

pub(super) fn run(setup: &Setup, command: &Users) -> Result<(), Failure> {
    let config = setup.load()?.config;
    let runtime = Setup::runtime()?;
    let perform = |backend: &OnBackend, operation: &str, arguments: Value| {
        let request = Manage {
            backend: backend.id.clone(),
            operation: operation.into(),
            arguments: arguments.as_object().cloned().unwrap_or_default(),
        };
        runtime.block_on(perform(setup, &config, request))
    };
    output::write(&match command {
        Users::Add {
            name,
            email,
            first_name,
            last_name,
            role,
            password,
            backend,
        } => {
            let arguments = json!({ "username": name, "email": email, "first_name": first_name, "last_name": last_name,
                "roles": role, "password": password.read()? });
            let added = perform(backend, "user_add", arguments)?;
            format!("added {name} (id {})\n", plain(&added["id"]))
        }
        Users::List { json, backend } => {
            let users = perform(backend, "user_list", json!({}))?;
            if *json {
                format!("{users:#}\n")
            } else {
                table(&users)
            }
        }
        Users::Passwd {
            name,
            password,
            backend,
        } => {
            let arguments = json!({ "username": name, "password": password.read()? });
            perform(backend, "user_passwd", arguments)?;
            format!("password of {name} changed\n")
        }
        Users::Import { file, backend } => {
            let arguments = json!({ "users": read_users(file)? });
            let outcome = perform(backend, "user_import", arguments)?;
            format!("{outcome:#}\n")
        }
        Users::Unlink {
            name,
            user,
            backend,
        } => {
            let order = Unlink {
                username: name.clone(),
                target: backend.id.clone(),
                user: user.clone(),
            };
            let told = runtime.block_on(drop_link(&config, &order))?;
            format!("row {name} is no longer linked to {told}\n")
        }
    })
}

async fn drop_link(config: &Config, order: &Unlink) -> Result<String, Failure> {
    if let Some(answer) = control::ask(&config.state, "/unlink", order).await? {
        return Ok(plain(&answer["unlinked"]));
    }
    let _lock = state::lock(&config.state)?;
    let store = start::open_store(config, Mode::Serve, None).await?;
    let Some(store) = store else {
        return Err(UnlinkError::None(order.username.clone()).into());
    };
    let done = unlink(&store, order).await;
    store.close().await;
    Ok(done?)
}

async fn perform(setup: &Setup, config: &Config, request: Manage) -> Result<Value, Failure> {
    if let Some(answer) = control::ask(&config.state, "/manage", &request).await? {
        return Ok(answer);
    }
    let _lock = state::lock(&config.state)?;
    let plan = supervisor::plan(config, &setup.libraries).map_err(StartError::Backends)?;
    let started = plan.start(&config.state, false).await;
    let registry = started.map_err(StartError::Backends)?;
    let answer = manage(
        &registry,
        &config.state,
        request.backend.as_deref(),
        &request.operation,
        request.arguments,
    )
    .await;
    supervisor::retire(registry.iter()).await;
    Ok(answer?)
}

fn read_users(file: &Path) -> Result<Value, Failure> {
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(
            REFUSED,
            format!("{}: {error}", file.display()),
            "name a file made by `airflow users export FILE`",
        )
    };
    let mut text = String::new();
    let read = if file.as_os_str() == "-" {
        stdin().take(LIMIT + 1).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(LIMIT + 1).read_to_string(&mut text))
    };
    read.map_err(|error| unreadable(&error))?;
    if text.len() as u64 > LIMIT {
        return Err(unreadable(&"larger than 16 MiB"));
    }
    // serde_json's text may quote a value of the file; its place is enough.
    serde_json::from_str(&text).map_err(|error| {
        unreadable(&format!(
            "not JSON at line {} column {}",
            error.line(),
            error.column()
        ))
    })
}

fn table(users: &Value) -> String {
    let rows = users.as_array().into_iter().flatten().map(|user| {
        let roles = user["roles"].as_array().into_iter().flatten();
        [
            plain(&user["id"]),
            plain(&user["username"]),
            plain(&user["email"]),
            plain(&user["active"]),
            roles.map(plain).collect::<Vec<_>>().join(","),
            plain(&user["last_login"]),
        ]
    });
    let header = ["ID", "USERNAME", "EMAIL", "ACTIVE", "ROLES", "LAST LOGIN"];
    output::table(header, rows)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}
