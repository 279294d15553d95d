//! The indirect and the direct flow.

use serde_json::json;

use crate::bed::{bed, instance, login};

#[tokio::test]
async fn indirect_login_with_the_right_password_is_that_user() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    assert_eq!(user.username, "alice");
}
