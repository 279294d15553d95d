//! The rows of FAB's matrix that are about bytes on the wire: framing, sizes, encodings,
//! methods and paths. The rules are documented in `host/docs/differences.md`.

use std::io::{Read, Write};
use std::net::TcpStream;

use countersign_tests::client::raw;
use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, post_json, send};

use crate::template;

const JSON: (&str, &str) = ("content-type", "application/json");
const GOOD: &str = r#"{"username":"ada","password":"door"}"#;
const LIMIT: usize = 64 * 1024;

fn bytes(server: &Server, body: &[u8]) -> Answer {
    send(server.address, "POST", "/auth/token", &[JSON], body)
}

/// A good login of exactly this many bytes.
fn padded(size: usize) -> String {
    let frame = r#"{"username":"ada","password":"door","x":""}"#.len();
    format!(
        r#"{{"username":"ada","password":"door","x":"{}"}}"#,
        "x".repeat(size - frame)
    )
}

fn chunked(body: &str, chunk: usize) -> Vec<u8> {
    let mut request = b"POST /auth/token HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for piece in body.as_bytes().chunks(chunk) {
        request.extend(format!("{:x}\r\n", piece.len()).bytes());
        request.extend_from_slice(piece);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    request
}

#[test]
fn body_of_64_kib_is_taken_and_one_byte_more_is_413() {
    let folder = Folder::new();
    let server = template(&folder);
    for (size, status) in [(LIMIT - 1, 201), (LIMIT, 201), (LIMIT + 1, 413)] {
        let body = padded(size);
        assert_eq!(body.len(), size);
        assert_eq!(bytes(&server, body.as_bytes()).status, status, "{size}");
        assert_eq!(
            raw(server.address, &chunked(&body, 1_000)).status,
            status,
            "{size}"
        );
    }
    let long = format!(
        r#"{{"username":"ada","password":"{}"}}"#,
        "x".repeat(60_000)
    );
    assert_eq!(
        bytes(&server, long.as_bytes()).status,
        401,
        "FAB: 10 MB is 401"
    );
}

#[test]
fn chunked_bodies_are_read_to_their_end() {
    let folder = Folder::new();
    let server = template(&folder);
    for chunk in [1, 7, 1_000] {
        assert_eq!(
            raw(server.address, &chunked(GOOD, chunk)).status,
            201,
            "{chunk}"
        );
    }
}

#[test]
fn expect_100_continue_is_answered_before_the_body() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut client = TcpStream::connect(server.address).unwrap();
    let head = "POST /auth/token HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\ncontent-type: application/json";
    write!(client, "{head}\r\ncontent-length: {}\r\n\r\n", GOOD.len()).unwrap();
    let mut interim = [0; 25];
    client.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(GOOD.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[test]
fn one_connection_serves_refusals_and_logins_in_turn() {
    let folder = Folder::new();
    let server = template(&folder);
    let request = |body: &str, last: &str| {
        format!(
            "POST /auth/token HTTP/1.1\r\nhost: a\r\n{last}content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let all = [
        request("{}", ""),
        request("[", ""),
        request(GOOD, "connection: close\r\n"),
    ];
    let mut client = TcpStream::connect(server.address).unwrap();
    client.write_all(all.concat().as_bytes()).unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).unwrap();
    let statuses = answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3]);
    assert_eq!(statuses.collect::<Vec<_>>(), ["400", "422", "201"]);
}

#[test]
fn h05_repeated_names_the_last_one_counts() {
    let folder = Folder::new();
    let server = template(&folder);
    for (body, sub) in [
        (
            r#"{"username":"eve","username":"ada","password":"door"}"#,
            "ada",
        ),
        (
            r#"{"username":"ada","password":"door","username":"eve"}"#,
            "eve",
        ),
        (
            r#"{"user\u006eame":"eve","username":"ada","password":"door"}"#,
            "ada",
        ),
    ] {
        let answer = bytes(&server, body.as_bytes());
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(claims(&token)["sub"], sub, "{body}");
    }
    let folded = br#"{"Username":"ada","password":"door"}"#;
    assert_eq!(bytes(&server, folded).status, 400, "names have a case");
}

#[test]
fn h05_only_utf8_is_json() {
    let folder = Folder::new();
    let server = template(&folder);
    let wide = |order: fn(u16) -> [u8; 2]| GOOD.encode_utf16().flat_map(order).collect::<Vec<_>>();
    let (little, big) = (wide(u16::to_le_bytes), wide(u16::to_be_bytes));
    for (what, body, status) in [
        ("UTF-16LE", little.clone(), 422),
        ("UTF-16BE", big, 422),
        (
            "UTF-16LE with a mark",
            [b"\xff\xfe", little.as_slice()].concat(),
            400,
        ),
        (
            "UTF-8 with a mark",
            [b"\xef\xbb\xbf", GOOD.as_bytes()].concat(),
            422,
        ),
        ("UTF-7", GOOD.replace('{', "+AHs-").into_bytes(), 422),
        ("overlong", b"{\"username\":\"\xc0\xaf\"}".to_vec(), 400),
        ("Latin-1", b"{\"username\":\"\xe9\"}".to_vec(), 400),
        (
            "a surrogate in UTF-8",
            b"{\"username\":\"\xed\xa0\x80\"}".to_vec(),
            400,
        ),
    ] {
        assert_eq!(bytes(&server, &body).status, status, "{what}");
    }
    for charset in ["utf-16", "iso-8859-1", "UTF-8", "\"utf-8\"", "nonsense"] {
        let kind = format!("application/json;charset={charset}");
        let headers = [("content-type", kind.as_str())];
        let answer = send(
            server.address,
            "POST",
            "/auth/token",
            &headers,
            GOOD.as_bytes(),
        );
        assert_eq!(
            answer.status, 201,
            "{charset}: JSON has no charset (RFC 8259 section 11)"
        );
    }
}

#[test]
fn h05_depth_and_numbers_are_bounded() {
    let folder = Folder::new();
    let server = template(&folder);
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(r#"{{"username":"ada","password":"door","x":{open}{close}}}"#)
    };
    for (depth, status) in [(100, 201), (126, 201), (127, 400), (30_000, 400)] {
        assert_eq!(
            bytes(&server, nested(depth).as_bytes()).status,
            status,
            "{depth}"
        );
    }
    let number = |x: &str| format!(r#"{{"username":"ada","password":"door","x":{x}}}"#);
    let long = "9".repeat(300);
    for (x, status) in [
        ("1e300", 201),
        ("-0", 201),
        ("123456789012345678901234567890", 201),
        (&long, 201),
        ("1e400", 422),
        ("NaN", 422),
        ("Infinity", 422),
        ("01", 422),
        ("0x1", 422),
        ("1.", 422),
    ] {
        assert_eq!(bytes(&server, number(x).as_bytes()).status, status, "{x}");
    }
}

#[test]
fn json_of_other_dialects_is_422() {
    let folder = Folder::new();
    let server = template(&folder);
    for body in [
        r#"{"username":"ada","password":"door",}"#,
        r#"{'username':'ada','password':'door'}"#,
        "{\"username\":\"a\nda\",\"password\":\"door\"}",
        "/* c */ {\"username\":\"ada\",\"password\":\"door\"}",
        "{\"username\":\"ada\",\"password\":\"door\"} x",
        "{\"username\":\"ada\",\"password\":\"door\"}\0",
        "\0",
        "   ",
    ] {
        assert_eq!(bytes(&server, body.as_bytes()).status, 422, "{body:?}");
    }
    let spaced = format!("\r\n\t {GOOD} \n");
    assert_eq!(bytes(&server, spaced.as_bytes()).status, 201);
}

#[test]
fn names_of_any_script_come_back_as_they_were_typed() {
    let folder = Folder::new();
    let server = template(&folder);
    for name in [
        "jörg-ß", "日本", "ÉMILE", "🙂", " ada ", "a\u{301}", "a\"b\\c", "a\u{1f}",
    ] {
        let answer = server.login(name, "door");
        if name.contains('\u{1f}') {
            assert!([201, 500].contains(&answer.status), "{name:?}");
            continue;
        }
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(claims(&token)["sub"], name);
    }
    let escaped = br#"{"username":"\ud83d\ude42","password":"door"}"#;
    assert_eq!(
        bytes(&server, escaped).status,
        201,
        "a pair of surrogates is a character"
    );
    for half in [
        r#"{"username":"\ud83d","password":"door"}"#,
        r#"{"username":"\ude42\ud83d","password":"door"}"#,
    ] {
        assert_eq!(bytes(&server, half.as_bytes()).status, 400, "{half}");
    }
}

#[test]
fn empty_and_false_credentials_are_400() {
    let folder = Folder::new();
    let server = template(&folder);
    for value in ["\"\"", "null", "false", "0", "0.0", "-0", "0e5", "[]", "{}"] {
        for body in [
            format!(r#"{{"username":{value},"password":"door"}}"#),
            format!(r#"{{"username":"ada","password":{value}}}"#),
        ] {
            let answer = bytes(&server, body.as_bytes());
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.body.contains("must be provided"), "{body}");
        }
    }
    for value in ["5", "true", "[\"door\"]", "{\"a\":1}"] {
        let body = format!(r#"{{"username":"ada","password":{value}}}"#);
        assert_eq!(bytes(&server, body.as_bytes()).status, 400, "{body}");
    }
}

#[test]
fn lifetimes_of_the_two_paths_are_a_day_and_an_hour() {
    let folder = Folder::new();
    let server = template(&folder);
    for (path, lifetime) in [
        ("/auth/token", 86_400),
        ("/auth/door/token", 86_400),
        ("/auth/token/cli", 3_600),
    ] {
        let answer = post_json(server.address, path, GOOD);
        let token = claims(answer.json()["access_token"].as_str().unwrap());
        let time = |claim: &str| token[claim].as_u64().unwrap();
        assert_eq!(time("exp") - time("iat"), lifetime, "{path}");
        assert_eq!(time("nbf"), time("iat"));
    }
}

#[test]
fn h04_methods_other_than_post_are_405_on_every_token_path() {
    let folder = Folder::new();
    let server = template(&folder);
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    for path in ["/auth/token", "/auth/token/cli", "/auth/door/token"] {
        for method in [
            "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "post",
        ] {
            let answer = send(server.address, method, path, &preflight, b"");
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("POST"), "{method} {path}");
            let cors = |(name, _): &&(String, String)| name.starts_with("access-control");
            assert_eq!(answer.headers.iter().find(cors), None, "no CORS");
            assert_eq!(answer.body.is_empty(), method == "HEAD", "{method}");
        }
    }
}

#[test]
fn h04_paths_are_taken_to_the_letter() {
    let folder = Folder::new();
    let server = template(&folder);
    for path in [
        "/auth/token/",
        "/auth/token/cli/",
        "/auth//token",
        "//auth/token",
        "/Auth/token",
        "/auth/Token",
        "/AUTH/TOKEN",
        "/auth/token/..;/admin",
        "/auth/./token",
        "/auth/x/../token",
        "/auth%2ftoken",
        "/auth/token%00",
        "/auth/token%20",
        "/auth/token;x=1",
        "/auth/Door/token",
        "/auth/door/token/",
        "/auth/door/token/cli",
        "/auth/%64oor%2f/token",
        "/auth/logout",
        "/auth/jwks",
        "/auth/openapi.json",
    ] {
        let answer = post_json(server.address, path, GOOD);
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (404, r#"{"detail":"Not Found"}"#),
            "{path}"
        );
    }
    for path in [
        "/auth/token?x=1",
        "/auth/token?",
        "/auth/token?username=eve",
    ] {
        assert_eq!(post_json(server.address, path, GOOD).status, 201, "{path}");
    }
}
