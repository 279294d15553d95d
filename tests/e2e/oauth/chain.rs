//! Single sign-on beside names and passwords.

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server, send};
use serde_json::json;

use super::*;
use crate::run;

const PASSWORD: &str = "correct horse battery";

/// `sso` and `users` in this order, and Ada in the table of the latter.
fn both(folder: &Folder, provider: &Oidc, order: [&str; 2]) -> Server {
    let of = |name: &str| match name {
        "sso" => format!(
            "  sso: {{ plugin: oauth, config: {} }}\n",
            settings(provider, "")
        ),
        _ => "  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n".to_owned(),
    };
    let config = format!(
        "tokens: {{ claims: {{ by: \"{{backend}}\" }} }}\nbackends:\n{}",
        order.map(of).concat()
    );
    folder.write("config.yaml", &config);
    let state = folder.join("state");
    let environment = [
        ("COUNTERSIGN_STATE", state.to_str().unwrap()),
        ("COUNTERSIGN_CONFIG", "config.yaml"),
    ];
    let arguments = ["users", "add", "ada", "--password-stdin"];
    let input = format!("{PASSWORD}\n");
    let done = countersign_tests::countersign(folder.path(), &arguments, &environment, &input);
    assert_eq!(done.code, 0, "{done:?}");
    Server::start(folder, &config)
}

#[test]
fn passwords_and_bearer_tokens_go_beside_each_other_in_either_order() {
    let provider = Oidc::start();
    for order in [["sso", "users"], ["users", "sso"]] {
        let folder = Folder::new();
        let server = both(&folder, &provider, order);
        assert_eq!(claims(&server, &provider.token("bob"))["by"], "sso");
        let ada = token::claims(&server.token("ada", PASSWORD));
        assert_eq!(ada["by"], "users");
        assert_eq!(server.login("ada", "wrong").status, 401);
        let unsigned = provider.forge(&json!({ "user": "bob", "alg": "none" }));
        assert_eq!(bearer(&server, &unsigned).status, 401, "{order:?}");
        assert_eq!(bearer(&server, "opaque-and-nobodys").status, 401);
    }
}

#[test]
fn outage_of_the_provider_is_none_of_those_with_passwords() {
    let provider = Oidc::down(Default::default());
    let folder = Folder::new();
    let server = both(&folder, &provider, ["sso", "users"]);
    server.token("ada", PASSWORD);
    assert_eq!(run(&folder, &["reload"], &[]).code, 0);
    server.token("ada", PASSWORD);
}

#[test]
fn bad_bearer_token_with_a_good_password_is_not_taken_for_the_password() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = both(&folder, &provider, ["sso", "users"]);
    let forged = provider.forge(&json!({ "user": "bob", "foreignKey": true }));
    let authorization = format!("Bearer {forged}");
    let headers = [
        ("content-type", "application/json"),
        ("authorization", &authorization),
    ];
    let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
    let answer = send(
        server.address,
        "POST",
        "/auth/token",
        &headers,
        body.as_bytes(),
    );
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn two_providers_take_each_its_own_tokens() {
    let (first, second) = (Oidc::start(), Oidc::start());
    let folder = Folder::new();
    let backend = |name: &str, provider: &Oidc| {
        format!(
            "  {name}: {{ plugin: oauth, config: {} }}\n",
            settings(provider, "")
        )
    };
    let config = format!(
        "tokens: {{ claims: {{ by: \"{{backend}}\" }} }}\nbackends:\n{}{}",
        backend("first", &first),
        backend("second", &second)
    );
    let server = Server::start(&folder, &config);
    let one = claims(&server, &first.token("bob"));
    let other = claims(&server, &second.token("bob"));
    assert_eq!(
        (&one["by"], &other["by"]),
        (&json!("first"), &json!("second"))
    );
    assert_ne!(one["sub"], other["sub"], "two people of one name");
}
