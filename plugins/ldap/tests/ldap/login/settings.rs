//! What is wrong with settings is told when they are read, what is odd is logged.

use countersign_sdk::Kind;
use serde_json::json;

use crate::bed::{bed, instance, logged, open};

#[tokio::test]
async fn wrong_settings_come_all_at_once() {
    let wrong = bed().settings(json!({
        "url": "ldap://ldap.example.test",
        "bind_password": "",
        "search": { "base": "example", "filter": "objectClass=person" },
        "groups": { "filter": "(cn=x)" },
        "pool": { "size": 0 },
    }));
    let error = open(wrong).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Invalid);
    for key in [
        "url: ",
        "bind_password: ",
        "search.base: ",
        "search.filter: ",
        "groups.filter: ",
        "pool.size: ",
    ] {
        assert_eq!(error.detail().matches(key).count(), 1, "{key}{error}");
    }
}

#[tokio::test]
async fn odd_settings_are_warned_about() {
    let odd = json!({ "append_domain": "x.org", "groups": { "as_user": true } });
    let (_, log) = logged(instance(bed().settings(odd))).await;
    for key in ["append_domain", "groups.as_user"] {
        assert!(log.contains("WARN") && log.contains(key), "{log}");
    }
    let (_, log) = logged(instance(bed().direct(json!({})))).await;
    assert!(log.contains("search.base"), "{log}");
    let clear = json!({ "url": "ldap://ldap.example.test", "plain_text": true });
    let (_, log) = logged(instance(bed().settings(clear))).await;
    assert!(log.contains("WARN") && log.contains("clear text"), "{log}");
    let (_, log) = logged(instance(bed().settings(json!({})))).await;
    assert!(!log.contains("WARN"), "{log}");
}

#[tokio::test]
async fn empty_texts_are_as_if_left_out() {
    let settings = bed().direct(json!({ "bind_dn": "", "bind_password": "", "append_domain": "" }));
    let ldap = instance(settings).await;
    assert!(
        crate::bed::login(&ldap, "alice", "alice-pw")
            .await
            .unwrap()
            .is_some()
    );
}
