//! What was given for an opaque token or for a key, and ends with it.

use countersign_abi::Headers;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::*;
use crate::accounts::derived::Parent;
use crate::token::lasting::principal;
use crate::token::redeem::Due;
use crate::token::{Lifetime, Refusal, Request};

/// What `/oauth2/token` gives a bot for its opaque token of this id, or for its key.
async fn give(tokens: &Tokens, source: Option<&str>, bot: &Bot) -> Result<String, Refusal> {
    let request = Request::new("/oauth2/token", Headers::default(), String::new(), None);
    let due = Due {
        principal: &principal(bot),
        audience: None,
        lifetime: Lifetime::Api,
        client: None,
        named: None,
        parent: source.map_or(Parent::Bot(&bot.id), Parent::Token),
    };
    let given = tokens.give(&request, &due).await;
    given.map(|minted| minted.token)
}

/// Changes the store behind the server's back.
async fn write(folder: &Folder, statement: &'static str) {
    let file = folder.0.join("store.db");
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(statement)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

const KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

#[tokio::test]
async fn what_was_given_for_a_token_or_a_key_ends_with_it() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let mut bot = management.create(&ci(&["Op"]), OPERATOR).await.unwrap();
    let opaque = Ask {
        form: TokenForm::Opaque,
        ..ask(Expiry::Seven)
    };
    let secret = issue(management, &bot, opaque, Earlier::Stay, OPERATOR);
    let secret = secret.await.unwrap().lasting;
    let is_good = |token: &str| {
        tokens
            .verify_any(token, Beside::Nothing, clock::unix_now())
            .is_ok()
    };
    let by_token = give(&tokens, Some(&secret.id), &bot).await.unwrap();
    let by_key = give(&tokens, None, &bot).await.unwrap();
    assert!(is_good(&by_token) && is_good(&by_key));
    management.revoke(&bot, &secret.id, OPERATOR).await.unwrap();
    assert!(!is_good(&by_token) && is_good(&by_key));
    // Whoever was let in just before the token was revoked is given nothing any more.
    assert!(give(&tokens, Some(&secret.id), &bot).await.is_err());
    bot.jwks = KEYS.into();
    management.change(&bot, OPERATOR).await.unwrap();
    assert!(!is_good(&by_key));
    let last = give(&tokens, None, &bot).await.unwrap();
    management.delete(&bot, OPERATOR).await.unwrap();
    assert!(!is_good(&last));
    assert!(give(&tokens, None, &bot).await.is_err());
}

#[tokio::test]
async fn what_was_given_for_a_key_ends_though_its_revocation_took_a_second_try() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let mut bot = management.create(&ci(&["Op"]), OPERATOR).await.unwrap();
    let mut given = Vec::new();
    for _ in 0..3 {
        given.push(give(&tokens, None, &bot).await.unwrap());
    }
    write(
        &folder,
        "CREATE TRIGGER full BEFORE INSERT ON revoked BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .await;
    bot.jwks = KEYS.into();
    management.change(&bot, OPERATOR).await.unwrap_err();
    write(&folder, "DROP TRIGGER full").await;
    management.change(&bot, OPERATOR).await.unwrap();
    let is_good = |token: &String| {
        tokens
            .verify_any(token, Beside::Nothing, clock::unix_now())
            .is_ok()
    };
    assert_eq!(given.iter().filter(|token| is_good(token)).count(), 0);
}
