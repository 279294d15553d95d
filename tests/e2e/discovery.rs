//! The metadata documents: what a consumer finds that knows the issuer's name alone.

use countersign_tests::{Folder, Server, artifacts, get, send, token};
use serde_json::json;

use crate::{TEMPLATE, template};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

fn with(folder: &Folder, tokens: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, &format!("{TEMPLATE}{tokens}\n"))
}

#[test]
fn s15_documents_say_what_is_enabled_and_the_issuer_of_tokens() {
    let folder = Folder::new();
    let server = template(&folder);
    let claims = token::claims(&server.token("ada", "door"));
    for path in [OPENID, OAUTH] {
        let answer = get(server.address, path);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.header("cache-control").unwrap().contains("max-age"));
        let issuer = format!("http://{}", server.address);
        let bots = json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt"
        ]);
        let all = json!([
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none"
        ]);
        let algorithms = json!([
            "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"
        ]);
        assert_eq!(
            answer.json(),
            json!({
                "issuer": issuer,
                "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
                "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
                "device_authorization_endpoint": format!("{issuer}/oauth2/device_authorization"),
                "token_endpoint": format!("{issuer}/oauth2/token"),
                "token_endpoint_auth_methods_supported": all,
                "token_endpoint_auth_signing_alg_values_supported": algorithms,
                "dpop_signing_alg_values_supported": algorithms,
                "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
                "revocation_endpoint_auth_methods_supported": all,
                "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
                "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
                "introspection_endpoint_auth_methods_supported": bots,
                "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": [
                    "authorization_code",
                    "refresh_token",
                    "urn:ietf:params:oauth:grant-type:device_code",
                    "urn:ietf:params:oauth:grant-type:token-exchange",
                    "client_credentials",
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": true,
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "claims_supported": ["sub", "jti", "iss", "aud", "nbf", "exp", "iat"],
            })
        );
        assert_eq!(answer.json()["issuer"], claims["iss"]);
        assert_eq!(send(server.address, "HEAD", path, &[], b"").body, "");
        let posted = send(server.address, "POST", path, &[], b"");
        assert_eq!(
            (posted.status, posted.header("allow")),
            (405, Some("GET, HEAD"))
        );
    }
}

#[test]
fn documents_follow_algorithm_public_url_and_claims() {
    let folder = Folder::new();
    let server = with(
        &folder,
        "server: { public_url: \"https://proxy.example/cs/\" }\nkeys: { algorithm: ES256 }\ntokens: { issuer: \"https://id.example\", claims: { email: \"{email}\", sub: \"{username}\" } }",
    );
    let document = get(server.address, OPENID).json();
    assert_eq!(document["issuer"], "https://id.example");
    assert_eq!(
        document["jwks_uri"],
        "https://proxy.example/cs/.well-known/jwks.json"
    );
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        json!(["ES256"])
    );
    assert_eq!(
        document["claims_supported"],
        json!(["sub", "jti", "iss", "aud", "nbf", "exp", "iat", "email"])
    );
}

#[test]
fn algorithms_of_all_audiences_are_named_and_their_keys_published_and_listed() {
    let folder = Folder::new();
    let server = with(
        &folder,
        "tokens: { audiences: { shop: { aud: shop, algorithm: ES256 }, lab: { aud: lab, algorithm: EdDSA }, same: { aud: same, algorithm: RS256 } } }",
    );
    let document = get(server.address, "/.well-known/openid-configuration").json();
    let named = document["id_token_signing_alg_values_supported"].clone();
    let mut named: Vec<String> = serde_json::from_value(named).unwrap();
    assert_eq!(named[0], "RS256", "the default audience's comes first");
    named.sort();
    assert_eq!(named, ["ES256", "EdDSA", "RS256"]);

    let answer = get(server.address, "/.well-known/jwks.json");
    let cache = answer.header("cache-control").unwrap().to_owned();
    assert_eq!(cache, "public, max-age=3600");
    let keys = answer.json();
    let keys = keys["keys"].as_array().unwrap();
    let listed = crate::run(&folder, &["keys", "list", "--json"], &[]);
    assert_eq!(listed.code, 0, "{listed:?}");
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    for algorithm in named {
        let published = keys.iter().filter(|key| key["alg"] == *algorithm);
        assert_eq!(published.count(), 2, "{algorithm}: one signs, one will");
        for state in ["active", "next"] {
            let mut all = listed.as_array().unwrap().iter();
            let found = all.find(|key| key["alg"] == *algorithm && key["state"] == state);
            let kid = &found.unwrap()["kid"];
            assert!(keys.iter().any(|key| key["kid"] == *kid), "{kid}");
        }
    }
}

#[test]
fn issuer_with_a_path_is_found_where_each_standard_says() {
    let folder = Folder::new();
    let server = with(&folder, "tokens: { issuer: \"https://id.example/t/one\" }");
    let found = [
        OPENID.to_owned(),
        OAUTH.to_owned(),
        format!("/t/one{OPENID}"),
        format!("{OAUTH}/t/one"),
        format!("{OPENID}/t/one"),
    ];
    for path in found {
        let answer = get(server.address, &path);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.json()["issuer"], "https://id.example/t/one");
        assert_eq!(send(server.address, "DELETE", &path, &[], b"").status, 405);
    }
    let missing = [
        format!("/t{OPENID}"),
        format!("/t/one{OAUTH}"),
        format!("{OAUTH}/t/one/"),
        format!("{OAUTH}/t/two"),
        format!("/t//one{OPENID}"),
        "/t/one".to_owned(),
    ];
    for path in missing {
        assert_eq!(get(server.address, &path).status, 404, "{path}");
    }
}

#[test]
fn issuer_that_is_no_url_has_no_documents() {
    let folder = Folder::new();
    let server = with(&folder, "tokens: { issuer: open-metadata.org }");
    for path in [
        OPENID,
        OAUTH,
        "/.well-known/oauth-authorization-server/open-metadata.org",
    ] {
        let answer = get(server.address, path);
        assert_eq!(
            (answer.status, answer.json()),
            (404, json!({ "detail": "Not Found" }))
        );
        assert_eq!(send(server.address, "POST", path, &[], b"").status, 404);
    }
}
