//! What is done to bots themselves.

use super::{Asker, Management, ManagementError, bounds, jwks, tell};
use crate::accounts::bots::{Bot, NewBot, Side};
use crate::accounts::derived::Parent;
use crate::accounts::lasting::{Lasting, Owner};
use crate::clock;

/// A bot with its tokens.
#[derive(Debug, Clone)]
pub struct Described {
    /// The bot.
    pub bot: Bot,
    /// Its tokens, the newest first.
    pub tokens: Vec<Lasting>,
}

/// Some of the bots.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By their names.
    pub bots: Vec<Described>,
    /// How many there are in all.
    pub total: u64,
    /// Are there more on that side?
    pub more: bool,
}

impl Management<'_> {
    /// Makes a bot.
    ///
    /// # Errors
    /// [`ManagementError`]: the name is none, or taken, or a role is not to be given.
    pub async fn create(&self, new: &NewBot, asker: Asker<'_>) -> Result<Bot, ManagementError> {
        bounds::texts(&new.display_name, &new.description, &new.email)?;
        bounds::roles(&new.roles)?;
        self.may_give(&new.roles, asker)?;
        jwks::public(&new.jwks)?;
        let now = clock::unix_now();
        let bot = self.store.create_bot(new, asker.name, now).await?;
        tell("bot created", &bot.name, "", asker).await;
        Ok(bot)
    }

    /// The bot of this name, with its tokens.
    ///
    /// # Errors
    /// [`ManagementError`]: there is none.
    pub async fn describe(&self, name: &str) -> Result<Described, ManagementError> {
        self.described(self.store.bot(name).await?).await
    }

    /// The bot of this id, with its tokens.
    ///
    /// # Errors
    /// [`ManagementError`]: there is none.
    pub async fn describe_id(&self, id: &str) -> Result<Described, ManagementError> {
        self.described(self.store.bot_by_id(id).await?).await
    }

    /// Bots whose name, display name or description has `search` in it, on this side, at most
    /// `limit`, with their tokens.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn search(
        &self,
        search: &str,
        side: Side<'_>,
        limit: u32,
    ) -> Result<Found, ManagementError> {
        let (Side::After(name) | Side::Before(name)) = side;
        if search.contains('\0') || name.contains('\0') {
            // No bot has that, and PostgreSQL would take the question for an error.
            return Ok(Found::default());
        }
        let more = limit.saturating_add(1);
        let mut found = self.store.bots(search, side, more).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        match side {
            Side::After(_) => found.truncate(limit),
            Side::Before(_) => drop(found.drain(..found.len().saturating_sub(limit))),
        }
        let mut bots = Vec::with_capacity(found.len());
        for bot in found {
            bots.push(self.described(bot).await?);
        }
        let total = self.store.count_bots(search).await?;
        Ok(Found { bots, total, more })
    }

    /// Writes what is new of a bot: its texts, roles and keys. Other keys end what it was given
    /// for a signature of those before.
    ///
    /// # Errors
    /// [`ManagementError`]: it is gone, or a role is not to be given.
    pub async fn change(&self, bot: &Bot, asker: Asker<'_>) -> Result<(), ManagementError> {
        let known = self.store.bot_by_id(&bot.id).await?;
        let new = |role: &&String| !known.roles.contains(role);
        let new: Vec<String> = bot.roles.iter().filter(new).cloned().collect();
        bounds::texts(&bot.display_name, &bot.description, &bot.email)?;
        bounds::roles(&bot.roles)?;
        self.may_give(&new, asker)?;
        // Its keys are as good as a token with its roles.
        if bot.jwks != known.jwks {
            jwks::public(&bot.jwks)?;
            self.may_give(&bot.roles, asker)?;
        }
        let now = clock::unix_now();
        // Before, so that whoever tries again after a failure ends what is left of it; and after,
        // for what was given between the two.
        if bot.jwks != known.jwks {
            self.store.end_derived(Parent::Bot(&bot.id), now).await?;
        }
        self.store.change_bot(bot, asker.name, now).await?;
        tell("bot changed", &bot.name, "", asker).await;
        if bot.jwks != known.jwks {
            self.store.end_derived(Parent::Bot(&bot.id), now).await?;
        }
        Ok(())
    }

    /// Deletes a bot, and revokes its tokens before.
    ///
    /// # Errors
    /// [`ManagementError`]: it is gone already.
    pub async fn delete(&self, bot: &Bot, asker: Asker<'_>) -> Result<(), ManagementError> {
        let owner = Owner::Bot(bot.id.clone());
        self.end_all(&owner).await?;
        self.store.delete_bot(bot).await?;
        tell("bot deleted", &bot.name, "", asker).await;
        // One that was made between the two.
        self.end_all(&owner).await.map(drop)
    }

    pub(super) async fn described(&self, bot: Bot) -> Result<Described, ManagementError> {
        let owner = Owner::Bot(bot.id.clone());
        let tokens = self.store.tokens_of(&owner, clock::unix_now()).await?;
        Ok(Described { bot, tokens })
    }
}
