//! What a login would find, without the password.

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;

use crate::bed::{bed, instance, login};

#[tokio::test]
async fn lookup_finds_what_a_login_finds() {
    let ldap = instance(bed().settings(json!({}))).await;
    assert!(ldap.capabilities().lookup);
    let user = ldap.lookup(" ALICE").await.unwrap();
    assert_eq!(user, login(&ldap, "alice", "alice-pw").await.unwrap());
    assert!(user.is_some());
    for nobody in ["nobody", "", "*", "a\0"] {
        assert_eq!(ldap.lookup(nobody).await, Ok(None), "{nobody:?}");
    }
    let error = ldap.lookup("dup").await.unwrap_err();
    assert_eq!(error.detail(), "several entries have this name");
}

#[tokio::test]
async fn account_that_may_not_log_in_is_told_in_attributes() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = ldap.lookup("locked").await.unwrap().unwrap();
    assert_eq!(user.attributes["active"], json!(false));
    assert_eq!(user.attributes["inactive"], json!("the account is locked"));
    let user = ldap.lookup("bob").await.unwrap().unwrap();
    assert!(!user.attributes.contains_key("active"));
}

#[tokio::test]
async fn direct_flow_offers_no_lookup() {
    let ldap = instance(bed().direct(json!({}))).await;
    let offered = ldap.capabilities();
    assert!(offered.password && !offered.lookup);
    let error = ldap.lookup("alice").await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotSupported);
}
