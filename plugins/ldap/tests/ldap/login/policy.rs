//! What a password policy says beside the result of a bind.

use serde_json::json;

use super::denied;
use crate::bed::{bed, instance};

#[tokio::test]
async fn password_policy_is_told_to_the_audit_log() {
    for settings in [bed().settings(json!({})), bed().direct(json!({}))] {
        let ldap = instance(settings).await;
        for (name, reason) in [
            ("locked", "the account is locked (password policy)"),
            ("expired", "the password has expired (password policy)"),
            (
                "reset",
                "the password must be changed first (password policy)",
            ),
        ] {
            denied(&ldap, name, &format!("{name}-pw"), (reason, name)).await;
        }
    }
}

#[tokio::test]
async fn account_that_failures_locked_is_told_so() {
    bed().add_person("clumsy", "");
    let ldap = instance(bed().settings(json!({}))).await;
    for _ in 0..5 {
        denied(&ldap, "clumsy", "wrong", ("wrong password", "clumsy")).await;
    }
    let reason = "the account is locked (password policy)";
    denied(&ldap, "clumsy", "clumsy-pw", (reason, "clumsy")).await;
}
