//! What is done to bots and to tokens, against a store of their own.
#![allow(clippy::unwrap_used)]

mod bots;
mod given;
mod own;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::order::Order;
use super::*;
use crate::accounts::Accounts;
use crate::accounts::bots::{Bot, BotError, NewBot};
use crate::accounts::lasting::Lasting;
use crate::accounts::store::{Location, Revocable};
use crate::clock;
use crate::config::shapes::{Expiry, TokenForm};
use crate::token::lasting::{Ask, IssueError, Issued};
use crate::token::own::{Beside, NotOwn};
use crate::token::tests::{Folder, ada, tokens};

const OPERATOR: Asker<'_> = Asker {
    name: "operator",
    roles: None,
    request: "",
    address: "",
};

/// What mints, with a store in `folder`.
async fn bed(folder: &Folder) -> Tokens {
    let mut tokens = tokens(folder, json!({ "audiences": { "lake": {} } }));
    let store = Store::open(Location::Sqlite(folder.0.join("store.db"))).await;
    tokens.accounts = Accounts::new(Some(Arc::new(store.unwrap())));
    tokens
}

fn ci(roles: &[&str]) -> NewBot {
    NewBot {
        name: "ci".into(),
        roles: roles.iter().map(|&role| role.into()).collect(),
        ..NewBot::default()
    }
}

async fn issue(
    management: Management<'_>,
    bot: &Bot,
    ask: Ask,
    earlier: Earlier,
    asker: Asker<'_>,
) -> Result<Issued, ManagementError> {
    management.generate(bot, &ask, earlier, asker).await
}

fn ask(expiry: Expiry) -> Ask {
    Ask {
        expiry,
        ..Ask::default()
    }
}
