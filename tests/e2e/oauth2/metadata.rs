//! The metadata of a server that gives tokens for tokens.

use countersign_tests::{Folder, Server, artifacts, get, token};
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
        let methods = json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none"
        ]);
        assert_eq!(document["token_endpoint_auth_methods_supported"], methods);
        assert_eq!(
            document["revocation_endpoint_auth_methods_supported"],
            methods
        );
        for (name, path) in [("introspection", "introspect"), ("revocation", "revoke")] {
            let url = format!("https://proxy.example/cs/oauth2/{path}");
            assert_eq!(document[format!("{name}_endpoint")], url);
        }
        let algorithms = json!([
            "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"
        ]);
        assert_eq!(document["dpop_signing_alg_values_supported"], algorithms);
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
    let of_programs = json!([
        EXCHANGE,
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    ]);
    assert_eq!(document["grant_types_supported"], of_programs);
    assert_eq!(document["device_authorization_endpoint"], json!(null));
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
    for grant in [
        EXCHANGE,
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        assert!(grants.contains(&json!(grant)), "{document}");
    }
    let url = format!("http://{}/oauth2/device_authorization", server.address);
    assert_eq!(document["device_authorization_endpoint"], url);
}

#[test]
fn s15_refresh_is_named_only_where_there_are_refresh_tokens() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "tokens: { refresh: { lifetime: 0s } }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let document = get(server.address, "/.well-known/oauth-authorization-server").json();
    let grants = document["grant_types_supported"].as_array().unwrap();
    assert!(!grants.contains(&json!("refresh_token")), "{document}");
}
