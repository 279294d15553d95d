//! Why something was not done to a bot or a token, and what to do about it.

use crate::accounts::bots::BotError;
use crate::accounts::store::StoreError;
use crate::token::MintError;
use crate::token::again::NotAgain;
use crate::token::lasting::IssueError;

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ManagementError {
    #[error("there is no store")]
    NoStore,
    #[error(transparent)]
    Bot(#[from] BotError),
    #[error(transparent)]
    Issue(#[from] IssueError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no backend here lets this user in any more")]
    Again(#[source] NotAgain),
    #[error("there is no token \"{0}\" of this owner")]
    NoSuchToken(String),
    #[error("role \"{0}\" manages this server: only who has it may give it")]
    Role(String),
    #[error("the bot's keys are no JWK set of public keys: {0}")]
    Jwks(String),
    #[error("{0}")]
    Text(&'static str),
    #[error("users have no tokens of their own here")]
    NoPersonalTokens,
    #[error("a token needs a name, of at most 128 characters")]
    TokenName,
    #[error("more than {0} live tokens of one user")]
    TooMany(usize),
}

/// What kind of error it is, for whoever answers it with a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What is asked for is wrong.
    Wrong,
    /// What is named is not there.
    Missing,
    /// It is there already.
    Conflict,
    /// He may not.
    Forbidden,
    /// It may be tried again.
    Unavailable,
    /// Something of ours is broken.
    Fault,
}

impl ManagementError {
    /// What kind of error it is.
    pub fn kind(&self) -> Kind {
        match self {
            ManagementError::Bot(error) => of_bot(error),
            ManagementError::Issue(error) => of_issue(error),
            ManagementError::Store(_) | ManagementError::Again(NotAgain::Outage(_)) => {
                Kind::Unavailable
            }
            ManagementError::Again(_) => Kind::Forbidden,
            ManagementError::NoSuchToken(_) => Kind::Missing,
            ManagementError::TokenName
            | ManagementError::TooMany(_)
            | ManagementError::Jwks(_)
            | ManagementError::Text(_) => Kind::Wrong,
            ManagementError::Role(_) | ManagementError::NoPersonalTokens => Kind::Forbidden,
            ManagementError::NoStore => Kind::Fault,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            ManagementError::Bot(BotError::NoSuchBot(_)) => "see countersign bots list",
            ManagementError::Bot(BotError::Exists(_)) => {
                "choose another name, or use the bot that is there"
            }
            ManagementError::Bot(BotError::Name(_) | BotError::Reserved(_)) => {
                "choose another name"
            }
            ManagementError::Issue(IssueError::Unlimited) => {
                "allow it with --allow-unlimited, or for all with bots.allow_unlimited: true"
            }
            ManagementError::Issue(IssueError::Mint(MintError::NoSuchAudience(_))) => {
                "name one of tokens.audiences"
            }
            ManagementError::Issue(IssueError::Ours) => {
                "ask for an opaque one, which /oauth2/token exchanges"
            }
            ManagementError::NoSuchToken(_) => "see countersign bots describe NAME",
            ManagementError::NoPersonalTokens => "bots.personal_tokens: true allows them",
            ManagementError::Role(_) => "ask somebody who has it, or leave it out",
            ManagementError::Jwks(_) => "give {\"keys\": [...]} with public keys alone (RFC 7517)",
            ManagementError::TooMany(_) => "revoke some that are not used any more",
            ManagementError::Store(error)
            | ManagementError::Bot(BotError::Store(error))
            | ManagementError::Issue(IssueError::Store(error)) => error.help(),
            _ => "see the reason above; nothing was changed",
        }
    }
}

fn of_bot(error: &BotError) -> Kind {
    match error {
        BotError::NoSuchBot(_) => Kind::Missing,
        BotError::Exists(_) => Kind::Conflict,
        BotError::Name(_) | BotError::Reserved(_) => Kind::Wrong,
        BotError::Random => Kind::Fault,
        BotError::Store(_) => Kind::Unavailable,
    }
}

fn of_issue(error: &IssueError) -> Kind {
    match error {
        IssueError::Unlimited | IssueError::NotForBots => Kind::Forbidden,
        IssueError::Ours | IssueError::Mint(MintError::NoSuchAudience(_)) => Kind::Wrong,
        IssueError::Gone => Kind::Missing,
        IssueError::Store(_) => Kind::Unavailable,
        IssueError::NoStore | IssueError::Random | IssueError::Mint(_) => Kind::Fault,
    }
}
