//! Personal access tokens: what users do with their own.

use super::{Asker, Management, ManagementError, bounds, tell};
use crate::accounts::Principal;
use crate::accounts::lasting::{Lasting, Owner};
use crate::clock;
use crate::config::shapes::Expiry;
use crate::token::lasting::{Ask, BOT, IssueError, Issued};

/// One user has at most this many that are good.
const MOST: usize = 100;

/// A name is at most this long, in characters.
const LONGEST_NAME: usize = 128;

impl Management<'_> {
    /// May users have tokens of their own?
    pub fn has_personal_tokens(&self) -> bool {
        self.rules.personal_tokens
    }

    /// A user's own tokens, the newest first.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn own_tokens(&self, principal: &Principal) -> Result<Vec<Lasting>, ManagementError> {
        Ok(self
            .store
            .tokens_of(&Owner::user(principal), clock::unix_now())
            .await?)
    }

    /// The same of everyone who was called so when he made them, whichever his backend.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn tokens_of_username(&self, name: &str) -> Result<Vec<Lasting>, ManagementError> {
        Ok(self.store.tokens_made_by(name).await?)
    }

    /// Revokes a token of some user's own.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revoke_of_user(
        &self,
        token: &Lasting,
        asker: Asker<'_>,
    ) -> Result<(), ManagementError> {
        self.store.revoke_token(token, clock::unix_now()).await?;
        let owner = &token.created_by;
        tell("personal token revoked", owner, &token.id, asker).await;
        Ok(())
    }

    /// A user who signed in before, as his backend knows him now, if that can be asked.
    ///
    /// # Errors
    /// [`ManagementError`]: he may not come in any more, or the backend does not answer.
    pub async fn as_he_is(
        &self,
        principal: &Principal,
        asker: Asker<'_>,
    ) -> Result<Principal, ManagementError> {
        let now = self.tokens.look_again(principal, asker.request).await;
        now.map_err(|error| {
            tracing::info!(request = asker.request, %error, "no token for a user");
            ManagementError::Again(error)
        })
    }

    /// A new token for a user himself. It says of him what `principal` says, which is to be
    /// [`as_he_is`](Self::as_he_is), and never lives for ever.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn generate_own(
        &self,
        principal: &Principal,
        ask: &Ask,
        asker: Asker<'_>,
    ) -> Result<Issued, ManagementError> {
        if !self.rules.personal_tokens || principal.backend == BOT {
            return Err(ManagementError::NoPersonalTokens);
        }
        if ask.expiry == Expiry::Unlimited {
            return Err(IssueError::Unlimited.into());
        }
        let name = ask.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return Err(ManagementError::TokenName);
        }
        bounds::label(name)?;
        let now = clock::unix_now();
        let all = self.own_tokens(principal).await?;
        if all.iter().filter(|token| token.is_live(now)).count() >= MOST {
            return Err(ManagementError::TooMany(MOST));
        }
        let ask = Ask {
            name: name.to_owned(),
            allow_unlimited: false,
            ..ask.clone()
        };
        let issued = self.tokens.issue_for_user(principal, &ask).await?;
        let jti = &issued.lasting.id;
        tell(
            "personal token issued",
            &principal.user.username,
            jti,
            asker,
        )
        .await;
        Ok(issued)
    }

    /// Revokes one of a user's own tokens.
    ///
    /// # Errors
    /// [`ManagementError`]: he has none of this id.
    pub async fn revoke_own(
        &self,
        principal: &Principal,
        id: &str,
        asker: Asker<'_>,
    ) -> Result<Lasting, ManagementError> {
        let found = self.store.token(id).await?;
        let token = found.filter(|token| token.owner == Owner::user(principal));
        let token = token.ok_or_else(|| ManagementError::NoSuchToken(id.to_owned()))?;
        self.revoke_of_user(&token, asker).await?;
        Ok(token)
    }

    /// Revokes all of a user's own tokens; the answer is how many were good until now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn revoke_all_own(
        &self,
        principal: &Principal,
        asker: Asker<'_>,
    ) -> Result<usize, ManagementError> {
        let revoked = self.end_all(&Owner::user(principal)).await?;
        tell(
            "personal tokens revoked",
            &principal.user.username,
            "",
            asker,
        )
        .await;
        Ok(revoked)
    }
}
