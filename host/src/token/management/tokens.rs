//! Bots' tokens: made, listed by their end, revoked.

use std::time::Duration;

use super::{Asker, Management, ManagementError, bounds, tell};
use crate::accounts::bots::Bot;
use crate::accounts::derived::Parent;
use crate::accounts::lasting::{Lasting, Owner};
use crate::clock;
use crate::token::Tokens;
use crate::token::lasting::{Ask, Issued};

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

impl Tokens {
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
        tell("bot token issued", &bot.name, &issued.lasting.id, asker).await;
        if let Earlier::End(after) = earlier {
            self.end_earlier(&issued.lasting, after).await?;
        }
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
        tell("bot token revoked", &bot.name, id, asker).await;
        Ok(token)
    }

    /// Revokes every token of a bot; the answer is how many were good until now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revoke_all(&self, bot: &Bot, asker: Asker<'_>) -> Result<usize, ManagementError> {
        let revoked = self.end_all(&Owner::Bot(bot.id.clone())).await?;
        tell("bot tokens revoked", &bot.name, "", asker).await;
        Ok(revoked)
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
    pub(super) async fn end_all(&self, owner: &Owner) -> Result<usize, ManagementError> {
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
}
