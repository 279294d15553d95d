//! The metadata of a server that gives tokens for tokens.

use countersign_tests::{Folder, get, token};
use serde_json::json;

use super::{EXCHANGE, exchange, server};
use crate::cli_login::terminal::login;
use crate::template;

#[test]
fn s15_documents_name_the_endpoint_and_the_grant_that_are_enabled() {
    let folder = Folder::new();
    let server = server(
        &folder,
        "server: { public_url: \"https://proxy.example/cs/\" }",
    );
    let answer = exchange(&server, "ada", &[("audience", "lake")]);
    let claims = token::claims(answer.json()["access_token"].as_str().unwrap());
    for path in ["openid-configuration", "oauth-authorization-server"] {
        let document = get(server.address, &format!("/.well-known/{path}")).json();
        assert_eq!(document["issuer"], claims["iss"]);
        assert_eq!(
            document["token_endpoint"],
            "https://proxy.example/cs/oauth2/token"
        );
        assert_eq!(
            document["token_endpoint_auth_methods_supported"],
            json!(["none"])
        );
        let grants = document["grant_types_supported"].as_array().unwrap();
        assert!(grants.contains(&json!(EXCHANGE)), "{document}");
        let named = document["claims_supported"].as_array().unwrap();
        assert!(named.contains(&json!("client_id")), "{document}");
    }
}

#[test]
fn s15_codes_are_not_named_where_nobody_signs_in_with_a_browser() {
    let folder = Folder::new();
    // Its backend takes bearer tokens alone.
    let server = server(&folder, "");
    let document = get(server.address, "/.well-known/oauth-authorization-server").json();
    assert_eq!(document["grant_types_supported"], json!([EXCHANGE]));
    assert_eq!(document["response_types_supported"], json!([]));
    assert_eq!(document["authorization_endpoint"], json!(null));
    // And the terminal does not wait for what cannot come.
    let done = login(&folder, &server, &["--no-browser"], "");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{done:?}");
    assert!(done.stderr.contains("--username"), "{done:?}");
}

#[test]
fn s15_exchange_is_named_wherever_tokens_of_our_own_are_known() {
    let folder = Folder::new();
    // No backend takes tokens; bots' and users' own are exchanged nonetheless.
    let server = template(&folder);
    let document = get(server.address, "/.well-known/oauth-authorization-server").json();
    let grants = document["grant_types_supported"].as_array().unwrap();
    assert!(grants.contains(&json!(EXCHANGE)), "{document}");
    assert!(document["token_endpoint"].is_string(), "{document}");
}
