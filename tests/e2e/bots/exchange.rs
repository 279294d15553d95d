//! Opaque tokens at `/oauth2/token`.

use countersign_tests::{Answer, Folder, Server, token};
use serde_json::json;

use super::{CONFIG, add_user, basic, call, described, done, exchange};
use crate::oauth2::bots::{self, Beside, ask, error, in_users, said};

#[test]
fn opaque_token_is_exchanged_for_a_signed_one_of_its_audience_until_it_is_revoked() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci", "--role", "Op"]);
    let arguments = [
        "token",
        "ci",
        "--expiry",
        "7",
        "--form",
        "opaque",
        "--audience",
        "lake",
    ];
    let secret = done(&folder, &arguments);
    let answer = exchange(&server, &secret, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    let signed = answer.json()["access_token"].as_str().unwrap().to_owned();
    let claims = token::claims(&signed);
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("bot:ci"), &json!("lake"))
    );
    assert_eq!(claims["client_id"], "ci");
    assert_eq!(answer.json()["expires_in"], 600);
    assert_eq!(exchange(&server, &secret, "&audience=lake").status, 200);
    assert_eq!(
        exchange(&server, &secret, "&expires_in=5").json()["expires_in"],
        5
    );
    for (more, error) in [
        ("&audience=openmetadata", "invalid_target"),
        ("&audience=countersign", "invalid_target"),
        ("&audience=pond", "invalid_target"),
        ("&scope=x", "invalid_scope"),
    ] {
        let refused = exchange(&server, &secret, more);
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (400, &json!(error))
        );
    }
    let damaged = format!("{}x", &secret[..secret.len() - 1]);
    let unknown = "cst_bot_000000000000000000000000000000000000";
    for wrong in [damaged.as_str(), unknown, "cst_bot_"] {
        let refused = exchange(&server, wrong, "");
        assert_eq!(refused.json()["error"], "invalid_request", "{refused:?}");
    }
    done(&folder, &["revoke", "ci"]);
    let refused = exchange(&server, &secret, "");
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (400, &json!("invalid_request"))
    );
    let (_, log) = server.stop();
    assert!(!log.contains(&secret) && !log.contains(&damaged), "{log}");
    assert!(log.contains("the token was revoked"), "{log}");
}

#[test]
fn b06_use_of_a_token_is_remembered() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci"]);
    let secret = done(
        &folder,
        &["token", "ci", "--expiry", "7", "--form", "opaque"],
    );
    assert_eq!(described(&folder, "ci")["last_used_at"], json!(null));
    assert_eq!(exchange(&server, &secret, "").status, 200);
    server.stop();
    let bot = described(&folder, "ci");
    assert!(bot["last_used_at"].as_u64().is_some(), "{bot}");
}

#[test]
fn signed_token_does_not_outlive_the_opaque_one() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci"]);
    let arguments = ["token", "ci", "--expiry", "OneHour", "--form", "opaque"];
    let secret = done(&folder, &arguments);
    let answer = exchange(&server, &secret, "");
    let seconds = answer.json()["expires_in"].as_u64().unwrap();
    assert!((3_500..=3_600).contains(&seconds), "{seconds}");
    assert_eq!(described(&folder, "ci")["tokens"][0]["expiry"], "OneHour");
}

#[test]
fn guesses_at_opaque_tokens_are_throttled() {
    let folder = Folder::new();
    let config = format!("{CONFIG}server: {{ throttle: {{ address: 5 }} }}\n");
    let server = Server::start(&folder, &config);
    let wrong = "cst_bot_000000000000000000000000000000000000";
    let answers: Vec<u16> = (0..8)
        .map(|_| exchange(&server, wrong, "").status)
        .collect();
    assert_eq!(answers[..3], [400; 3]);
    assert_eq!(answers[7], 429, "{answers:?}");
}

#[test]
fn personal_token_is_exchanged_as_long_as_users_may_have_any() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    let ada = basic("ada", "s3cret");
    let body = r#"{"tokenName":"laptop","JWTTokenExpiry":"30","form":"opaque"}"#;
    let made = call(&server, "PUT", "/api/v1/users/security/token", &ada, body);
    assert_eq!(made.status, 200, "{made:?}");
    let secret = made.json()["jwtToken"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("cst_user_"), "{secret}");
    let answer = exchange(&server, &secret, "");
    let claims = token::claims(answer.json()["access_token"].as_str().unwrap());
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("ada"), &json!("openmetadata"))
    );
    server.stop();
    let closed = CONFIG.replace("personal_tokens: true", "personal_tokens: false");
    let server = Server::start(&folder, &closed);
    assert_eq!(exchange(&server, &secret, "").status, 400);
}

/// What a bot is given: `shown` in `Authorization`, or further parameters.
fn given(server: &Server, shown: &str, more: &[(&str, &str)]) -> String {
    let answer = ask(server, "/oauth2/token", shown, more);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn s09_what_was_given_for_a_credential_ends_with_it() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let make = |name: &str| {
        let secret = ["token", name, "--expiry", "7", "--form", "opaque"];
        done(&folder, &["create", name]);
        done(&folder, &secret)
    };
    let (watch, ci) = (make("watch"), make("ci"));
    let watcher = bots::basic("watch", &watch);
    let is_active = |token: &str| {
        let form = [("token", token)];
        ask(&server, "/oauth2/introspect", &watcher, &form).json()["active"] == true
    };
    let grant = ("grant_type", "client_credentials");
    let exchanged = exchange(&server, &ci, "").json();
    let exchanged = exchanged["access_token"].as_str().unwrap();
    let asked = given(&server, &bots::basic("ci", &ci), &[grant]);
    // Whoever revokes a secret that has leaked means what the thief has made of it, too.
    assert!(is_active(exchanged) && is_active(&asked));
    done(&folder, &["revoke", "ci"]);
    assert!(!is_active(exchanged) && !is_active(&asked));

    let beside = Beside::of(&server);
    let key = beside.key(&beside.bot("keyed"));
    let issuer = format!("http://{}", server.address);
    let assertion = key.sign("JWT", &said("keyed", &issuer, "1"));
    let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let form = [("grant_type", kind), ("assertion", &assertion)];
    let keyed = given(&server, "", &form);
    assert!(is_active(&keyed));
    done(&folder, &["delete", "keyed"]);
    assert!(!is_active(&keyed));
}

#[test]
fn personal_token_of_a_user_who_may_not_come_in_any_more_is_good_for_nothing() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    let ada = basic("ada", "s3cret");
    let body = r#"{"tokenName":"laptop","JWTTokenExpiry":"30","form":"opaque"}"#;
    let made = call(&server, "PUT", "/api/v1/users/security/token", &ada, body);
    let secret = made.json()["jwtToken"].as_str().unwrap().to_owned();
    let roles = |answer: &Answer| {
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        token::claims(&token)["roles"].clone()
    };
    assert_eq!(roles(&exchange(&server, &secret, "")), json!(["Op"]));
    in_users(
        &server,
        "UPDATE ab_user_role SET role_id = (SELECT id FROM ab_role WHERE name = 'Viewer') WHERE user_id = (SELECT id FROM ab_user WHERE username = 'ada')",
    );
    assert_eq!(roles(&exchange(&server, &secret, "")), json!(["Viewer"]));
    in_users(
        &server,
        "UPDATE ab_user SET active = 0 WHERE username = 'ada'",
    );
    let refused = exchange(&server, &secret, "");
    assert_eq!(error(&refused), (400, "invalid_request".into()));
    let (_, log) = server.stop();
    assert!(log.contains("its user is let in no more"), "{log}");
}
