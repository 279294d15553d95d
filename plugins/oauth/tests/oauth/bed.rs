//! The provider that the tests share, as `tests/testbed/oidc-provider` sets it up. It ends
//! with the tests' process.
#![allow(dead_code, reason = "each area of the tests takes what it needs")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use countersign_oauth::{Config, OAuth};
use countersign_sdk::prelude::*;
use countersign_sdk::{Kind, testing};
use serde_json::{Value, json};

/// The `aud` of the JWTs that the provider issues and forges.
pub(crate) const AUDIENCE: &str = "urn:testbed:api";
/// A client that may only ask about tokens, and its secret.
pub(crate) const INTROSPECTION: [&str; 2] = ["rs", "rs-secret"];

/// One private provider.
pub(crate) struct Bed {
    facts: BTreeMap<String, String>,
    /// It ends when its standard input does: with this value, and with this process.
    child: Child,
}

/// The provider that the tests share. Nobody rotates its keys or sets faults.
pub(crate) fn bed() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| Bed::start(&[]))
}

impl Bed {
    /// A provider of a test's own, with these options of `server.mjs`, such as `["--access-ttl", "2"]`.
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut child = Command::new("bash")
            .arg(script("oidc-provider/provider.sh"))
            .args(["run", "--path", "/realms/test"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut facts = BTreeMap::new();
        while !facts.contains_key("OIDC_PID") {
            let line = lines.next().expect("the provider did not start").unwrap();
            let (key, value) = line.split_once('=').unwrap();
            facts.insert(key.to_owned(), value.to_owned());
        }
        Bed { facts, child }
    }

    /// Its `iss`, to the letter.
    pub(crate) fn issuer(&self) -> &str {
        &self.facts["OIDC_ISSUER"]
    }

    /// Settings for its JWTs; `more` is put over them, key by key.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings = json!({
            "issuer": self.issuer(),
            "audiences": [AUDIENCE],
            "algorithms": ["RS256"],
            "allow_http": true,
        });
        put_over(&mut settings, more);
        settings
    }

    /// The same, where opaque tokens are introspected.
    pub(crate) fn introspecting(&self, more: Value) -> Value {
        let [id, secret] = INTROSPECTION;
        let mut settings = self.settings(json!({
            "client_id": id, "client_secret": secret, "audiences": [AUDIENCE, "native"],
        }));
        put_over(&mut settings, more);
        settings
    }

    /// A token that it signs although nobody logged in, with all that can be wrong with one:
    /// `{"user", "alg", "claims", "drop", "header", "dropHeader", "foreignKey", "tamper"}`.
    pub(crate) async fn forge(&self, what: Value) -> String {
        let answer = self.control("token", what).await;
        answer["token"].as_str().unwrap().to_owned()
    }

    /// What the token endpoint answers after a user has logged in at the client `native`.
    pub(crate) fn login(&self, user: &str, options: &[&str]) -> Value {
        let done = Command::new("node")
            .arg(script("oidc-provider/login.mjs"))
            .args([self.issuer(), "--user", user])
            .args(options)
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(done.status.success(), "{user} cannot log in: {done:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// New keys: `replace` (the old are gone), `add` (new first, the old stay) or `publish`.
    pub(crate) async fn rotate(&self, mode: &str) {
        self.control("rotate", json!({ "mode": mode })).await;
    }

    /// How it answers the next requests for a path below its issuer.
    pub(crate) async fn fault(&self, fault: Value) {
        self.control("fault", fault).await;
    }

    /// By https alone: it shows another certificate from now on, `{"cert", "key"}` being files; also `maxVersion`.
    pub(crate) async fn tls(&self, shown: Value) {
        self.control("tls", shown).await;
    }

    /// How many requests there were for a path below the issuer, such as `/jwks`.
    pub(crate) async fn count(&self, path: &str) -> u64 {
        let url = format!("{}/stats", self.facts["OIDC_CONTROL"]);
        let stats = reqwest::get(url).await.unwrap().bytes().await.unwrap();
        let stats: Value = serde_json::from_slice(&stats).unwrap();
        stats[path].as_u64().unwrap_or(0)
    }

    /// Ends it and waits.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }

    async fn control(&self, what: &str, body: Value) -> Value {
        let url = format!("{}/{what}", self.facts["OIDC_CONTROL"]);
        let client = reqwest::Client::new();
        let answer = client.post(url).body(body.to_string()).send().await;
        let answer = answer.unwrap().error_for_status().unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// A script of the test bed.
pub(crate) fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/testbed")
        .join(path)
}

/// Objects are merged, everything else is replaced; `null` takes a key away.
pub(crate) fn put_over(settings: &mut Value, more: Value) {
    match (settings, more) {
        (Value::Object(settings), Value::Object(more)) => {
            for (key, value) in more {
                if value.is_null() {
                    settings.remove(&key);
                } else {
                    put_over(settings.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (settings, more) => *settings = more,
    }
}

/// An instance with these settings.
pub(crate) async fn instance(settings: Value) -> OAuth {
    open(settings).await.unwrap()
}

/// An instance with these settings, or why there is none.
pub(crate) async fn open(settings: Value) -> Result<OAuth> {
    let config: Config = serde_json::from_value(settings).unwrap();
    OAuth::configure(config, testing::cx(&std::env::temp_dir())).await
}

/// A call of `create_token` with this token.
pub(crate) async fn bearer(oauth: &OAuth, token: &str) -> Result<Option<User>> {
    exchange(oauth, token, json!({})).await
}

/// The same with a body, such as a token exchange has.
pub(crate) async fn exchange(oauth: &OAuth, token: &str, body: Value) -> Result<Option<User>> {
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_str())];
    let request = testing::request(&headers, body.to_string());
    oauth.create_token(request).await
}

/// The rule of a token that is denied.
#[track_caller]
pub(crate) fn denied(verdict: Result<Option<User>>) -> String {
    let error = verdict.expect_err("it is accepted");
    assert_eq!(error.kind(), Kind::Denied, "{error}");
    let detail = error.detail();
    let rule = detail.split_once("rule ").map(|(_, rest)| rest);
    let rule = rule.and_then(|rest| rest.split(':').next());
    rule.unwrap_or(detail).to_owned()
}

/// The detail of an outage.
#[track_caller]
pub(crate) fn outage(verdict: Result<Option<User>>) -> String {
    let error = verdict.expect_err("it is accepted");
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    error.detail().to_owned()
}
