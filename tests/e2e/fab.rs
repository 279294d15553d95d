//! FAB's token API, request by request, as measured on Airflow 3.3.2. What differs
//! on purpose stands in `host/docs/differences.md`.

use countersign_tests::client::raw;
use countersign_tests::{Answer, Folder, Server, post_json, send};

use crate::template;

const JSON: (&str, &str) = ("content-type", "application/json");
const MISSING: &str = r#"{"detail":"Username and password must be provided"}"#;
const INVALID: &str = r#"{"detail":"Invalid credentials"}"#;
const NO_BODY: &str =
    r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#;
const NO_DICT: &str = r#"{"detail":[{"type":"dict_type","loc":["body"],"msg":"Input should be a valid dictionary"}]}"#;
const UNREADABLE: &str = r#"{"detail":"There was an error parsing the body"}"#;

fn json(server: &Server, body: &str) -> Answer {
    post_json(server.address, "/auth/token", body)
}

#[test]
fn good_credentials_are_201_with_one_field_and_no_charset() {
    let folder = Folder::new();
    let server = template(&folder);
    for path in ["/auth/token", "/auth/token/cli", "/auth/door/token"] {
        let answer = post_json(
            server.address,
            path,
            r#"{"username":"ada","password":"door"}"#,
        );
        assert_eq!(answer.status, 201, "{path}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "airflowctl parses nothing else"
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.body.starts_with(r#"{"access_token":""#) && answer.body.ends_with(r#""}"#));
        assert_eq!(answer.json().as_object().unwrap().len(), 1);
    }
}

#[test]
fn body_rows_of_the_matrix() {
    let folder = Folder::new();
    let server = template(&folder);
    for (body, status, expected) in [
        (r#"{"username":"ada","password":"wrong"}"#, 401, INVALID),
        (r#"{"username":"ada"}"#, 400, MISSING),
        (r#"{"password":"door"}"#, 400, MISSING),
        ("{}", 400, MISSING),
        (r#"{"username":"","password":"door"}"#, 400, MISSING),
        (r#"{"username":"ada","password":""}"#, 400, MISSING),
        (r#"{"username":null,"password":"door"}"#, 400, MISSING),
        (r#"{"username":0,"password":"door"}"#, 400, MISSING),
        (r#"{"username":false,"password":"door"}"#, 400, MISSING),
        (r#"{"username":"ada","password":0}"#, 400, MISSING),
        (r#"{"username":5,"password":"door"}"#, 401, INVALID),
        (r#"{"username":true,"password":"door"}"#, 401, INVALID),
        (r#"{"username":["ada"],"password":"door"}"#, 401, INVALID),
        // Airflow: 500.
        (r#"{"username":"ada","password":5}"#, 400, MISSING),
        (r#"{"username":"ada","password":{"a":1}}"#, 400, MISSING),
        (r#"{"username":"ada","password":"\ud800"}"#, 400, UNREADABLE),
        ("[]", 422, NO_DICT),
        (r#""text""#, 422, NO_DICT),
        ("5", 422, NO_DICT),
        ("null", 422, NO_BODY),
        ("", 422, NO_BODY),
    ] {
        let answer = json(&server, body);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (status, expected),
            "{body}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{body}"
        );
    }
}

#[test]
fn h05_repeated_keys_and_further_fields_are_201_the_last_key_wins() {
    let folder = Folder::new();
    let server = template(&folder);
    assert_eq!(
        json(
            &server,
            r#"{"username":"a","password":"no","password":"door","x":[1]}"#
        )
        .status,
        201
    );
    assert_eq!(
        json(
            &server,
            r#"{"username":"a","password":"door","password":"no"}"#
        )
        .status,
        401
    );
}

#[test]
fn broken_json_is_422_with_its_place() {
    let folder = Folder::new();
    let server = template(&folder);
    for (body, place) in [
        ("{\"username\":\"ada\",", 18),
        ("nonsense", 1),
        ("{\"a\":1}\n x", 9),
    ] {
        let answer = json(&server, body);
        let detail = &answer.json()["detail"][0];
        assert_eq!(
            (answer.status, detail["type"].as_str()),
            (422, Some("json_invalid")),
            "{body}"
        );
        assert_eq!(detail["loc"][0], "body");
        assert!(
            detail["loc"][1].as_u64().unwrap().abs_diff(place) <= 1,
            "{body}: {detail}"
        );
        assert_eq!(detail["msg"], "JSON decode error");
    }
}

#[test]
fn unreadable_bodies_are_400() {
    let folder = Folder::new();
    let server = template(&folder);
    let deep = "[".repeat(60_000);
    assert_eq!(json(&server, &deep).body, UNREADABLE);
    let answer = send(
        server.address,
        "POST",
        "/auth/token",
        &[JSON],
        b"{\"username\":\"\xff\"}",
    );
    assert_eq!((answer.status, answer.body.as_str()), (400, UNREADABLE));
}

#[test]
fn content_types_decide_what_is_json() {
    let folder = Folder::new();
    let server = template(&folder);
    let body = br#"{"username":"ada","password":"door"}"#;
    let with = |kind: &str| {
        send(
            server.address,
            "POST",
            "/auth/token",
            &[("content-type", kind)],
            body,
        )
    };
    for kind in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.api+json",
    ] {
        assert_eq!(with(kind).status, 201, "{kind}");
    }
    for kind in [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        assert_eq!(with(kind).status, 415, "{kind}");
    }
    for kind in ["text/plain", "application/xml", ""] {
        let answer = with(kind);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (422, NO_DICT),
            "{kind}"
        );
        assert!(!answer.body.contains("door"), "the body is never echoed");
    }
    assert_eq!(
        send(server.address, "POST", "/auth/token", &[], body).status,
        422
    );
}

#[test]
fn basic_credentials_and_query_are_ignored() {
    let folder = Folder::new();
    let server = template(&folder);
    let basic = ("authorization", "Basic YWRhOmRvb3I=");
    let answer = send(server.address, "POST", "/auth/token", &[JSON, basic], b"{}");
    assert_eq!((answer.status, answer.body.as_str()), (400, MISSING));
    assert_eq!(
        send(server.address, "POST", "/auth/token", &[basic], b"").body,
        NO_BODY
    );
    assert_eq!(
        post_json(server.address, "/auth/token?username=ada&password=door", "").body,
        NO_BODY
    );
}

#[test]
fn t57_token_in_the_query_is_never_read() {
    let folder = Folder::new();
    let server = template(&folder);
    let token = server.token("ada", "door");
    for name in ["access_token", "token", "bearer", "Authorization"] {
        let path = format!("/auth/token?{name}={token}");
        let answer = send(server.address, "POST", &path, &[], b"");
        assert_eq!((answer.status, answer.body.as_str()), (422, NO_BODY));
        let answer = send(server.address, "POST", &path, &[JSON], b"{}");
        assert_eq!((answer.status, answer.body.as_str()), (400, MISSING));
    }
    // In the header it is one, which no backend here takes.
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = send(server.address, "POST", "/auth/token", &headers, b"");
    assert_eq!(answer.status, 401);
    let (_, log) = server.stop();
    assert!(!log.contains(&token));
}

#[test]
fn body_over_64_kib_is_413() {
    let folder = Folder::new();
    let server = template(&folder);
    let body = |size: usize| {
        format!(
            r#"{{"username":"ada","password":"door","x":"{}"}}"#,
            "x".repeat(size)
        )
    };
    assert_eq!(json(&server, &body(60_000)).status, 201);
    assert_eq!(json(&server, &body(70_000)).status, 413);
    let chunked = format!(
        "POST /auth/token HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n11170\r\n{}\r\n0\r\n\r\n",
        "x".repeat(0x11170)
    );
    assert_eq!(raw(server.address, chunked.as_bytes()).status, 413);
}

#[test]
fn other_methods_are_405_and_other_paths_404() {
    let folder = Folder::new();
    let server = template(&folder);
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let answer = send(server.address, method, "/auth/token", &[], b"");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("POST")),
            "{method}"
        );
    }
    for path in [
        "/auth/token/",
        "/",
        "/auth",
        "//auth/token",
        "/auth/TOKEN",
        "/auth/token/..;/x",
        "/auth/%ff/token",
    ] {
        let answer = post_json(server.address, path, "{}");
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (404, r#"{"detail":"Not Found"}"#),
            "{path}"
        );
    }
}

#[test]
fn bearer_without_a_body_reaches_the_backends() {
    let folder = Folder::new();
    let server = template(&folder);
    let answer = send(
        server.address,
        "POST",
        "/auth/token",
        &[("authorization", "Bearer abc")],
        b"",
    );
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (401, INVALID),
        "no backend takes bearer tokens"
    );
}

#[test]
fn users_of_fabs_table_are_found_as_fab_finds_them() {
    let folder = Folder::new();
    let config =
        "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";
    let server = Server::start(&folder, config);
    let password = std::fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    let password = password.trim();
    for (username, status) in [
        ("admin", 201),
        ("ADMIN", 201),
        ("admin@localhost", 201),
        ("Admin@LocalHost", 401),
        (" admin", 401),
        ("admin ", 401),
        ("admin\0", 401),
        ("nobody", 401),
        ("adm%", 401),
        ("admin' OR '1'='1", 401),
    ] {
        let answer = server.login(username, password);
        assert_eq!(answer.status, status, "{username:?}");
        if status == 401 {
            assert_eq!(answer.body, INVALID);
        }
    }
    for wrong in [
        "wrong",
        "\0",
        &format!("{password}\0"),
        &format!(" {password}"),
    ] {
        assert_eq!(server.login("admin", wrong).status, 401, "{wrong:?}");
    }
    // No throttle and no lock-out by the count, as in FAB's token API.
    assert_eq!(server.login("admin", password).status, 201);
}
