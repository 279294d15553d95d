//! Bots that the first start makes (`bots.seed`), each with its token in a private file, so
//! that a new deployment needs nobody to click.
//!
//! What is there already stays as it is: a bot of that name keeps its roles, and one whose
//! token was written once gets no other, even where the file is gone by now. The token's name
//! says how far it came: a start that was cut off before the file was written revokes it and
//! makes another.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::accounts::bots::{BotError, NewBot};
use crate::accounts::lasting::{SEEDED, SEEDER};
use crate::accounts::store::StoreError;
use crate::clock;
use crate::config::Config;
use crate::config::shapes::{Expiry, SeedBot};
use crate::token::Tokens;
use crate::token::lasting::Ask;
use crate::token::management::{Asker, Earlier, Management, ManagementError};

/// The name of a token before its file is written; after, it is [`SEEDED`].
const WRITING: &str = "seed, not yet written";

/// Another host that is at it gets so many seconds.
const PATIENCE: u64 = 60;

/// Why a bot was not seeded.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SeedError {
    #[error("bot \"{name}\" of bots.seed cannot be made: {error}")]
    Make {
        name: String,
        error: ManagementError,
    },
    #[error("the token of bot \"{name}\" cannot be written to {path}: {error}", path = path.display())]
    Write {
        name: String,
        path: PathBuf,
        error: io::Error,
    },
}

impl SeedError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            SeedError::Make { error, .. } => error.help(),
            SeedError::Write { .. } => {
                "let this user write that folder, or set token_file to another one; the next start tries again"
            }
        }
    }
}

/// Makes the bots that are missing. The first that cannot be made ends it.
///
/// # Errors
/// [`SeedError`].
pub async fn seed(tokens: &Tokens, config: &Config) -> Result<(), SeedError> {
    for (name, settings) in &config.bots.seed {
        let failed = |error| SeedError::Make {
            name: name.clone(),
            error,
        };
        let management = tokens.management(&config.bots, &config.admin.roles);
        let management = management.map_err(failed)?;
        one(tokens, management, name, settings).await?;
    }
    Ok(())
}

async fn one(
    tokens: &Tokens,
    management: Management<'_>,
    name: &str,
    settings: &SeedBot,
) -> Result<(), SeedError> {
    let asker = Asker {
        name: SEEDER,
        ..Asker::default()
    };
    let failed = |error: ManagementError| SeedError::Make {
        name: name.to_owned(),
        error,
    };
    let is_new = match management.create(&new(name, settings), asker).await {
        Ok(_) => true,
        Err(ManagementError::Bot(BotError::Exists(_))) => false,
        Err(error) => return Err(failed(error)),
    };
    let described = management.describe(name).await.map_err(failed)?;
    if described.bot.created_by != asker.name {
        return Ok(());
    }
    let ours = described.tokens.iter();
    let ours = ours.filter(|token| token.created_by == asker.name);
    if ours.clone().any(|token| token.name == SEEDED) {
        return Ok(());
    }
    let Some(store) = tokens.accounts.store() else {
        return Ok(());
    };
    // Made this very minute, and not by us: another host of this store writes its file.
    let young = described.bot.created_at.saturating_add(PATIENCE) > clock::unix_now();
    if !is_new && young && store.is_shared() {
        return Ok(());
    }
    for token in ours.filter(|token| token.name == WRITING) {
        let revoked = management.revoke(&described.bot, &token.id, asker).await;
        revoked.map_err(failed)?;
    }
    let ask = Ask {
        name: WRITING.to_owned(),
        form: settings.form,
        expiry: settings.expiry,
        audience: Some(settings.audience.clone()).filter(|name| !name.is_empty()),
        allow_unlimited: settings.expiry == Expiry::Unlimited,
    };
    let issued = management.generate(&described.bot, &ask, Earlier::Stay, asker);
    let issued = issued.await.map_err(failed)?;
    let path = &settings.token_file;
    write(path, issued.token.expose()).map_err(|error| SeedError::Write {
        name: name.to_owned(),
        path: path.clone(),
        error,
    })?;
    let renamed: Result<(), StoreError> = store.name_token(&issued.lasting.id, SEEDED).await;
    renamed.map_err(|error| failed(error.into()))?;
    tracing::info!(bot = name, file = %path.display(), "bot seeded");
    Ok(())
}

fn new(name: &str, settings: &SeedBot) -> NewBot {
    NewBot {
        name: name.to_owned(),
        display_name: settings.display_name.clone(),
        description: settings.description.clone(),
        roles: settings.roles.clone(),
        ..NewBot::default()
    }
}

/// Whole or not at all, for the owner alone, durably.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(path.file_name().ok_or(io::ErrorKind::InvalidFilename)?);
    beside.push(".tmp");
    let beside = folder.join(beside);
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    // Without a line's end: what reads it into a header needs not cut one off.
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}
