//! `countersign bots …`, with a running server and without one.

use countersign_tests::{Folder, Server, get, send, token};
use serde_json::json;

use super::{CONFIG, admin, bots, described, done};

#[test]
fn bot_made_and_given_a_token_without_a_server_is_known_to_the_next_one() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    let made = done(
        &folder,
        &["create", "ci", "--role", "Op", "--role", "Viewer"],
    );
    assert!(made.starts_with("created ci (id "), "{made}");
    let arguments = ["token", "ci", "--expiry", "7", "--audience", "openmetadata"];
    let first = done(&folder, &arguments);
    let claims = token::claims(&first);
    assert_eq!(
        (&claims["sub"], &claims["roles"]),
        (&json!("ci"), &json!(["Op", "Viewer"]))
    );

    let server = Server::start(&folder, CONFIG);
    let second = done(&folder, &["token", "ci", "--expiry", "OneHour"]);
    assert_eq!(token::claims(&second)["sub"], "bot:ci");
    assert_eq!(token::header(&second)["kid"], token::header(&first)["kid"]);
    let bot = described(&folder, "ci");
    let kinds: Vec<_> = bot["tokens"].as_array().unwrap().iter().collect();
    assert_eq!(kinds.len(), 2, "{bot}");
    assert!(kinds.iter().all(|it| it["state"] == "live"), "{bot}");
    let (_, log) = server.stop();
    assert!(
        !log.contains(&second) && log.contains("bot token issued"),
        "{log}"
    );
    // And it outlives the server.
    assert_eq!(
        described(&folder, "CI")["tokens"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn revoked_and_deleted_take_effect_in_the_running_server_at_once() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci"]);
    let make = || done(&folder, &["token", "ci", "--expiry", "30"]);
    let (one, two, three) = (make(), make(), make());
    let status = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        send(
            server.address,
            "GET",
            "/api/v1/users/loggedInUser",
            &headers,
            b"",
        )
        .status
    };
    assert_eq!([&one, &two, &three].map(|it| status(it)), [200; 3]);
    let id = token::claims(&one)["jti"].as_str().unwrap().to_owned();
    let told = done(&folder, &["revoke", "ci", "--token", &id]);
    assert_eq!(told, "revoked 1 token of ci");
    assert_eq!([&one, &two, &three].map(|it| status(it)), [401, 200, 200]);
    assert_eq!(done(&folder, &["revoke", "ci"]), "revoked 2 tokens of ci");
    assert_eq!([&one, &two, &three].map(|it| status(it)), [401; 3]);
    let four = make();
    assert_eq!(status(&four), 200);
    assert_eq!(done(&folder, &["delete", "ci"]), "deleted ci");
    assert_eq!(status(&four), 401);
    assert_eq!(done(&folder, &["list", "--json"]), "[]");
}

#[test]
fn overlap_ends_by_itself() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci"]);
    let first = done(&folder, &["token", "ci", "--expiry", "30"]);
    done(
        &folder,
        &["token", "ci", "--expiry", "30", "--overlap", "1s"],
    );
    let bearer = format!("Bearer {first}");
    let headers = [("authorization", bearer.as_str())];
    let refused = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let answer = send(
            server.address,
            "GET",
            "/api/v1/users/loggedInUser",
            &headers,
            b"",
        );
        answer.status == 401
    });
    assert!(refused, "{}", described(&folder, "ci"));
}

#[test]
fn b01_unlimited_needs_to_be_allowed_and_has_no_exp() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    done(&folder, &["create", "ci"]);
    let refused = bots(&folder, &["token", "ci", "--expiry", "Unlimited"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.contains("--allow-unlimited"), "{refused:?}");
    let arguments = ["token", "ci", "--expiry", "Unlimited", "--allow-unlimited"];
    let claims = token::claims(&done(&folder, &arguments));
    assert_eq!(claims.get("exp"), None);
}

#[test]
fn b06_list_shows_what_an_operator_asks_and_no_secret() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    let arguments = [
        "create",
        "ci",
        "--role",
        "Op",
        "--description",
        "builds\u{1b}[31m",
    ];
    done(&folder, &arguments);
    done(&folder, &["create", "idle"]);
    let arguments = [
        "token", "ci", "--expiry", "1", "--form", "opaque", "--label", "runner",
    ];
    let secret = done(&folder, &arguments);
    assert!(secret.starts_with("cst_bot_"), "{secret}");
    for arguments in [&["list"][..], &["list", "--json"], &["describe", "ci"]] {
        let told = done(&folder, arguments);
        assert!(
            !told.contains(&secret) && !told.contains('\u{1b}'),
            "{told}"
        );
    }
    let list = done(&folder, &["list"]);
    let line = list.lines().find(|line| line.starts_with("ci ")).unwrap();
    assert!(line.contains("Op") && line.contains(" soon"), "{list}");
    assert!(list.contains("idle"), "{list}");
    assert!(done(&folder, &["describe", "ci"]).contains("runner"));
    let expiring = done(&folder, &["list", "--expiring", "2d"]);
    assert!(
        expiring.contains("ci") && !expiring.contains("idle"),
        "{expiring}"
    );
    assert_eq!(done(&folder, &["list", "--expiring", "1h", "--json"]), "[]");
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    done(&folder, &["create", "ci"]);
    for (arguments, code, text) in [
        (&["create", "CI"][..], 1, "there is a bot \"CI\" already"),
        (&["create", "a b"], 1, "is no name for a bot"),
        (
            &["create", "Countersign-CLI"],
            1,
            "own name among OAuth clients",
        ),
        (&["create", "countersign"], 1, "choose another name"),
        (&["token", "x", "--expiry", "7"], 1, "there is no bot \"x\""),
        (
            &["token", "ci", "--expiry", "8"],
            64,
            "one of OneHour 1 7 30 60 90 Unlimited",
        ),
        (
            &["token", "ci", "--expiry", "7", "--audience", "sea"],
            1,
            "no audience \"sea\"",
        ),
        (
            &["token", "ci", "--expiry", "7", "--audience", "countersign"],
            1,
            "do not manage",
        ),
        (
            &["revoke", "ci", "--token", "x"],
            1,
            "there is no token \"x\"",
        ),
        (&["delete", "x"], 1, "there is no bot \"x\""),
        (&["list", "--expiring", "soon"], 64, "a duration"),
    ] {
        let done = bots(&folder, arguments);
        assert_eq!((done.code, done.stdout.as_str()), (code, ""), "{done:?}");
        assert!(done.stderr.contains(text), "{done:?}");
    }
}

#[test]
fn b06_use_is_told_at_once_by_the_server_that_saw_it() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    done(&folder, &["create", "ci"]);
    let token = done(&folder, &["token", "ci", "--expiry", "7"]);
    done(&folder, &["token", "ci", "--expiry", "30"]);
    assert_eq!(described(&folder, "ci")["last_used_at"], json!(null));
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let before = crate::oauth2::bots::now();
    let answer = send(server.address, "GET", "/auth/verify", &headers, b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    let bot = described(&folder, "ci");
    let used = bot["last_used_at"].as_u64().unwrap();
    assert!(used >= before, "{bot}");
    let tokens = bot["tokens"].as_array().unwrap().iter();
    let used: Vec<_> = tokens
        .filter(|it| it["last_used_at"].is_u64())
        .map(|it| it["id"].as_str())
        .collect();
    let jti = token::claims(&token)["jti"].clone();
    assert_eq!(used, [jti.as_str()], "{bot}");
}

#[test]
fn b06_tokens_that_are_soon_over_are_measured_until_they_have_a_successor() {
    let folder = Folder::new();
    folder.write("config.yaml", CONFIG);
    done(&folder, &["create", "ci"]);
    done(&folder, &["token", "ci", "--expiry", "1"]);
    let server = Server::start(&folder, CONFIG);
    let found = (0..600).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let page = get(server.admin, "/metrics").body;
        page.contains("countersign_bot_tokens_expiring{within=\"7d\"} 1")
            && page.contains("countersign_bot_tokens 1")
    });
    assert!(found, "{}", get(server.admin, "/metrics").body);
    let _ = admin(&server);
}
