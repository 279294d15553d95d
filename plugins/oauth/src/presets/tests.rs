//! Each preset with a token as its provider makes them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use countersign_sdk::prelude::*;
use serde_json::{Value, json};

use crate::check;
use crate::people::{Identity, People};
use crate::settings::{LogoutBy, Opaque, Settings, ToldBy};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

fn checked(config: Value) -> Result<Settings> {
    check::settings(serde_json::from_value(config).unwrap())
}

fn wrong(config: Value) -> String {
    checked(config)
        .err()
        .expect("is refused")
        .detail()
        .to_owned()
}

/// What the backend makes of a token of `iss`.
fn user(config: &Value, iss: &str, claims: Value) -> Result<User> {
    let settings = Arc::new(checked(config.clone())?);
    assert!(
        settings.issuer == iss || settings.more_issuers.iter().any(|other| other == iss),
        "{iss}"
    );
    People::new(&settings).user(&Identity {
        issuer: iss.to_owned(),
        subject: claims["sub"].as_str().unwrap_or_default().to_owned(),
        claims: claims.as_object().unwrap().clone(),
    })
}

struct Case {
    config: Value,
    iss: &'static str,
    claims: Value,
    /// id, username, email, first name, last name
    user: [&'static str; 5],
    groups: &'static [&'static str],
}

#[test]
fn tokens_of_each_provider_become_users() {
    let cases = [
        Case {
            config: json!({ "provider": "google", "client_id": "1.apps.googleusercontent.com" }),
            iss: "https://accounts.google.com",
            claims: json!({ "sub": "110169484474386276334", "email": "ada@example.com", "email_verified": true,
                "given_name": "Ada", "family_name": "Lovelace", "hd": "example.com" }),
            user: [
                "110169484474386276334@accounts.google.com",
                "ada@example.com",
                "ada@example.com",
                "Ada",
                "Lovelace",
            ],
            groups: &[],
        },
        Case {
            config: json!({ "provider": "azure", "tenant": TENANT, "audiences": ["api://airflow"] }),
            iss: "https://sts.windows.net/72f988bf-86f1-41af-91ab-2d7cd011db47/",
            claims: json!({ "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "oid": "6467882c-fdfd-4354-a1ed-4e13f064be25",
                "tid": TENANT, "upn": "ada@example.com", "given_name": "Ada", "family_name": "Lovelace",
                "ver": "1.0", "roles": ["airflow.admin"] }),
            user: [
                "6467882c-fdfd-4354-a1ed-4e13f064be25@login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
                "ada@example.com",
                "",
                "Ada",
                "Lovelace",
            ],
            groups: &["airflow.admin"],
        },
        Case {
            config: json!({ "provider": "okta", "domain": "example.okta.com", "audiences": ["api://default"] }),
            iss: "https://example.okta.com/oauth2/default",
            claims: json!({ "sub": "00uid4BxXw6I6TV4m0g3", "preferred_username": "ada@example.com", "email": "ada@example.com",
                "email_verified": true, "given_name": "Ada", "family_name": "Lovelace", "groups": ["Everyone", "airflow"] }),
            user: [
                "00uid4BxXw6I6TV4m0g3@example.okta.com/oauth2/default",
                "ada@example.com",
                "ada@example.com",
                "Ada",
                "Lovelace",
            ],
            groups: &["Everyone", "airflow"],
        },
        Case {
            config: json!({ "provider": "auth0", "domain": "example.eu.auth0.com", "audiences": ["https://airflow"],
                "claims": { "groups": "https://example.com/roles" } }),
            iss: "https://example.eu.auth0.com/",
            claims: json!({ "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "nickname": "admin", "email": "ada@example.com",
                "email_verified": false, "https://example.com/roles": ["airflow"] }),
            user: [
                "auth0|5f7c8ec7c33c6c004bbafe82@example.eu.auth0.com/",
                "auth0|5f7c8ec7c33c6c004bbafe82",
                "",
                "",
                "",
            ],
            groups: &["airflow"],
        },
        Case {
            config: json!({ "provider": "keycloak", "issuer": "https://sso.example.com/realms/main",
                "audiences": ["my.client"], "client_id": "my.client" }),
            iss: "https://sso.example.com/realms/main",
            claims: json!({ "sub": "f1888f4d-5172-4359-be0c-af338505d86c", "preferred_username": "ada", "email": "ada@example.com",
                "email_verified": true, "given_name": "Ada", "family_name": "Lovelace", "azp": "my.client",
                "realm_access": { "roles": ["offline_access"] },
                "resource_access": { "my.client": { "roles": ["airflow_op"] }, "account": { "roles": ["view-profile"] } } }),
            user: [
                "f1888f4d-5172-4359-be0c-af338505d86c@sso.example.com/realms/main",
                "ada",
                "ada@example.com",
                "Ada",
                "Lovelace",
            ],
            groups: &["airflow_op"],
        },
        Case {
            config: json!({ "provider": "authentik", "issuer": "https://id.example.com/application/o/airflow/",
                "audiences": ["Wbc4"] }),
            iss: "https://id.example.com/application/o/airflow/",
            claims: json!({ "sub": "6a9a1bb2cd4a5f", "preferred_username": "ada", "nickname": "ada", "email": "ada@example.com",
                "email_verified": true, "given_name": "Ada Lovelace", "groups": ["authentik Admins"] }),
            user: [
                "6a9a1bb2cd4a5f@id.example.com/application/o/airflow/",
                "ada",
                "ada@example.com",
                "Ada Lovelace",
                "",
            ],
            groups: &["authentik Admins"],
        },
        Case {
            config: json!({ "provider": "github", "client_id": "Iv1.8a61f9b3a7aba766", "client_secret": "hush" }),
            iss: "https://github.com",
            claims: json!({ "sub": "583231", "id": 583_231, "login": "octocat", "name": "The Octocat",
                "email": "octocat@github.com", "email_verified": true, "groups": ["Acme", "Acme/crew"] }),
            user: [
                "583231@github.com",
                "octocat",
                "octocat@github.com",
                "The Octocat",
                "",
            ],
            groups: &["acme", "acme/crew"],
        },
        Case {
            config: json!({ "provider": "gitlab", "domain": "gitlab.example.com", "client_id": "a7f1" }),
            iss: "https://gitlab.example.com",
            claims: json!({ "sub": "1573", "name": "Ada Lovelace", "nickname": "ada", "preferred_username": "ada",
                "email": "ada@example.com", "email_verified": true, "groups_direct": ["Acme/Data"] }),
            user: [
                "1573@gitlab.example.com",
                "ada",
                "ada@example.com",
                "Ada Lovelace",
                "",
            ],
            groups: &["acme/data"],
        },
        Case {
            config: json!({ "provider": "aws-cognito", "client_id": "xxxxxxxxxxxxexample",
                "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123" }),
            iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123",
            claims: json!({ "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:username": "ada", "cognito:groups": ["op"],
                "email": "ada@example.com", "email_verified": "true", "token_use": "id", "given_name": "Ada" }),
            user: [
                "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee@cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123",
                "ada",
                "ada@example.com",
                "Ada",
                "",
            ],
            groups: &["op"],
        },
        Case {
            config: json!({ "provider": "custom-oidc", "issuer": "https://id.example.com", "audiences": ["x"], "algorithms": ["ES256"] }),
            iss: "https://id.example.com",
            claims: json!({ "sub": "7", "preferred_username": "ada", "groups": "one" }),
            user: ["7@id.example.com", "ada", "", "", ""],
            groups: &["one"],
        },
    ];
    for case in cases {
        let user = user(&case.config, case.iss, case.claims).unwrap();
        let found = [
            &user.id,
            &user.username,
            &user.email,
            &user.first_name,
            &user.last_name,
        ];
        assert_eq!(found, case.user.each_ref(), "{}", case.config);
        assert_eq!(user.groups, case.groups, "{}", case.config);
    }
}

#[test]
fn azure_is_one_tenant_in_both_versions() {
    let azure = |more: Value| {
        let mut config = json!({ "provider": "azure", "audiences": ["x"] });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config
    };
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    for (more, issuer, other) in [
        (
            json!({ "tenant": TENANT.to_uppercase() }),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            v1.clone(),
        ),
        (
            json!({ "issuer": format!("https://login.microsoftonline.com/{TENANT}/v2.0") }),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            v1.clone(),
        ),
        (
            json!({ "issuer": v1 }),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            v1.clone(),
        ),
        (
            json!({ "tenant": TENANT, "domain": "login.microsoftonline.us" }),
            format!("https://login.microsoftonline.us/{TENANT}/v2.0"),
            v1.clone(),
        ),
        (
            json!({ "issuer": format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0") }),
            format!("https://login.partner.microsoftonline.cn/{TENANT}/v2.0"),
            format!("https://sts.chinacloudapi.cn/{TENANT}/"),
        ),
    ] {
        let made = checked(azure(more)).unwrap();
        assert_eq!((made.issuer, made.more_issuers), (issuer, vec![other]));
    }
    for (more, expected) in [
        (
            json!({}),
            "tenant: expected the id of the tenant, found none",
        ),
        (
            json!({ "tenant": "common" }),
            "tenant: found common: users of any tenant would come in",
        ),
        (
            json!({ "tenant": "Organizations" }),
            "tenant: found organizations",
        ),
        (
            json!({ "issuer": "https://login.microsoftonline.com/consumers/v2.0" }),
            "issuer: found consumers",
        ),
        (
            json!({ "tenant": "contoso.onmicrosoft.com" }),
            "tenant: expected the id of the tenant, a GUID",
        ),
        (
            json!({ "tenant": TENANT, "issuer": "https://x.example" }),
            "issuer: `tenant` says the same",
        ),
    ] {
        let told = wrong(azure(more));
        assert!(told.contains(expected), "{told}");
    }
    let config = azure(json!({ "tenant": TENANT }));
    let iss = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let without = user(&config, &iss, json!({ "sub": "AAAA", "roles": [] }));
    assert!(
        without
            .unwrap_err()
            .detail()
            .contains("`oid`, which names the user, is missing")
    );
}

#[test]
fn azure_user_of_too_many_groups_is_refused_not_emptied() {
    let config = json!({ "provider": "azure", "tenant": TENANT, "audiences": ["x"], "claims": { "groups": "groups" } });
    let iss = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let claims = json!({ "sub": "a", "oid": "b", "_claim_names": { "groups": "src1" },
        "_claim_sources": { "src1": { "endpoint": "https://graph.windows.net/x" } } });
    assert!(
        user(&config, &iss, claims)
            .unwrap_err()
            .detail()
            .contains("more groups than a token holds")
    );
}

#[test]
fn google_demands_the_domain_that_was_asked_for() {
    let config =
        json!({ "provider": "google", "client_id": "x", "parameters": { "hd": "example.com" } });
    let of = |claims: Value| user(&config, "accounts.google.com", claims);
    let user = of(json!({ "sub": "1", "hd": "example.com" })).unwrap();
    assert_eq!(user.id, "1@accounts.google.com");
    assert!(of(json!({ "sub": "1", "hd": "evil.test" })).is_err());
    assert!(of(json!({ "sub": "1" })).is_err());
}

#[test]
fn cognito_takes_no_access_token() {
    let config = json!({ "provider": "aws-cognito", "client_id": "x", "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/p" });
    let iss = "https://cognito-idp.eu-west-1.amazonaws.com/p";
    let access = json!({ "sub": "1", "token_use": "access", "client_id": "x" });
    assert!(
        user(&config, iss, access)
            .unwrap_err()
            .detail()
            .contains("`token_use`")
    );
}

#[test]
fn github_user_who_is_renamed_stays_himself() {
    let config = json!({ "provider": "github", "client_id": "x", "client_secret": "y" });
    let of = |login: &str| {
        user(
            &config,
            "https://github.com",
            json!({ "sub": "7", "id": 7, "login": login, "groups": [] }),
        )
        .unwrap()
    };
    let (before, after) = (of("ada"), of("lovelace"));
    assert_eq!(before.id, after.id);
    assert_eq!(after.username, "lovelace");
}

#[test]
fn github_user_whose_groups_were_not_asked_for_is_refused_not_emptied() {
    let config = |more: Value| {
        let mut config = json!({ "provider": "github", "client_id": "x", "client_secret": "y" });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config
    };
    let of = |more: Value| {
        user(
            &config(more),
            "https://github.com",
            json!({ "sub": "7", "id": 7, "login": "ada" }),
        )
    };
    let refused = of(json!({})).unwrap_err();
    assert!(refused.detail().contains("groups were not asked for"));
    // Nobody reads them.
    for more in [
        json!({ "scopes": ["read:user"] }),
        json!({ "claims": { "groups": "" } }),
    ] {
        assert!(of(more).unwrap().groups.is_empty());
    }
}

#[test]
fn each_preset_knows_how_it_is_asked() {
    let of = |config: Value| checked(config).unwrap();
    let github = of(
        json!({ "provider": "github", "domain": "git.example.com", "client_id": "abc", "client_secret": "x" }),
    );
    assert_eq!(
        (github.told_by, github.opaque),
        (ToldBy::Github, Opaque::GitHub)
    );
    let url = |url: &Option<url::Url>| url.as_ref().unwrap().to_string();
    assert_eq!(
        url(&github.endpoints.userinfo),
        "https://git.example.com/api/v3/user"
    );
    assert_eq!(
        url(&github.endpoints.introspection),
        "https://git.example.com/api/v3/applications/abc/token"
    );
    assert!(github.endpoints.discovery.is_none());
    let google = of(json!({ "provider": "google", "client_id": "abc", "client_secret": "x" }));
    assert_eq!(
        (google.audiences[0].as_str(), google.opaque),
        ("abc", Opaque::Off)
    );
    let cognito =
        of(json!({ "provider": "aws-cognito", "client_id": "x", "issuer": "https://c.example" }));
    assert_eq!(cognito.logout_by, LogoutBy::Cognito);
    assert!(
        wrong(json!({ "provider": "google" }))
            .starts_with("client_id: expected this server's name")
    );
    assert!(wrong(json!({ "provider": "okta", "issuer": "https://a.example", "domain": "a.example", "audiences": ["x"] }))
        .contains("domain: `issuer` says the same"));
    assert!(
        wrong(json!({ "provider": "auth0", "domain": "https://a.example/", "audiences": ["x"] }))
            .contains("domain: expected a host")
    );
}
