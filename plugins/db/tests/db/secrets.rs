//! No password and no hash in any answer, error, `Debug` or log.

use countersign_sdk::AuthPlugin;
use countersign_sdk::testing;
use serde_json::json;

use crate::support::{Folder, capture, log, login, open, run};

#[tokio::test]
async fn c07_canaries_appear_nowhere() {
    capture();
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    let (password, wrong) = ("canary-pass-1f9c", "canary-wrong-77aa");
    let mut said = Vec::new();
    let add = json!({ "username": "ada", "password": password });
    said.push(format!("{:?}", db.manage("user_add", add.clone()).await));
    said.push(format!("{:?}", db.manage("user_add", add).await));
    said.push(format!(
        "{:?}",
        db.manage("user_add", json!({ "username": 1, "password": password }))
            .await
    ));
    said.push(format!("{:?}", db.manage("user_list", json!({})).await));
    for name in ["ada", "nobody"] {
        said.push(format!("{:?}", login(&db, name, password).await));
        said.push(format!("{:?}", login(&db, name, wrong).await));
        said.push(format!(
            "{:?}",
            login(&db, name, &format!("{wrong}\0")).await
        ));
    }
    let body = json!({ "username": "ada", "password": password }).to_string();
    said.push(format!(
        "{:?}",
        testing::request(&[("authorization", password)], body)
    ));
    said.push(format!(
        "{:?}",
        db.manage("user_passwd", json!({ "username": "x", "password": wrong }))
            .await
    ));
    let hash: (String,) = crate::support::one(&path, "SELECT password FROM ab_user").await;
    let digest = hash.0.rsplit('$').next().unwrap().to_owned();
    run(&path, "DROP TABLE ab_user_role").await;
    said.push(format!("{:?}", login(&db, "ada", password).await));
    db.shutdown().await;
    said.push(format!("{:?}", login(&db, "ada", password).await));
    said.push(log());
    for text in said {
        for canary in [password, wrong, digest.as_str()] {
            assert!(!text.contains(canary), "{text}");
        }
    }
}
