//! The API in OpenMetadata's shapes.

use countersign_tests::{Folder, Server, token};
use serde_json::{Value, json};

use super::{CONFIG, add_user, admin, basic, call, done};

/// Makes a bot as OpenMetadata's page does: its user with a token, then the bot.
pub(super) fn make(server: &Server, who: &str, name: &str, expiry: &str) -> (String, String) {
    let user = json!({ "name": name, "email": format!("{name}@example.org"), "isBot": true, "botName": name, "roles": ["Op"],
        "authenticationMechanism": { "authType": "JWT", "config": { "JWTTokenExpiry": expiry } } });
    let made = call(server, "PUT", "/api/v1/users", who, &user.to_string());
    assert_eq!(made.status, 201, "{made:?}");
    let user = made.json();
    let body = json!({ "name": name, "botUser": user["fullyQualifiedName"] }).to_string();
    let bot = call(server, "PUT", "/api/v1/bots", who, &body);
    assert_eq!(
        (bot.status, &bot.json()["botUser"]["id"]),
        (200, &user["id"]),
        "{bot:?}"
    );
    let config = &user["authenticationMechanism"]["config"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&user["id"]), text(&config["JWTToken"]))
}

#[test]
fn bot_is_made_given_a_token_shown_it_once_and_deleted_as_openmetadatas_page_does() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let (id, first) = make(&server, &who, "ingestion-bot", "7");
    let claims = token::claims(&first);
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("ingestion-bot"), &json!("openmetadata"))
    );
    let seconds = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(seconds, 7 * 86_400);

    // It is never seen again.
    let path = format!("/api/v1/users/auth-mechanism/{id}");
    let mechanism = call(&server, "GET", &path, &who, "").json();
    let expires = json!(claims["exp"].as_u64().unwrap() * 1_000);
    assert_eq!(
        mechanism,
        json!({ "authType": "JWT", "config": { "JWTToken": null, "JWTTokenExpiry": "7", "JWTTokenExpiresAt": expires } })
    );
    let path = format!("/api/v1/users/token/{id}");
    assert_eq!(
        call(&server, "GET", &path, &who, "").json(),
        mechanism["config"]
    );
    // A user who is put again keeps it.
    let user = json!({ "name": "ingestion-bot", "isBot": true, "roles": ["Op"], "authenticationMechanism": { "authType": "JWT", "config": { "JWTTokenExpiry": "30" } } });
    let again = call(&server, "PUT", "/api/v1/users", &who, &user.to_string());
    assert_eq!(
        (
            again.status,
            &again.json()["authenticationMechanism"]["config"]["JWTToken"]
        ),
        (200, &json!(null))
    );

    // A new one takes its place at once.
    let path = format!("/api/v1/users/generateToken/{id}");
    let second = call(
        &server,
        "PUT",
        &path,
        &who,
        r#"{"JWTTokenExpiry":"OneHour"}"#,
    );
    let second = second.json()["JWTToken"].as_str().unwrap().to_owned();
    let me = |token: &str| {
        call(
            &server,
            "GET",
            "/api/v1/users/loggedInUser",
            &format!("Bearer {token}"),
            "",
        )
    };
    assert_eq!((me(&first).status, me(&second).status), (401, 200));
    assert_eq!(me(&second).json()["name"], "ingestion-bot");
    let third = call(
        &server,
        "PUT",
        &format!("{path}?overlap=1h"),
        &who,
        r#"{"JWTTokenExpiry":"90"}"#,
    );
    let third = third.json()["JWTToken"].as_str().unwrap().to_owned();
    assert_eq!((me(&second).status, me(&third).status), (200, 200));

    let revoked = call(
        &server,
        "PUT",
        "/api/v1/users/revokeToken",
        &who,
        &json!({ "id": id }).to_string(),
    );
    assert_eq!((revoked.status, &revoked.json()["id"]), (200, &json!(id)));
    assert_eq!((me(&second).status, me(&third).status), (401, 401));
    let path = format!("/api/v1/users/token/{id}");
    assert_eq!(call(&server, "GET", &path, &who, "").json(), json!({}));

    let gone = call(
        &server,
        "DELETE",
        &format!("/api/v1/bots/{id}?hardDelete=true"),
        &who,
        "",
    );
    assert_eq!((gone.status, &gone.json()["deleted"]), (200, &json!(true)));
    let missing = call(&server, "GET", "/api/v1/bots/name/ingestion-bot", &who, "");
    assert_eq!(missing.status, 404);
    assert_eq!(missing.json()["code"], 404);
    let (_, log) = server.stop();
    for secret in [&first, &second, &third] {
        assert!(!log.contains(secret.as_str()), "{log}");
    }
    for change in [
        "bot created",
        "bot token issued",
        "bot tokens revoked",
        "bot deleted",
    ] {
        assert!(log.contains(change), "{change}: {log}");
    }
}

#[test]
fn bots_are_listed_page_by_page() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    for name in ["a", "b", "c"] {
        let made = call(
            &server,
            "POST",
            "/api/v1/bots",
            &who,
            &json!({ "name": name }).to_string(),
        );
        assert_eq!(made.status, 201, "{made:?}");
    }
    let taken = call(&server, "POST", "/api/v1/bots", &who, r#"{"name":"A"}"#);
    assert_eq!(
        (taken.status, &taken.json()["message"]),
        (409, &json!("Entity already exists"))
    );
    let page = call(
        &server,
        "GET",
        "/api/v1/bots?limit=2&include=non-deleted",
        &who,
        "",
    )
    .json();
    let names = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().unwrap().iter();
        data.map(|bot| bot["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        (names(&page), &page["paging"]["total"]),
        (vec!["a".into(), "b".into()], &json!(3))
    );
    assert_eq!(page["paging"]["before"], json!(null));
    let turned = |page: &Value, way: &str, limit: u32| {
        let cursor = page["paging"][way].as_str().unwrap();
        let path = format!("/api/v1/bots?limit={limit}&{way}={cursor}");
        call(&server, "GET", &path, &who, "").json()
    };
    let is_end = |page: &Value, way: &str| page["paging"][way] == json!(null);
    let rest = turned(&page, "after", 2);
    assert_eq!(
        (names(&rest), is_end(&rest, "after")),
        (vec!["c".into()], true)
    );
    // And back, one by one.
    let middle = turned(&rest, "before", 1);
    assert_eq!(
        (names(&middle), &middle["paging"]["total"]),
        (vec!["b".into()], &json!(3))
    );
    let first = turned(&middle, "before", 1);
    assert_eq!(
        (names(&first), is_end(&first, "before")),
        (vec!["a".into()], true)
    );
    assert_eq!(names(&turned(&first, "after", 9)), ["b", "c"]);
    assert_eq!(names(&turned(&rest, "before", 2)), names(&page));
    for query in ["limit=x", "after=%21", "before=%21", "before=YQ&after=YQ"] {
        let path = format!("/api/v1/bots?{query}");
        let refused = call(&server, "GET", &path, &who, "");
        assert_eq!(refused.status, 400, "{query} {refused:?}");
    }
}

#[test]
fn b04_only_who_manages_may_and_a_bot_never() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    done(&folder, &["create", "boss", "--role", "Admin"]);
    let secret = done(&folder, &["token", "boss", "--expiry", "7"]);
    let opaque = done(
        &folder,
        &["token", "boss", "--expiry", "7", "--form", "opaque"],
    );
    let airflow = server.login("ada", "s3cret").json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    for (who, status) in [
        (String::new(), 401),
        ("Bearer x".into(), 401),
        (basic("ada", "wrong"), 401),
        (basic("ada", "s3cret"), 403),
        (format!("Bearer {secret}"), 401),
        (format!("Bearer {opaque}"), 401),
        (format!("Bearer {airflow}"), 401),
    ] {
        let boss = "/api/v1/bots/name/boss";
        for (method, path, body) in [
            ("GET", "/api/v1/bots", ""),
            ("POST", "/api/v1/bots", r#"{"name":"x"}"#),
            ("DELETE", boss, ""),
            ("PATCH", boss, ""),
            ("PATCH", "/api/v1/users/name/boss", ""),
            ("PUT", "/api/v1/bots/restore", r#"{"id":"x"}"#),
            ("GET", "/api/v1/system/status", ""),
            ("PUT", "/api/v1/users/revokeToken", r#"{"id":"x"}"#),
        ] {
            let answer = call(&server, method, path, &who, body);
            assert_eq!(answer.status, status, "{who} {method} {path} {answer:?}");
            assert_eq!(answer.json()["code"], status);
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    assert_eq!(
        done(&folder, &["list", "--json"])
            .matches("\"created_by\": \"command line\"")
            .count(),
        3
    );
}

#[test]
fn token_of_our_own_audience_manages_and_one_of_another_only_says_who_it_is() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let body = r#"{"tokenName":"terminal","JWTTokenExpiry":"7","form":"opaque"}"#;
    let path = "/api/v1/users/security/token";
    let made = call(
        &server,
        "PUT",
        &format!("{path}?audience=countersign"),
        &who,
        body,
    );
    assert_eq!(made.status, 200, "{made:?}");
    let secret = made.json()["jwtToken"].as_str().unwrap().to_owned();
    let signed = super::exchange(&server, &secret, "").json();
    assert!(signed["expires_in"].as_u64().unwrap() <= 3_600, "{signed}");
    let signed = signed["access_token"].as_str().unwrap();
    for token in [signed, &secret] {
        let bearer = format!("Bearer {token}");
        let answer = call(&server, "GET", "/api/v1/bots", &bearer, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        // What he makes with it is his.
        let own = call(&server, "GET", path, &bearer, "").json();
        assert_eq!(own["data"][0]["tokenName"], "terminal", "{own}");
    }
    let signed = call(
        &server,
        "PUT",
        path,
        &who,
        r#"{"tokenName":"x","JWTTokenExpiry":"7"}"#,
    );
    let bearer = format!("Bearer {}", signed.json()["jwtToken"].as_str().unwrap());
    assert_eq!(
        call(&server, "GET", "/api/v1/bots", &bearer, "").status,
        401
    );
    assert_eq!(call(&server, "GET", path, &bearer, "").status, 401);
    let me = call(&server, "GET", "/api/v1/users/loggedInUser", &bearer, "");
    assert_eq!(
        (me.status, &me.json()["name"]),
        (200, &json!("admin")),
        "{me:?}"
    );
}

#[test]
fn deleted_bot_is_gone_for_good_and_who_would_restore_it_is_told() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let restore = |id: &str| {
        let body = json!({ "id": id }).to_string();
        let answer = call(&server, "PUT", "/api/v1/bots/restore", &who, &body);
        assert_eq!(answer.status, 404, "{answer:?}");
        answer.json()["message"].as_str().unwrap().to_owned()
    };
    for query in ["", "?hardDelete=false", "?hardDelete=true"] {
        let (id, token) = make(&server, &who, "etl", "7");
        assert_eq!(
            restore(&id),
            format!("bot instance for {id} not found among deleted ones: it is not deleted")
        );
        let path = format!("/api/v1/bots/{id}");
        let unclear = call(
            &server,
            "DELETE",
            &format!("{path}?hardDelete=yes"),
            &who,
            "",
        );
        assert_eq!(unclear.status, 400, "{unclear:?}");
        let gone = call(&server, "DELETE", &format!("{path}{query}"), &who, "");
        assert_eq!((gone.status, &gone.json()["deleted"]), (200, &json!(true)));
        let me = format!("Bearer {token}");
        let me = call(&server, "GET", "/api/v1/users/loggedInUser", &me, "");
        assert_eq!(me.status, 401, "{query}");
        assert!(restore(&id).ends_with("a deleted bot is not kept here, make a new one"));
        let list = call(&server, "GET", "/api/v1/bots?include=deleted", &who, "");
        assert_eq!(list.json(), json!({ "data": [], "paging": { "total": 0 } }));
    }
}
