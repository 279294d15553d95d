//! Tokens that are remembered one by one: made for bots, and for users themselves. Shown once;
//! what is kept is in [`accounts::lasting`](crate::accounts::lasting).

use countersign_abi::User;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::audience::OURS;
use super::{Lifetime, MintError, Tokens};
use crate::accounts::Principal;
use crate::accounts::bots::Bot;
use crate::accounts::lasting::{Lasting, Owner};
use crate::accounts::opaque::{self, Kind};
use crate::accounts::store::{Store, StoreError};
use crate::clock;
use crate::config::shapes::{Expiry, TokenForm};
use crate::config::values::Secret;

/// The name under which bots stand where users name their backend. No backend has this id.
pub const BOT: &str = "bot";

/// What kind of token is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// What its owner calls it; may be empty.
    pub name: String,
    /// Signed or opaque.
    pub form: TokenForm,
    /// How long it lives.
    pub expiry: Expiry,
    /// The name of its audience; none = the default one.
    pub audience: Option<String>,
    /// May it be [`Expiry::Unlimited`]?
    pub allow_unlimited: bool,
}

/// A new token, the only time that it is seen.
#[derive(Debug)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// What is remembered of it.
    pub lasting: Lasting,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum IssueError {
    #[error("a token that never expires must be allowed explicitly")]
    Unlimited,
    #[error("a signed token for this server's own API would outlive the hour that those may live")]
    Ours,
    #[error("bots do not manage this server, so none has a token for its API")]
    NotForBots,
    #[error("the bot is gone")]
    Gone,
    #[error("there is no store to remember it in")]
    NoStore,
    #[error("the system has no random numbers")]
    Random,
    #[error(transparent)]
    Mint(#[from] MintError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A bot as one who asks.
pub fn principal(bot: &Bot) -> Principal {
    Principal {
        backend: BOT.into(),
        home: BOT.into(),
        user: User {
            id: bot.name.clone(),
            username: bot.name.clone(),
            email: bot.email.clone(),
            first_name: bot.display_name.clone(),
            roles: bot.roles.clone(),
            attributes_json: json!({ "bot_id": bot.id }).to_string(),
            ..User::default()
        },
    }
}

impl Tokens {
    /// A token for a bot; `by` is who asks for it.
    ///
    /// # Errors
    /// [`IssueError`].
    pub async fn issue_for_bot(
        &self,
        bot: &Bot,
        ask: &Ask,
        by: &str,
    ) -> Result<Issued, IssueError> {
        let owner = Owner::Bot(bot.id.clone());
        self.issue(Kind::Bot, owner, &principal(bot), ask, by).await
    }

    /// A token for a user himself.
    ///
    /// # Errors
    /// [`IssueError`].
    pub async fn issue_for_user(
        &self,
        principal: &Principal,
        ask: &Ask,
    ) -> Result<Issued, IssueError> {
        let (owner, by) = (Owner::user(principal), &principal.user.username);
        self.issue(Kind::User, owner, principal, ask, by).await
    }

    async fn issue(
        &self,
        kind: Kind,
        owner: Owner,
        principal: &Principal,
        ask: &Ask,
        by: &str,
    ) -> Result<Issued, IssueError> {
        if ask.expiry == Expiry::Unlimited && !ask.allow_unlimited {
            return Err(IssueError::Unlimited);
        }
        let audience = ask.audience.as_deref();
        match (audience, kind, ask.form) {
            (Some(OURS), Kind::Bot, _) => return Err(IssueError::NotForBots),
            (Some(OURS), _, TokenForm::Jwt) => return Err(IssueError::Ours),
            _ => {}
        }
        let store: &Store = self.accounts.store().ok_or(IssueError::NoStore)?;
        let now = clock::unix_now();
        let lifetime = Lifetime::Lasting(ask.expiry);
        // An opaque one is minted in vain, so that what could never be exchanged is not made.
        let minted = self.mint(audience, principal, lifetime)?;
        let (token, kid) = match ask.form {
            TokenForm::Jwt => (Secret::from(minted.token), minted.kid),
            TokenForm::Opaque => (
                opaque::generate(kind).ok_or(IssueError::Random)?,
                String::new(),
            ),
        };
        let lasting = Lasting {
            id: minted.claims.jti,
            owner,
            name: ask.name.clone(),
            form: ask.form,
            audience: ask.audience.clone(),
            kid,
            principal: (kind == Kind::User).then(|| principal.clone()),
            expiry: ask.expiry,
            created_at: now,
            created_by: by.to_owned(),
            expires_at: minted.claims.expires,
            revoked_at: None,
            ends_at: None,
            last_used_at: None,
        };
        let hash = opaque::hash(token.expose());
        match store.put_token(&lasting, &hash).await? {
            true => Ok(Issued { token, lasting }),
            false => Err(IssueError::Gone),
        }
    }
}
