//! What the command line asks, as it crosses the admin socket; performed alike where no server
//! runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::told::{described, token};
use super::{Asker, Described, Earlier, Management, ManagementError};
use crate::accounts::bots::{Bot, NewBot, Side};
use crate::clock;
use crate::token::lasting::Ask;

/// At most so many bots are listed.
const MOST: u32 = 100_000;

/// So many are read at once.
const PAGE: u32 = 200;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case", deny_unknown_fields)]
#[allow(missing_docs)]
pub enum Order {
    Create(NewBot),
    Change(Changes),
    /// `expiring`: only those with a token that is over within so many seconds.
    List {
        search: String,
        expiring: Option<u64>,
    },
    Describe {
        name: String,
    },
    /// `overlap`: earlier tokens of the same form and audience end after so many seconds.
    Token {
        name: String,
        ask: Ask,
        overlap: Option<u64>,
    },
    /// Without `token` all of them.
    Revoke {
        name: String,
        token: Option<String>,
    },
    Delete {
        name: String,
    },
}

/// What is to be new of a bot; what is not given stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Changes {
    pub name: String,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub email: Option<String>,
    pub roles: Option<Vec<String>>,
    pub jwks: Option<String>,
}

impl Management<'_> {
    /// Does what the command line asks.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn perform(&self, order: Order, asker: Asker<'_>) -> Result<Value, ManagementError> {
        let now = clock::unix_now();
        match order {
            Order::Create(new) => {
                let bot = self.create(&new, asker).await?;
                Ok(described(&self.described(bot).await?, now))
            }
            Order::Change(new) => {
                let known = self.describe(&new.name).await?.bot;
                let bot = Bot {
                    display_name: new.display_name.unwrap_or(known.display_name),
                    description: new.description.unwrap_or(known.description),
                    email: new.email.unwrap_or(known.email),
                    roles: new.roles.unwrap_or(known.roles),
                    jwks: new.jwks.unwrap_or(known.jwks),
                    ..known
                };
                self.change(&bot, asker).await?;
                Ok(described(&self.describe_id(&bot.id).await?, now))
            }
            Order::List { search, expiring } => self.list(&search, expiring, now).await,
            Order::Describe { name } => Ok(described(&self.describe(&name).await?, now)),
            Order::Token { name, ask, overlap } => {
                let bot = self.describe(&name).await?.bot;
                let end = |seconds| Earlier::End(Duration::from_secs(seconds));
                let earlier = overlap.map_or(Earlier::Stay, end);
                let issued = self.generate(&bot, &ask, earlier, asker).await?;
                let mut told = token(&issued.lasting, now);
                told["token"] = issued.token.expose().into();
                Ok(told)
            }
            Order::Revoke { name, token } => {
                let bot = self.describe(&name).await?.bot;
                let revoked = match token {
                    Some(id) => usize::from(self.revoke(&bot, &id, asker).await?.is_live(now)),
                    None => self.revoke_all(&bot, asker).await?,
                };
                Ok(json!({ "name": bot.name, "revoked": revoked }))
            }
            Order::Delete { name } => {
                let bot = self.describe(&name).await?.bot;
                self.delete(&bot, asker).await?;
                Ok(json!({ "name": bot.name }))
            }
        }
    }

    async fn list(
        &self,
        search: &str,
        expiring: Option<u64>,
        now: u64,
    ) -> Result<Value, ManagementError> {
        let mut listed = Vec::new();
        let mut after = String::new();
        for _ in 0..MOST / PAGE {
            let found = self.search(search, Side::After(&after), PAGE).await?;
            let ends = |bot: &Described| match expiring {
                None => true,
                Some(within) => bot.has_token_that_ends(now, now.saturating_add(within)),
            };
            let wanted = found.bots.iter().filter(|bot| ends(bot));
            listed.extend(wanted.map(|bot| described(bot, now)));
            match found.bots.last() {
                Some(last) if found.more => after.clone_from(&last.bot.name),
                _ => break,
            }
        }
        Ok(listed.into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn orders_cross_the_socket_as_they_are_and_slips_are_refused() {
        let changes = Changes {
            name: "ci".into(),
            display_name: None,
            description: Some(String::new()),
            email: None,
            roles: Some(vec!["Op".into()]),
            jwks: None,
        };
        let token = Order::Token {
            name: "ci".into(),
            ask: Ask::default(),
            overlap: Some(0),
        };
        for order in [
            Order::Create(NewBot::default()),
            Order::Change(changes),
            token,
        ] {
            let mut sent = serde_json::to_value(&order).unwrap();
            assert_eq!(
                serde_json::from_value::<Order>(sent.clone()).unwrap(),
                order
            );
            sent["role"] = "Op".into();
            assert!(serde_json::from_value::<Order>(sent).is_err());
        }
    }
}
