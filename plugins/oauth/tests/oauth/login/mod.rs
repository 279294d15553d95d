//! Logins in the browser, there and back, without a browser.

mod flow;
mod github;
mod lies;

use std::collections::BTreeMap;

use countersign_oauth::OAuth;
use countersign_sdk::prelude::*;
use countersign_sdk::{BeginLogin, FinishLogin, LoggedIn};
use reqwest::redirect::Policy;
use serde_json::Value;
use url::Url;

/// Where the test bed's client `web` may be led back to.
const REDIRECT: &str = "http://127.0.0.1:1/callback";

/// A login that has begun: the provider's address, and what the host keeps.
async fn begin(oauth: &OAuth) -> (Url, Value) {
    let mut login = BeginLogin::default();
    login.redirect_uri = REDIRECT.to_owned();
    login.state = "state-1".to_owned();
    login.nonce = "nonce-1".to_owned();
    let start = oauth.begin_login(login).await.unwrap();
    (Url::parse(&start.url).unwrap(), start.private)
}

/// The callback, with what the host kept.
async fn finish(
    oauth: &OAuth,
    parameters: &BTreeMap<String, String>,
    private: &Value,
) -> Result<LoggedIn> {
    let mut login = FinishLogin::default();
    login.parameters = parameters.clone();
    login.private = private.clone();
    oauth.finish_login(login).await
}

/// Parameters of a callback.
fn parameters(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Follows the provider's pages as a user who logs in there, until they lead back.
async fn follow(start: &Url, user: &str) -> BTreeMap<String, String> {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let mut cookies = BTreeMap::new();
    let mut url = start.clone();
    for _ in 0..10 {
        if url.as_str().starts_with(REDIRECT) {
            return url.query_pairs().into_owned().collect();
        }
        let jar: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = client.get(url.clone()).header("cookie", jar.join("; "));
        let answer = request.header("x-test-login", user).send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let (name, value) = set
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .split_once('=')
                .unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        let next = answer.headers().get("location").expect("led nowhere");
        url = url.join(next.to_str().unwrap()).unwrap();
    }
    panic!("led in circles")
}
