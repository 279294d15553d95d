//! Directories that misbehave as scripted, and what a login notices of it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod fail_over;
mod pool;
mod results;
mod scripted;
mod settings;
mod srv;
mod start_tls;

use std::time::Duration;

use countersign_sdk::{Result, Secret, testing};
use serde_json::{Value, json};

use super::{Directory, Query, Reach};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::trouble::Trouble;

/// Settings of the indirect flow with short time limits.
fn settings(urls: &[String]) -> Value {
    json!({
        "url": urls,
        "bind_dn": "cn=svc",
        "bind_password": "svc-canary",
        "timeouts": { "connect": "600ms", "operation": "900ms" },
    })
}

fn open(settings: Value) -> Result<Directory> {
    let config = serde_json::from_value(settings).unwrap();
    Directory::open(&config, &testing::cx(&std::env::temp_dir()))
}

fn directory(urls: &[String]) -> Directory {
    open(settings(urls)).unwrap()
}

fn password() -> Secret {
    Secret::from("user-canary".to_owned())
}

async fn search_for(directory: &Directory, most: usize) -> Result<Vec<Entry>, Trouble> {
    let filter = Filter::equals("uid", "ada");
    let query = Query {
        base: "dc=test",
        depth: Reach::Subtree,
        filter: &filter,
        attributes: &["*"],
        most,
    };
    directory.service().await?.search(&query).await
}

async fn search(directory: &Directory) -> Result<Vec<Entry>, Trouble> {
    search_for(directory, 2).await
}

/// Waits until something has happened.
async fn until(what: impl Fn() -> bool) {
    for _ in 0..500 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not happen within ten seconds");
}

fn is_unavailable<T>(result: &Result<T, Trouble>) -> bool {
    matches!(result, Err(Trouble::Unavailable(why)) if !why.contains("canary"))
}
