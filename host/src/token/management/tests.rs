//! What is done to bots and their tokens, against a store of their own.
#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::order::Order;
use super::*;
use crate::accounts::Accounts;
use crate::accounts::bots::{BotError, Side};
use crate::accounts::opaque;
use crate::accounts::store::{Location, Revocable};
use crate::config::shapes::{Expiry, TokenForm};
use crate::token::lasting::{IssueError, principal};
use crate::token::own::NotOwn;
use crate::token::redeem::Due;
use crate::token::tests::{Folder, ada, tokens};
use crate::token::{Lifetime, Request};
use std::sync::Arc;

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

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn admins() -> Vec<String> {
    vec!["Admin".to_owned(), "Keeper".to_owned()]
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

#[tokio::test]
async fn b01_each_expiry_is_what_openmetadata_means_and_unlimited_must_be_allowed() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&["Op"]), OPERATOR).await.unwrap();
    const DAY: u64 = 86_400;
    for (name, seconds) in [
        ("OneHour", 3_600),
        ("1", DAY),
        ("7", 7 * DAY),
        ("30", 30 * DAY),
        ("60", 60 * DAY),
        ("90", 90 * DAY),
    ] {
        let expiry: Expiry = serde_json::from_value(json!(name)).unwrap();
        let issued = issue(management, &bot, ask(expiry), Earlier::Stay, OPERATOR);
        let issued = issued.await.unwrap();
        let own = tokens
            .verify_any(issued.token.expose(), clock::unix_now())
            .unwrap();
        let claims = &own.verified.claims;
        let (iat, exp) = (
            claims["iat"].as_u64().unwrap(),
            claims["exp"].as_u64().unwrap(),
        );
        assert_eq!(exp - iat, seconds, "{name}");
        assert_eq!(issued.lasting.expires_at, Some(exp));
        assert_eq!(claims["sub"], "bot:ci");
    }
    let refused = issue(
        management,
        &bot,
        ask(Expiry::Unlimited),
        Earlier::Stay,
        OPERATOR,
    );
    let refused = refused.await.unwrap_err();
    assert!(matches!(
        refused,
        ManagementError::Issue(IssueError::Unlimited)
    ));
    let allowed = Ask {
        allow_unlimited: true,
        ..ask(Expiry::Unlimited)
    };
    let issued = management
        .generate(&bot, &allowed, Earlier::Stay, OPERATOR)
        .await
        .unwrap();
    let own = tokens
        .verify_any(issued.token.expose(), clock::unix_now())
        .unwrap();
    assert_eq!(own.verified.claims.get("exp"), None);
    let rules = Bots {
        allow_unlimited: true,
        ..Bots::default()
    };
    let management = tokens.management(&rules, &[]).unwrap();
    let issued = issue(
        management,
        &bot,
        ask(Expiry::Unlimited),
        Earlier::Stay,
        OPERATOR,
    );
    assert_eq!(issued.await.unwrap().lasting.expires_at, None);
}

#[tokio::test]
async fn b02_token_is_nowhere_in_the_store_and_lists_do_not_show_it() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let mut secrets = Vec::new();
    for form in [TokenForm::Jwt, TokenForm::Opaque] {
        let ask = Ask {
            form,
            ..Ask::default()
        };
        let issued = management
            .generate(&bot, &ask, Earlier::Stay, OPERATOR)
            .await
            .unwrap();
        secrets.push(issued.token.expose().to_owned());
    }
    assert_eq!(opaque::kind(&secrets[1]), Some(opaque::Kind::Bot));
    let listed = management.search("", Side::After(""), 10).await.unwrap();
    let told = told::described(&listed.bots[0], clock::unix_now()).to_string();
    tokens.accounts.store().unwrap().close().await;
    let files = std::fs::read_dir(&folder.0).unwrap();
    let files = files
        .map(|file| file.unwrap().path())
        .filter(|file| file.is_file());
    let kept: Vec<u8> = files
        .flat_map(|file| std::fs::read(file).unwrap())
        .collect();
    let has = |text: &str| kept.windows(text.len()).any(|part| part == text.as_bytes());
    for secret in &secrets {
        assert!(!told.contains(secret.as_str()));
        assert!(!has(secret));
        assert!(has(&opaque::hash(secret)), "its hash is kept");
        assert!(!told.contains(&opaque::hash(secret)));
    }
}

#[tokio::test]
async fn revoked_token_is_refused_at_once_and_after_a_restart() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let mut made = Vec::new();
    for _ in 0..3 {
        let issued = issue(management, &bot, Ask::default(), Earlier::Stay, OPERATOR).await;
        made.push(issued.unwrap());
    }
    let now = clock::unix_now();
    let good = |tokens: &Tokens, at: usize| match tokens.verify_any(made[at].token.expose(), now) {
        Ok(_) => true,
        Err(NotOwn::Revoked) => false,
        Err(other) => panic!("{other}"),
    };
    let of_another = management.revoke(&bot, "0123", OPERATOR).await.unwrap_err();
    assert!(matches!(of_another, ManagementError::NoSuchToken(_)));
    management
        .revoke(&bot, &made[0].lasting.id, OPERATOR)
        .await
        .unwrap();
    assert_eq!([0, 1, 2].map(|at| good(&tokens, at)), [false, true, true]);
    assert_eq!(management.revoke_all(&bot, OPERATOR).await.unwrap(), 2);
    assert_eq!([0, 1, 2].map(|at| good(&tokens, at)), [false, false, false]);
    let tokens = Tokens {
        accounts: bed(&folder).await.accounts,
        ..tokens.clone()
    };
    assert_eq!([0, 1, 2].map(|at| good(&tokens, at)), [false, false, false]);
}

#[tokio::test]
async fn deleted_bot_leaves_no_token_behind_not_even_one_that_is_made_meanwhile() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let before = issue(management, &bot, Ask::default(), Earlier::Stay, OPERATOR);
    let before = before.await.unwrap();
    let plenty = Ask::default();
    let making = (0..20).map(|_| management.generate(&bot, &plenty, Earlier::Stay, OPERATOR));
    let (made, deleted) = tokio::join!(
        futures_util::future::join_all(making),
        management.delete(&bot, OPERATOR),
    );
    deleted.unwrap();
    let now = clock::unix_now();
    for issued in made.iter().flatten().chain([&before]) {
        let refused = tokens.verify_any(issued.token.expose(), now);
        assert!(matches!(refused, Err(NotOwn::Revoked)), "{refused:?}");
    }
    let late = issue(management, &bot, Ask::default(), Earlier::Stay, OPERATOR).await;
    assert!(matches!(
        late,
        Err(ManagementError::Issue(IssueError::Gone))
    ));
    let gone = management.delete(&bot, OPERATOR).await;
    assert!(matches!(
        gone,
        Err(ManagementError::Bot(BotError::NoSuchBot(_)))
    ));
}

#[tokio::test]
async fn regenerated_token_lets_the_earlier_one_live_for_the_overlap_and_no_longer() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let store = Arc::clone(tokens.accounts.store().unwrap());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let lake = Ask {
        audience: Some("lake".into()),
        ..Ask::default()
    };
    let elsewhere = management
        .generate(&bot, &lake, Earlier::Stay, OPERATOR)
        .await
        .unwrap();
    let first = issue(management, &bot, Ask::default(), Earlier::Stay, OPERATOR);
    let first = first.await.unwrap();
    let overlap = Earlier::End(Duration::from_secs(3_600));
    let second = issue(management, &bot, Ask::default(), overlap, OPERATOR)
        .await
        .unwrap();
    let now = clock::unix_now();
    let is = |id: &str| store.is_revoked(Revocable::Token(id));
    assert_eq!(tokens.end_replaced().await.unwrap(), 0);
    assert!(!is(&first.lasting.id));
    let described = management.describe("CI").await.unwrap();
    let state = |id: &str| {
        let found = described
            .tokens
            .iter()
            .find(|token| token.id == id)
            .unwrap();
        (found.state(now), found.state(now + 3_601))
    };
    assert_eq!(state(&first.lasting.id), ("ending", "revoked"));
    assert_eq!(state(&second.lasting.id), ("live", "live"));
    assert_eq!(state(&elsewhere.lasting.id), ("live", "live"));

    let at_once = Earlier::End(Duration::ZERO);
    let third = issue(management, &bot, Ask::default(), at_once, OPERATOR)
        .await
        .unwrap();
    let ids = [&first, &second, &third, &elsewhere].map(|it| is(&it.lasting.id));
    assert_eq!(ids, [true, true, false, false]);

    // One whose end has come is revoked by whoever looks next.
    store
        .end_token(&third.lasting, now.saturating_sub(1))
        .await
        .unwrap();
    assert_eq!(tokens.end_replaced().await.unwrap(), 1);
    assert!(is(&third.lasting.id));
    assert_eq!(tokens.end_replaced().await.unwrap(), 0);
}

#[tokio::test]
async fn b04_roles_that_manage_are_given_by_those_who_have_them() {
    let folder = Folder::new();
    let (tokens, rules, admins) = (bed(&folder).await, Bots::default(), admins());
    let management = tokens.management(&rules, &admins).unwrap();
    let keeper = ["Keeper".to_owned()];
    let keeper = Asker {
        name: "kim",
        roles: Some(&keeper),
        ..Asker::default()
    };
    let refused = management
        .create(&ci(&["Admin"]), keeper)
        .await
        .unwrap_err();
    assert!(matches!(&refused, ManagementError::Role(role) if role == "Admin"));
    assert_eq!(refused.kind(), Kind::Forbidden);
    let bot = management
        .create(&ci(&["Op", "Keeper"]), keeper)
        .await
        .unwrap();
    let more = Bot {
        roles: vec!["Op".into(), "Admin".into()],
        ..bot.clone()
    };
    assert!(management.change(&more, keeper).await.is_err());
    management.change(&more, OPERATOR).await.unwrap();
    // Nor by way of a bot that has them already.
    let bot = management.describe("ci").await.unwrap().bot;
    assert_eq!(bot.roles, more.roles);
    let token = issue(management, &bot, Ask::default(), Earlier::Stay, keeper).await;
    assert!(matches!(token, Err(ManagementError::Role(_))));
    let texts = Bot {
        description: "new".into(),
        ..bot.clone()
    };
    management.change(&texts, keeper).await.unwrap();
    management.revoke_all(&bot, keeper).await.unwrap();
}

#[tokio::test]
async fn b04_nobody_gets_a_lasting_signed_token_for_our_own_api_and_bots_none_at_all() {
    let folder = Folder::new();
    let tokens = bed(&folder).await;
    let rules = Bots {
        personal_tokens: true,
        ..Bots::default()
    };
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&["Admin"]), OPERATOR).await.unwrap();
    for form in [TokenForm::Jwt, TokenForm::Opaque] {
        let ask = Ask {
            name: "api".into(),
            audience: Some("countersign".into()),
            form,
            ..Ask::default()
        };
        let refused = management
            .generate(&bot, &ask, Earlier::Stay, OPERATOR)
            .await;
        assert!(matches!(
            refused,
            Err(ManagementError::Issue(IssueError::NotForBots))
        ));
        let own = management.generate_own(&ada(), &ask, OPERATOR).await;
        assert_eq!(own.is_ok(), form == TokenForm::Opaque, "{own:?}");
    }
}

#[tokio::test]
async fn personal_tokens_are_their_owners_and_never_unlimited() {
    let folder = Folder::new();
    let tokens = bed(&folder).await;
    let none = Bots::default();
    let closed = tokens.management(&none, &[]).unwrap();
    let named = Ask {
        name: " laptop ".into(),
        ..Ask::default()
    };
    let refused = closed.generate_own(&ada(), &named, OPERATOR).await;
    assert!(matches!(refused, Err(ManagementError::NoPersonalTokens)));
    let rules = Bots {
        personal_tokens: true,
        allow_unlimited: true,
        ..Bots::default()
    };
    let management = tokens.management(&rules, &[]).unwrap();
    for wrong in [
        Ask::default(),
        Ask {
            expiry: Expiry::Unlimited,
            allow_unlimited: true,
            ..named.clone()
        },
    ] {
        assert!(
            management
                .generate_own(&ada(), &wrong, OPERATOR)
                .await
                .is_err()
        );
    }
    let issued = management
        .generate_own(&ada(), &named, OPERATOR)
        .await
        .unwrap();
    assert_eq!(issued.lasting.name, "laptop");
    let mut eve = ada();
    eve.user.id = "2".into();
    assert_eq!(management.own_tokens(&eve).await.unwrap().len(), 0);
    let id = &issued.lasting.id;
    assert!(management.revoke_own(&eve, id, OPERATOR).await.is_err());
    management.revoke_own(&ada(), id, OPERATOR).await.unwrap();
    let refused = tokens.verify_any(issued.token.expose(), clock::unix_now());
    assert!(matches!(refused, Err(NotOwn::Revoked)));
}

#[tokio::test]
async fn b06_expiring_tokens_are_listed_and_counted_until_another_takes_their_place() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let store = Arc::clone(tokens.accounts.store().unwrap());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let now = clock::unix_now();
    let issued = issue(management, &bot, ask(Expiry::One), Earlier::Stay, OPERATOR);
    let fresh = issued.await.unwrap().lasting;
    let week = Duration::from_secs(7 * 86_400);
    // It is as it should be: it was made just now.
    assert_eq!(management.expiring(week, 1).await.unwrap().len(), 0);
    let old = Lasting {
        id: "0".repeat(32),
        created_at: now - 90 * 86_400,
        expires_at: Some(now + 5 * 86_400),
        ..fresh
    };
    assert!(store.put_token(&old, "old").await.unwrap());
    let soon = management.expiring(week, 1).await.unwrap();
    assert_eq!((soon.len(), soon[0].0.as_str()), (1, "ci"));
    store.revoke_token(&old, now).await.unwrap();
    let count = || store.count_bot_tokens(now, [now + 3_600, now + 7 * 86_400]);
    assert_eq!(count().await.unwrap(), (1, [0, 1]));
    let list = |expiring| Order::List {
        search: String::new(),
        expiring,
    };
    let listed = management
        .perform(list(Some(7 * 86_400)), OPERATOR)
        .await
        .unwrap();
    assert_eq!(listed[0]["tokens"][0]["expiry"], "1");
    let overlap = Earlier::End(Duration::from_secs(60));
    issue(management, &bot, ask(Expiry::Ninety), overlap, OPERATOR)
        .await
        .unwrap();
    assert_eq!(management.expiring(week, 10).await.unwrap().len(), 0);
    assert_eq!(count().await.unwrap(), (2, [0, 0]));
    let listed = management
        .perform(list(Some(7 * 86_400)), OPERATOR)
        .await
        .unwrap();
    assert_eq!(listed, json!([]));
}

#[tokio::test]
async fn search_goes_through_pages_and_knows_the_total() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    for n in 0..7 {
        let new = NewBot {
            name: format!("Bot-{n}"),
            description: if n % 2 == 0 { "50%_even" } else { "odd" }.into(),
            ..NewBot::default()
        };
        management.create(&new, OPERATOR).await.unwrap();
    }
    let names = |found: &Found| -> Vec<String> {
        found.bots.iter().map(|it| it.bot.name.clone()).collect()
    };
    let page = management.search("", Side::After(""), 5).await.unwrap();
    assert_eq!((page.bots.len(), page.total, page.more), (5, 7, true));
    let rest = management
        .search("", Side::After(&page.bots[4].bot.name), 5)
        .await
        .unwrap();
    assert_eq!(
        (names(&rest), rest.more),
        (vec!["Bot-5".into(), "Bot-6".into()], false)
    );
    for (name, before, more) in [
        ("BOT-5", vec!["Bot-3", "Bot-4"], true),
        ("Bot-2", vec!["Bot-0", "Bot-1"], false),
        ("Bot-0", vec![], false),
    ] {
        let page = management.search("", Side::Before(name), 2).await.unwrap();
        assert_eq!((names(&page), page.more), (texts(&before), more), "{name}");
    }
    let total = async |search: &str| {
        let found = management.search(search, Side::After(""), 9).await;
        found.unwrap().total
    };
    assert_eq!((total("%_EVEN").await, total("bot-3").await), (4, 1));
    let taken = NewBot {
        name: "BOT-0".into(),
        ..NewBot::default()
    };
    let again = management.create(&taken, OPERATOR).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Conflict);
}

#[tokio::test]
async fn keys_of_a_bot_are_public_ones_or_none() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
    let mut private = key.clone();
    private["d"] = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".into();
    for (keys, good) in [
        (json!([key]), true),
        (json!([private]), false),
        (json!([]), false),
        (json!([{ "kty": "oct", "k": "AAAA" }]), false),
    ] {
        let new = NewBot {
            name: format!("bot{good}"),
            jwks: json!({ "keys": keys }).to_string(),
            ..NewBot::default()
        };
        assert_eq!(
            management.create(&new, OPERATOR).await.is_ok(),
            good,
            "{keys}"
        );
    }
}

#[tokio::test]
async fn good_token_is_seen_behind_a_thousand_that_are_over() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let store = Arc::clone(tokens.accounts.store().unwrap());
    let management = tokens.management(&rules, &[]).unwrap();
    let bot = management.create(&ci(&[]), OPERATOR).await.unwrap();
    let issued = issue(
        management,
        &bot,
        ask(Expiry::Ninety),
        Earlier::Stay,
        OPERATOR,
    );
    let good = issued.await.unwrap().lasting;
    for number in 0..1_001 {
        let over = Lasting {
            id: format!("{number:032}"),
            created_at: good.created_at + 1,
            expires_at: Some(good.created_at),
            ..good.clone()
        };
        assert!(store.put_token(&over, &over.id).await.unwrap());
    }
    let described = management.describe("ci").await.unwrap();
    let live: Vec<_> = described.live(clock::unix_now()).collect();
    assert_eq!((live.len(), live[0].id.as_str()), (1, good.id.as_str()));
    assert_eq!(described.tokens.len(), 1_000);
    assert_eq!(described.tokens[999].id, good.id, "newest first");
}

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
    let request = Request {
        inner: countersign_abi::Request::default(),
        body: json!({}),
        only: None,
        lifetime: Lifetime::Api,
        path: "/oauth2/token",
        address: None,
    };
    let give = async |source: Option<&str>, bot: &Bot| {
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
    };
    let is_good = |token: &str| tokens.verify_any(token, clock::unix_now()).is_ok();
    let by_token = give(Some(&secret.id), &bot).await.unwrap();
    let by_key = give(None, &bot).await.unwrap();
    assert!(is_good(&by_token) && is_good(&by_key));
    management.revoke(&bot, &secret.id, OPERATOR).await.unwrap();
    assert!(!is_good(&by_token) && is_good(&by_key));
    // Whoever was let in just before the token was revoked is given nothing any more.
    assert!(give(Some(&secret.id), &bot).await.is_err());
    bot.jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#.into();
    management.change(&bot, OPERATOR).await.unwrap();
    assert!(!is_good(&by_key));
    let last = give(None, &bot).await.unwrap();
    management.delete(&bot, OPERATOR).await.unwrap();
    assert!(!is_good(&last));
    assert!(give(None, &bot).await.is_err());
}

#[tokio::test]
async fn search_regards_no_case_in_any_script() {
    let folder = Folder::new();
    let (tokens, rules) = (bed(&folder).await, Bots::default());
    let management = tokens.management(&rules, &[]).unwrap();
    let new = NewBot {
        name: "fruit".into(),
        display_name: "Äpfel".into(),
        description: "Über Nacht,\nдо УТРА".into(),
        ..NewBot::default()
    };
    let mut bot = management.create(&new, OPERATOR).await.unwrap();
    let total = async |search: &str| {
        let found = management.search(search, Side::After(""), 9).await;
        found.unwrap().total
    };
    for search in ["FRUIT", "äPFEL", "ÜBER", "до утра"] {
        assert_eq!(total(search).await, 1, "{search}");
    }
    bot.display_name = "BIRNEN & ÖL".into();
    management.change(&bot, OPERATOR).await.unwrap();
    assert_eq!((total("äpfel").await, total("& öl").await), (0, 1));
    assert_eq!(total("\0").await, 0);
}
