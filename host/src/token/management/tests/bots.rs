//! Bots themselves: their roles, their keys, their end.

use super::*;
use crate::accounts::bots::Side;

fn admins() -> Vec<String> {
    texts(&["Admin", "Keeper"])
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
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
        let refused = tokens.verify_any(issued.token.expose(), Beside::Nothing, now);
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
