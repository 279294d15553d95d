//! What is done to bots and to the tokens that are remembered: by the command line, the API and
//! the console alike. Each change is durable, and in force at this host, before it is answered,
//! and stands in the audit log before the answer does.
//!
//! Whoever may manage may give a bot any role but those that manage: these he has to have
//! himself. Bots do not manage, whatever their roles.

mod bounds;
mod error;
pub mod order;
mod own;
#[cfg(test)]
mod tests;
pub mod told;
mod verdict;

use std::collections::BTreeSet;
use std::time::Duration;

use countersign_verify::KeySet;
use serde_json::Value;

use super::Tokens;
use super::lasting::{Ask, Issued};
use crate::accounts::bots::{Bot, NewBot, Side};
use crate::accounts::derived::Parent;
use crate::accounts::lasting::{Lasting, Owner};
use crate::accounts::store::Store;
use crate::audit::{self, Managed};
use crate::clock;
use crate::config::shapes::Bots;
use crate::telemetry::pen;

pub use error::{Kind, ManagementError};

/// Bytes of a bot's keys.
const LARGEST_JWKS: usize = 32 * 1024;

/// Members of private keys (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// His name, as lists show it.
    pub name: &'a str,
    /// His roles; none = he holds the machine, and may what it may.
    pub roles: Option<&'a [String]>,
    /// The id of his request; may be empty.
    pub request: &'a str,
    /// His address; may be empty.
    pub address: &'a str,
}

/// What becomes of the bot's earlier tokens of the same form and audience.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Earlier {
    /// They stay: a bot may have several.
    #[default]
    Stay,
    /// They are revoked after this time, so that the new one can be brought to where it is
    /// used; zero = at once.
    End(Duration),
}

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

/// The functions. Cheap to make.
#[derive(Debug, Clone, Copy)]
pub struct Management<'a> {
    tokens: &'a Tokens,
    store: &'a Store,
    rules: &'a Bots,
    managing: &'a [String],
}

impl Tokens {
    /// The functions under these rules; `managing` are the roles of those who may manage.
    ///
    /// # Errors
    /// There is no store.
    pub fn management<'a>(
        &'a self,
        rules: &'a Bots,
        managing: &'a [String],
    ) -> Result<Management<'a>, ManagementError> {
        let store = self.accounts.store().ok_or(ManagementError::NoStore)?;
        Ok(Management {
            tokens: self,
            store,
            rules,
            managing,
        })
    }

    /// Revokes the tokens whose end has come, since another took their place; the answer is
    /// how many.
    ///
    /// # Errors
    /// The store does not answer: they are revoked the next time.
    pub async fn end_replaced(&self) -> Result<usize, ManagementError> {
        let store = self.accounts.store().ok_or(ManagementError::NoStore)?;
        let now = clock::unix_now();
        let ended = store.ended_tokens(now).await?;
        for token in &ended {
            store.revoke_token(token, now).await?;
        }
        Ok(ended.len())
    }
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
        public(&new.jwks)?;
        let now = clock::unix_now();
        let bot = self.store.create_bot(new, asker.name, now).await?;
        tell("bot created", &bot, "", asker).await;
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

    /// Bots' tokens whose time is over within `within`, the next one first, with their bots'
    /// names; those that another has replaced are left out. At most `limit`.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn expiring(
        &self,
        within: Duration,
        limit: u32,
    ) -> Result<Vec<(String, Lasting)>, ManagementError> {
        let now = clock::unix_now();
        let until = now.saturating_add(within.as_secs());
        Ok(self.store.expiring_tokens(now, until, limit).await?)
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
            public(&bot.jwks)?;
            self.may_give(&bot.roles, asker)?;
        }
        let now = clock::unix_now();
        self.store.change_bot(bot, asker.name, now).await?;
        if bot.jwks != known.jwks {
            self.store.end_derived(Parent::Bot(&bot.id), now).await?;
        }
        tell("bot changed", bot, "", asker).await;
        Ok(())
    }

    /// A new token for a bot; its earlier ones of the same form and audience stay, or end.
    ///
    /// # Errors
    /// [`ManagementError`]. An error after the token was made leaves it out of reach: nobody
    /// has seen it.
    pub async fn generate(
        &self,
        bot: &Bot,
        ask: &Ask,
        earlier: Earlier,
        asker: Asker<'_>,
    ) -> Result<Issued, ManagementError> {
        self.may_give(&bot.roles, asker)?;
        bounds::label(&ask.name)?;
        let mut ask = ask.clone();
        ask.allow_unlimited |= self.rules.allow_unlimited;
        let issued = self.tokens.issue_for_bot(bot, &ask, asker.name).await?;
        if let Earlier::End(after) = earlier {
            self.end_earlier(&issued.lasting, after).await?;
        }
        tell("bot token issued", bot, &issued.lasting.id, asker).await;
        Ok(issued)
    }

    /// Revokes one token of a bot, by its id; the answer is what was known of it.
    ///
    /// # Errors
    /// [`ManagementError`]: it has none of this id.
    pub async fn revoke(
        &self,
        bot: &Bot,
        id: &str,
        asker: Asker<'_>,
    ) -> Result<Lasting, ManagementError> {
        let found = self.store.token(id).await?;
        let token = found.filter(|token| token.owner == Owner::Bot(bot.id.clone()));
        let token = token.ok_or_else(|| ManagementError::NoSuchToken(id.to_owned()))?;
        self.store.revoke_token(&token, clock::unix_now()).await?;
        tell("bot token revoked", bot, id, asker).await;
        Ok(token)
    }

    /// Revokes every token of a bot; the answer is how many were good until now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revoke_all(&self, bot: &Bot, asker: Asker<'_>) -> Result<usize, ManagementError> {
        let revoked = self.end_all(&Owner::Bot(bot.id.clone())).await?;
        tell("bot tokens revoked", bot, "", asker).await;
        Ok(revoked)
    }

    /// Deletes a bot, and revokes its tokens before.
    ///
    /// # Errors
    /// [`ManagementError`]: it is gone already.
    pub async fn delete(&self, bot: &Bot, asker: Asker<'_>) -> Result<(), ManagementError> {
        let owner = Owner::Bot(bot.id.clone());
        self.end_all(&owner).await?;
        self.store.delete_bot(bot).await?;
        // One that was made between the two.
        self.end_all(&owner).await?;
        tell("bot deleted", bot, "", asker).await;
        Ok(())
    }

    async fn described(&self, bot: Bot) -> Result<Described, ManagementError> {
        let owner = Owner::Bot(bot.id.clone());
        let tokens = self.store.tokens_of(&owner, clock::unix_now()).await?;
        Ok(Described { bot, tokens })
    }

    async fn end_earlier(&self, new: &Lasting, after: Duration) -> Result<(), ManagementError> {
        let now = clock::unix_now();
        let same = |it: &Lasting| it.form == new.form && it.audience == new.audience;
        for token in self.store.unrevoked_tokens_of(&new.owner).await? {
            if token.id == new.id || !same(&token) || !token.is_live(now) {
                continue;
            }
            match after.as_secs() {
                0 => self.store.revoke_token(&token, now).await?,
                seconds => {
                    let at = now.saturating_add(seconds);
                    self.store.end_token(&token, at).await?;
                }
            }
        }
        Ok(())
    }

    /// Revokes all tokens of an owner, however many; the answer is how many were good.
    async fn end_all(&self, owner: &Owner) -> Result<usize, ManagementError> {
        let now = clock::unix_now();
        let mut live = 0;
        loop {
            let tokens = self.store.unrevoked_tokens_of(owner).await?;
            if tokens.is_empty() {
                if let Owner::Bot(id) = owner {
                    self.store.end_derived(Parent::Bot(id), now).await?;
                }
                return Ok(live);
            }
            for token in tokens {
                self.store.revoke_token(&token, now).await?;
                live += usize::from(token.is_live(now));
            }
        }
    }

    /// Roles that manage are given by those who have them.
    fn may_give(&self, roles: &[String], asker: Asker<'_>) -> Result<(), ManagementError> {
        let Some(has) = asker.roles else {
            return Ok(());
        };
        let managing: BTreeSet<&String> = self.managing.iter().collect();
        let refused = |role: &&String| managing.contains(role) && !has.contains(role);
        match roles.iter().find(refused) {
            Some(role) => Err(ManagementError::Role(role.clone())),
            None => Ok(()),
        }
    }
}

/// Keys of a bot: a JWK set that can be used, and no private half in it.
fn public(jwks: &str) -> Result<(), ManagementError> {
    if jwks.is_empty() {
        return Ok(());
    }
    if jwks.len() > LARGEST_JWKS {
        return Err(ManagementError::Jwks("it is larger than 32 KiB".into()));
    }
    let wrong = |reason: &dyn std::fmt::Display| ManagementError::Jwks(reason.to_string());
    let set = KeySet::parse(jwks.as_bytes()).map_err(|error| wrong(&error))?;
    if let Some(refused) = set.refused().first() {
        return Err(wrong(&refused.reason));
    }
    let document: Value = serde_json::from_str(jwks).unwrap_or_default();
    let keys = document["keys"].as_array().into_iter().flatten();
    let mut members = keys.filter_map(Value::as_object).flat_map(|key| key.keys());
    match members.any(|name| PRIVATE.contains(&name.as_str())) {
        true => Err(ManagementError::Jwks("it has a private key in it".into())),
        false => Ok(()),
    }
}

async fn tell(what: &'static str, bot: &Bot, jti: &str, asker: Asker<'_>) {
    audit::managed(&Managed {
        what,
        subject: &bot.name,
        jti,
        by: asker.name,
        request: asker.request,
        address: asker.address,
    });
    pen::written().await;
}
