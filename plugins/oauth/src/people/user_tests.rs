#![allow(clippy::unwrap_used)]
use std::sync::Arc;

use countersign_sdk::prelude::*;
use serde_json::json;

use super::*;
use crate::people::{Identity, People};

const ISSUER: &str = "https://sso.example.com/realms/main";

/// A user as the configured backend makes him of these claims.
fn made(more: Value, claims: Value) -> Result<User> {
    made_by(more, ISSUER, "42", claims)
}

fn made_by(more: Value, issuer: &str, subject: &str, claims: Value) -> Result<User> {
    let mut config = json!({
        "provider": "keycloak", "issuer": ISSUER, "audiences": ["airflow"],
        "claims": { "groups": "groups" }
    });
    let own = config.as_object_mut().unwrap();
    own.extend(more.as_object().unwrap().clone());
    let settings = crate::check::settings(serde_json::from_value(config).unwrap())?;
    People::new(&Arc::new(settings)).user(&Identity {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        claims: claims.as_object().unwrap().clone(),
    })
}

fn denied(more: Value, claims: Value) -> String {
    let error = made(more, claims).unwrap_err();
    assert_eq!(error.kind(), countersign_sdk::Kind::Denied, "{error}");
    error.detail().to_owned()
}

#[test]
fn user_has_what_the_claims_tell() {
    let claims = json!({ "sub": "42", "preferred_username": " ada ", "email": "Ada@example.com", "email_verified": true,
        "given_name": "Ada", "family_name": "Lovelace", "groups": ["b", "a", "b", ""], "floor": 3 });
    let own = json!({ "claims": { "groups": "groups", "attributes": { "floor": "floor", "none": "missing" } } });
    let user = made(own, claims).unwrap();
    assert_eq!(user.id, "42@sso.example.com/realms/main");
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        ("ada", "Ada@example.com")
    );
    assert_eq!(
        (user.first_name.as_str(), user.last_name.as_str()),
        ("Ada", "Lovelace")
    );
    assert_eq!(user.groups, ["b", "a"]);
    assert!(user.roles.is_empty());
    assert_eq!(Value::Object(user.attributes), json!({ "floor": 3 }));
}

#[test]
fn same_subject_of_two_issuers_is_two_principals() {
    // T53
    let of = |issuer: &str| made_by(json!({}), issuer, "42", json!({})).unwrap().id;
    let ids = [
        ISSUER,
        "https://sso.example.com/realms/other",
        "http://sso.example.com/realms/main",
    ]
    .map(of);
    assert_ne!(ids[0], ids[1]);
    assert_ne!(ids[0], ids[2]);
    // Nor does an @ in it make it another's.
    let odd = made_by(json!({}), ISSUER, "42@evil.example", json!({})).unwrap();
    assert_eq!(
        odd.id.rsplit_once('@').unwrap(),
        ("42@evil.example", "sso.example.com/realms/main")
    );
}

#[test]
fn name_can_change_and_the_principal_stays() {
    let named = |name: &str| made(json!({}), json!({ "preferred_username": name })).unwrap();
    let (before, after) = (named("ada"), named("admin"));
    assert_eq!(before.id, after.id);
    assert_ne!(before.username, after.username);
}

#[test]
fn empty_or_odd_subject_is_refused() {
    for subject in ["", " ", "a\nb", "a\0", &"x".repeat(256)] {
        assert!(
            made_by(json!({}), ISSUER, subject, json!({})).is_err(),
            "{subject:?}"
        );
    }
}

#[test]
fn username_that_is_missing_is_the_next_choice_then_the_subject() {
    let choices = json!({ "claims": { "username": ["preferred_username", "nickname"] } });
    let name = |claims: Value| made(choices.clone(), claims).unwrap().username;
    assert_eq!(
        name(json!({ "preferred_username": "", "nickname": "al" })),
        "al"
    );
    assert_eq!(
        name(json!({ "preferred_username": null, "email": "ada@example.com" })),
        "42"
    );
    assert!(
        denied(choices.clone(), json!({ "preferred_username": ["ada"] })).contains("is a list")
    );
    assert!(denied(choices, json!({ "preferred_username": "a\nb" })).contains("control character"));
}

#[test]
fn groups_are_texts_and_never_characters() {
    let groups = |claims: Value| made(json!({}), claims).unwrap().groups;
    assert_eq!(groups(json!({ "groups": "admins" })), ["admins"]);
    assert_eq!(groups(json!({ "groups": "a b,c" })), ["a b,c"]);
    assert!(groups(json!({})).is_empty() && groups(json!({ "groups": null })).is_empty());
    assert!(groups(json!({ "groups": [] })).is_empty());
    for (groups, expected) in [
        (json!({ "admin": true }), "is an object"),
        (json!(true), "is true or false"),
        (json!(1), "is a number"),
        (json!(["a", 1]), "has a number in it"),
        (json!(["a", null]), "has null in it"),
        (json!([["a"]]), "has a list in it"),
        (json!(["a\nb"]), "control character"),
        (json!(["x".repeat(513)]), "512 characters"),
        (json!(vec!["x"; 1_001]), "has 1001 groups"),
    ] {
        let told = denied(json!({}), json!({ "groups": groups }));
        assert!(told.contains(expected), "{told}");
    }
}

#[test]
fn groups_that_were_left_out_refuse_the_user() {
    let claims = json!({ "_claim_names": { "groups": "src1" } });
    let told = denied(json!({}), claims.clone());
    assert!(
        told.contains("more groups than a token holds") && told.contains("claims.groups: roles"),
        "{told}"
    );
    let roles = json!({ "claims": { "groups": "roles" } });
    assert!(made(roles, claims).is_ok());
}

#[test]
fn address_that_is_not_verified_is_left_out() {
    let email = |more: Value, claims: Value| made(more, claims).unwrap().email;
    assert_eq!(
        email(json!({}), json!({ "email": "ada@x.org" })),
        "ada@x.org"
    );
    let unverified = json!({ "email": "ada@x.org", "email_verified": false });
    assert_eq!(email(json!({}), unverified.clone()), "");
    assert_eq!(
        email(json!({ "email_verified": "ignored" }), unverified),
        "ada@x.org"
    );
    assert_eq!(
        email(
            json!({ "email_verified": "required" }),
            json!({ "email": "ada@x.org" })
        ),
        ""
    );
    assert_eq!(email(json!({}), json!({ "email": "no address" })), "");
}

#[test]
fn only_verified_addresses_of_the_domains_come_in() {
    let only = json!({ "email_domains": ["example.com"] });
    let claims =
        |address: &str, verified: Value| json!({ "email": address, "email_verified": verified });
    assert!(made(only.clone(), claims("ada@EXAMPLE.com", json!(true))).is_ok());
    assert!(denied(only.clone(), claims("ada@evil.test", json!(true))).contains("of no domain"));
    for claims in [
        claims("ada@example.com", json!(false)),
        json!({ "email": "ada@example.com" }),
        json!({}),
    ] {
        assert!(denied(only.clone(), claims).contains("no verified e-mail address"));
    }
}

#[test]
fn required_claims_are_demanded() {
    let own = json!({ "required": { "azp": ["airflow", "cli"], "mfa": "true" } });
    assert!(made(own.clone(), json!({ "azp": "cli", "mfa": true })).is_ok());
    for claims in [
        json!({}),
        json!({ "azp": "other", "mfa": true }),
        json!({ "azp": ["cli"], "mfa": true }),
    ] {
        assert!(denied(own.clone(), claims).contains("`azp` has no value that `required` allows"));
    }
}

#[test]
fn principal_claims_make_name_and_address() {
    let own = json!({ "principal_claims": ["email", "sub"], "principal_domain": "example.com" });
    let user = made(
        own.clone(),
        json!({ "email": "Ada@x.org", "preferred_username": "root" }),
    )
    .unwrap();
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        ("ada", "Ada@x.org")
    );
    let user = made(own, json!({ "sub": "42" })).unwrap();
    assert_eq!(
        (user.username.as_str(), user.email.as_str()),
        ("42", "42@example.com")
    );
}

#[test]
fn address_that_is_not_believed_makes_no_name() {
    let claims = json!({ "sub": "42", "email": "admin@evil.test", "email_verified": false, "preferred_username": "eve" });
    let name = |own: Value, claims: &Value| made(own, claims.clone()).unwrap().username;
    let first = json!({ "principal_claims": ["email", "preferred_username"], "claims": {} });
    assert_eq!(name(first.clone(), &claims), "eve");
    let mapped =
        json!({ "principal_claims_mapping": ["username:email", "email:email"], "claims": {} });
    assert_eq!(name(mapped, &claims), "42");
    let written = json!({ "claims": { "username": ["email", "nickname"] } });
    assert_eq!(name(written, &claims), "42");
    let ignored =
        json!({ "email_verified": "ignored", "principal_claims": ["email"], "claims": {} });
    assert_eq!(name(ignored, &claims), "admin");
    let unsaid = json!({ "email": "ada@example.com", "preferred_username": "eve" });
    assert_eq!(name(first, &unsaid), "ada");
}

#[test]
fn verified_is_the_claim_email_and_no_other_address() {
    // Whoever can write his name would else write himself into the domain.
    let claims = json!({ "email": "eve@evil.test", "email_verified": true, "preferred_username": "eve@example.com", "nickname": "eve" });
    for own in [
        json!({ "principal_claims": ["preferred_username", "email"], "claims": {} }),
        json!({ "principal_claims": ["nickname", "email"], "principal_domain": "example.com", "claims": {} }),
        json!({ "principal_claims_mapping": ["username:nickname", "email:preferred_username"], "claims": {} }),
        json!({ "claims": { "email": "preferred_username" } }),
    ] {
        let mut only = own.clone();
        only["email_domains"] = json!(["example.com"]);
        assert!(
            denied(only.clone(), claims.clone()).contains("no verified e-mail address"),
            "{own}"
        );
        only["email_verified"] = json!("unless_false");
        assert!(made(only, claims.clone()).is_ok(), "{own}");
    }
}

#[test]
fn refusal_quotes_no_claim() {
    let own = json!({ "email_domains": ["example.com"], "required": { "azp": "airflow" } });
    for claims in [
        json!({ "azp": "secret" }),
        json!({ "azp": "airflow", "email": "secret@evil.test", "email_verified": true }),
    ] {
        assert!(!denied(own.clone(), claims).contains("secret"));
    }
}
