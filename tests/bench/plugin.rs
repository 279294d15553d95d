//! A plugin's `.so` file, loaded as the host loads it, for figures below HTTP.

use std::fs::File;
use std::sync::Arc;

use countersign_abi::{Call, Instance, Level, Metric, Operation, Request, Sealed, Services};
use countersign_tests::{Folder, artifacts};
use serde_json::{Value, json};

/// Loads a plugin of the house and makes an instance with this configuration.
pub(crate) async fn instance(name: &str, config: Value, state: &Folder) -> Instance {
    let file = File::open(artifacts::plugin(name)).unwrap();
    let sealed = Sealed::of(&file, name, state.path()).unwrap();
    let library = sealed.inspect().unwrap().open().unwrap().check().unwrap();
    let envelope = json!({ "config": config, "backend": name, "state": state.path() });
    library
        .create(Arc::new(Silent), &envelope.to_string())
        .await
        .unwrap()
}

/// Adds a user to the db backend.
pub(crate) async fn add_user(db: &Instance, username: &str, password: &str) {
    let arguments = json!({ "op": "user_add", "username": username, "password": password });
    let call = Call {
        arguments,
        ..Call::default()
    };
    db.call(Operation::Manage, &call).await.unwrap();
}

/// A login as clients send it: five headers and a small body.
pub(crate) fn login(username: &str, password: &str) -> Request {
    let headers = [
        ("host", "auth.example.org"),
        ("user-agent", "python-requests/2.32.3"),
        ("accept", "*/*"),
        ("content-type", "application/json"),
        ("content-length", "40"),
    ];
    Request {
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: json!({ "username": username, "password": password })
            .to_string()
            .into_bytes(),
        peer: "127.0.0.1".into(),
        request_id: "0000000000000000".into(),
        millis_left: 10_000,
    }
}

/// A host that hears nothing: logs are no part of these figures.
struct Silent;

impl Services for Silent {
    fn enabled(&self, _: Level) -> bool {
        false
    }

    fn log(&self, _: Level, _: &str, _: &str, _: &str) {}

    fn metric(&self, _: Metric, _: &str, _: &str, _: f64) {}

    fn panicked(&self, _: &str, _: &str) {}
}
