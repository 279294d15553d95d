//! Users' own tokens, and what nobody's may be for.

use super::*;

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
    let refused = tokens.verify_any(issued.token.expose(), Beside::Nothing, clock::unix_now());
    assert!(matches!(refused, Err(NotOwn::Revoked)));
}
