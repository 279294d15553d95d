//! Bots' tokens: how long they live, and what ends them.

use super::*;
use crate::accounts::bots::Side;
use crate::accounts::opaque;

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
            .verify_any(issued.token.expose(), Beside::Nothing, clock::unix_now())
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
        .verify_any(issued.token.expose(), Beside::Nothing, clock::unix_now())
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
    let good = |tokens: &Tokens, at: usize| match tokens.verify_any(
        made[at].token.expose(),
        Beside::Nothing,
        now,
    ) {
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
