//! The API in OpenMetadata's shapes.

use countersign_tests::{Answer, Folder, Server, get, send, token};
use serde_json::{Value, json};

use super::{CONFIG, add_user, admin, basic, call, done};

/// Makes a bot as OpenMetadata's page does: its user with a token, then the bot.
fn make(server: &Server, who: &str, name: &str, expiry: &str) -> (String, String) {
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
fn personal_tokens_are_made_listed_and_revoked_by_their_owner_and_by_who_manages() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    add_user(&folder, "ada", "Op");
    add_user(&folder, "eve", "Op");
    let (ada, eve, who) = (
        basic("ada", "s3cret"),
        basic("eve", "s3cret"),
        admin(&server),
    );
    let path = "/api/v1/users/security/token";
    let make = |name: &str| {
        let body = json!({ "tokenName": name, "JWTTokenExpiry": "30" }).to_string();
        let made = call(&server, "PUT", path, &ada, &body);
        assert_eq!(made.status, 200, "{made:?}");
        made.json()
    };
    let (one, _two, _three) = (make("one"), make("two"), make("three"));
    let claims = token::claims(one["jwtToken"].as_str().unwrap());
    assert_eq!(claims["sub"], "ada");
    let total = |who: &str, more: &str| {
        let list = call(&server, "GET", &format!("{path}{more}"), who, "").json();
        assert!(!list.to_string().contains("eyJ"), "{list}");
        list["paging"]["total"].as_u64()
    };
    assert_eq!((total(&ada, ""), total(&eve, "")), (Some(3), Some(0)));
    assert_eq!(total(&who, "?username=ada"), Some(3));
    assert_eq!(
        call(&server, "GET", &format!("{path}?username=ada"), &eve, "").status,
        403
    );
    let revoke = |who: &str, more: &str| {
        let body = json!({ "tokenIds": [one["token"]] }).to_string();
        call(&server, "PUT", &format!("{path}/revoke{more}"), who, &body)
    };
    assert_eq!(revoke(&eve, "").json()["paging"]["total"], 0);
    assert_eq!(total(&ada, ""), Some(3));
    assert_eq!(revoke(&ada, "").json()["paging"]["total"], 2);
    let bearer = format!("Bearer {}", one["jwtToken"].as_str().unwrap());
    assert_eq!(
        call(&server, "GET", "/api/v1/users/loggedInUser", &bearer, "").status,
        401
    );
    assert_eq!(
        revoke(&who, "?removeAll=true&username=ada").json()["paging"]["total"],
        0
    );
    let unlimited = r#"{"tokenName":"x","JWTTokenExpiry":"Unlimited"}"#;
    assert_eq!(call(&server, "PUT", path, &ada, unlimited).status, 403);
}

#[test]
fn wrong_bodies_are_told_in_openmetadatas_shape_and_say_nothing_of_what_they_held() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    for (body, status) in [
        ("", 422),
        ("[]", 422),
        ("{", 422),
        ("{}", 400),
        (r#"{"name":"x"}"#, 400),
        (r#"{"name":"x","isBot":true,"roles":{"s3cret":1}}"#, 400),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"SSO"}}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"JWT"}}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"authenticationMechanism":{"authType":"JWT","config":{"JWTTokenExpiry":"s3cret"}}}"#,
            400,
        ),
        (r#"{"name":"a b","isBot":true}"#, 400),
        (r#"{"name":"countersign-cli","isBot":true}"#, 400),
        (r#"{"name":"x","isBot":true,"roles":["Viewer,Admin"]}"#, 400),
        (
            r#"{"name":"x","isBot":true,"roles":["6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11"]}"#,
            400,
        ),
        (
            r#"{"name":"x","isBot":true,"roles":[{"id":"6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11","type":"role"}]}"#,
            400,
        ),
    ] {
        let answer = call(&server, "POST", "/api/v1/users", &who, body);
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.json()["message"].is_string(), "{answer:?}");
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
    let form = [
        ("authorization", who.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    assert_eq!(
        send(server.address, "POST", "/api/v1/bots", &form, b"name=x").status,
        415
    );
    assert_eq!(
        send(server.address, "PATCH", "/api/v1/bots", &form, b"").status,
        405
    );
    assert_eq!(done(&folder, &["list", "--json"]), "[]");
}

#[test]
fn version_is_open_and_status_tells_which_bots_have_no_good_token() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let version = get(server.address, "/api/v1/system/version").json();
    assert!(
        version["version"].as_str().unwrap().starts_with("2.0."),
        "{version}"
    );
    let who = admin(&server);
    let (id, _) = make(&server, &who, "good", "7");
    make(&server, &who, "bad", "7");
    let bad = call(&server, "GET", "/api/v1/bots/name/bad", &who, "").json()["id"].clone();
    call(
        &server,
        "PUT",
        "/api/v1/users/revokeToken",
        &who,
        &json!({ "id": bad }).to_string(),
    );
    let status = call(&server, "GET", "/api/v1/system/status", &who, "").json();
    assert_eq!(status["jwks"]["passed"], false, "{status}");
    assert_eq!(status["bots"]["good"]["passed"], true, "{status}");
    assert_eq!(
        status["bots"]["bad"]["message"], "the token was revoked",
        "{status}"
    );
    assert!(!id.is_empty());
}

#[test]
fn status_looks_at_every_bot_however_many() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let made = super::sql(
        &server,
        "store.db",
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1100) \
         INSERT INTO bots SELECT 'id-' || n, 'b' || n, 'b' || n, '', '', 'b' || n, '', '[]', '', 1, 'x', 1, 'x' FROM n",
    );
    assert_eq!(made, 1_100);
    let status = call(&server, "GET", "/api/v1/system/status", &admin(&server), "");
    let told = status.json();
    assert_eq!(told["bots"].as_object().unwrap().len(), 1_100);
    assert_eq!(told["jwks"]["passed"], false);
}

/// Sends a JSON Patch (RFC 6902).
fn patch(server: &Server, path: &str, who: &str, patch: &Value) -> Answer {
    let headers = [
        ("authorization", who),
        ("content-type", "application/json-patch+json"),
    ];
    let body = patch.to_string();
    send(server.address, "PATCH", path, &headers, body.as_bytes())
}

#[test]
fn bot_and_its_user_are_patched_as_openmetadatas_clients_do() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let (id, token) = make(&server, &who, "etl", "7");
    // What a client has read, and how it differs from what it wants.
    let texts = json!([
        { "op": "test", "path": "/id", "value": id },
        { "op": "add", "path": "/displayName", "value": "Nightly" },
        { "op": "add", "path": "/description", "value": "Loads\nall" },
    ]);
    let bot = patch(&server, &format!("/api/v1/bots/{id}"), &who, &texts);
    assert_eq!(bot.status, 200, "{bot:?}");
    let (bot, shown) = (bot.json(), || {
        call(&server, "GET", "/api/v1/bots/name/etl", &who, "").json()
    });
    assert_eq!(bot, shown());
    assert_eq!(
        (&bot["displayName"], &bot["description"], &bot["updatedBy"]),
        (&json!("Nightly"), &json!("Loads\nall"), &json!("admin"))
    );
    let removed = json!([{ "op": "remove", "path": "/displayName" }]);
    let bot = patch(&server, "/api/v1/bots/name/etl", &who, &removed).json();
    assert_eq!(
        (&bot["displayName"], &bot["description"]),
        (&json!(null), &json!("Loads\nall"))
    );

    let user =
        |operations: Value| patch(&server, &format!("/api/v1/users/{id}"), &who, &operations);
    let names = |answer: &Answer| -> Vec<String> {
        assert_eq!(answer.status, 200, "{answer:?}");
        let roles = answer.json()["roles"].as_array().unwrap().clone();
        let name = |role: Value| role["name"].as_str().unwrap().to_owned();
        roles.into_iter().map(name).collect()
    };
    let more = user(json!([
        { "op": "add", "path": "/roles/1", "value": { "name": "Viewer", "type": "role" } },
        { "op": "add", "path": "/roles/-", "value": "Public" },
    ]));
    assert_eq!(names(&more), ["Op", "Viewer", "Public"]);
    // A role that was shown may come back by its id alone.
    let kept = json!({ "id": more.json()["roles"][1]["id"], "type": "role" });
    let fewer = user(json!([{ "op": "replace", "path": "/roles", "value": [kept] }]));
    assert_eq!(names(&fewer), ["Viewer"]);
    let none = user(json!([{ "op": "remove", "path": "/roles/0" }]));
    assert!(names(&none).is_empty());
    assert_eq!(none.json()["email"], "etl@example.org");
    let moved = user(json!([{ "op": "replace", "path": "/email", "value": "etl@example.net" }]));
    assert_eq!(moved.json()["email"], "etl@example.net");
    let me = format!("Bearer {token}");
    let me = call(&server, "GET", "/api/v1/users/loggedInUser", &me, "");
    assert_eq!(me.status, 200, "its tokens stay: {me:?}");
    // What changes nothing is no change.
    let before = shown();
    assert_eq!(user(json!([])).status, 200);
    assert_eq!(shown(), before);
    assert_eq!(server.stop().1.matches("bot changed").count(), 6);
}

#[test]
fn patch_that_is_none_does_not_fit_or_reaches_too_far_changes_nothing() {
    let folder = Folder::new();
    let server = Server::start(&folder, CONFIG);
    let who = admin(&server);
    let (id, _) = make(&server, &who, "etl", "7");
    let (bot, user) = (
        format!("/api/v1/bots/{id}"),
        "/api/v1/users/name/etl".to_owned(),
    );
    let shown = || call(&server, "GET", &user, &who, "").json();
    let before = shown();
    let good = json!({ "op": "add", "path": "/description", "value": "new" });
    let replace =
        |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    for (path, operation, status, text) in [
        (
            &bot,
            replace("/name", json!("x")),
            400,
            "name cannot be changed here: displayName, description can",
        ),
        (
            &bot,
            replace("/botUser/id", json!("x")),
            400,
            "botUser cannot",
        ),
        (
            &bot,
            replace("/provider", json!("system")),
            400,
            "provider cannot",
        ),
        (
            &bot,
            replace("/deleted", json!(true)),
            400,
            "deleted cannot",
        ),
        (
            &bot,
            json!({ "op": "add", "path": "/roles", "value": ["Op"] }),
            400,
            "roles cannot",
        ),
        (&bot, replace("", json!("x")), 400, "leaves no object"),
        (
            &bot,
            replace("/displayName", json!("x")),
            409,
            "operation 1, path /displayName",
        ),
        (
            &bot,
            json!({ "op": "test", "path": "/name", "value": "y" }),
            409,
            "operation 1, path /name: the value there is another",
        ),
        (
            &bot,
            replace("/description", json!(7)),
            400,
            "description is a text",
        ),
        (
            &bot,
            replace("/description", json!("x".repeat(4_097))),
            400,
            "at most 4096 characters",
        ),
        (
            &bot,
            replace("/description", json!("a\0b")),
            400,
            "none of them NUL",
        ),
        (
            &user,
            replace("/isAdmin", json!(true)),
            400,
            "isAdmin cannot",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/authenticationMechanism", "value": {} }),
            400,
            "authenticationMechanism cannot",
        ),
        (
            &user,
            replace("/roles/0/name", json!("Admin")),
            400,
            "role 0 has no name, or the id of another",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/roles/0", "value": { "id": "6a5bbd5f-3b2b-4a5e-8a5d-2f4c5d8f0a11", "type": "role" } }),
            400,
            "Roles are named here",
        ),
        (
            &user,
            json!({ "op": "add", "path": "/roles/-", "value": "Op,Admin" }),
            400,
            "comma",
        ),
        (
            &"/api/v1/bots/name/none".to_owned(),
            good.clone(),
            404,
            "bot instance for none not found",
        ),
    ] {
        // With what alone would do: all or nothing.
        let answer = patch(&server, path, &who, &json!([good, operation]));
        assert_eq!(answer.status, status, "{operation} {answer:?}");
        let told = answer.json();
        assert_eq!(told["code"], status);
        let told = told["message"].as_str().unwrap();
        assert!(told.contains(text), "{operation}: {told}");
    }
    for nonsense in [
        "",
        "{}",
        "[7]",
        r#"[{"op":"s3cret"}]"#,
        r#"[{"op":"add","path":"/description"}]"#,
        r#"[{"op":"add","path":"s3cret","value":"x"}]"#,
    ] {
        let kind = ("content-type", "application/json-patch+json; charset=utf-8");
        let headers = [("authorization", who.as_str()), kind];
        let answer = send(server.address, "PATCH", &bot, &headers, nonsense.as_bytes());
        assert_eq!(answer.status, 400, "{nonsense} {answer:?}");
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
    let plain = call(&server, "PATCH", &bot, &who, "[]");
    assert_eq!(
        (plain.status, plain.header("accept-patch")),
        (415, Some("application/json-patch+json"))
    );
    assert_eq!(shown(), before);
}

#[test]
fn b04_roles_that_manage_are_patched_in_by_those_who_have_them() {
    let folder = Folder::new();
    let config = format!("{CONFIG}admin: {{ roles: [Admin, Op] }}\n");
    let server = Server::start(&folder, &config);
    add_user(&folder, "ada", "Op");
    done(&folder, &["create", "etl"]);
    let path = "/api/v1/users/name/etl";
    let give = |who: &str, role: &str| {
        let add = json!([{ "op": "add", "path": "/roles/-", "value": role }]);
        patch(&server, path, who, &add)
    };
    let ada = basic("ada", "s3cret");
    for (who, role, status) in [
        (&ada, "Admin", 403),
        (&admin(&server), "Op", 403),
        (&ada, "Op", 200),
        (&ada, "Viewer", 200),
        (&admin(&server), "Admin", 200),
    ] {
        let answer = give(who, role);
        assert_eq!(answer.status, status, "{role} {answer:?}");
    }
    let refused = give(&ada, "Admin").json();
    assert_eq!(refused["roles"][2]["name"], "Admin", "it has it: {refused}");
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
