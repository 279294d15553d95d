//! The tokens in OpenMetadata's two ingestion snippets, whoever has made them: what `check` and the
//! server say of each.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use countersign_tests::{Done, Folder, Server, artifacts};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const KEY: &str = "keys: { private_key: key.pem, kid: own }\n";

/// A folder with two keys; the server's is `key.pem`.
fn keys() -> Folder {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    for name in ["key", "other"] {
        let (pem, der) = (format!("{name}.pem"), format!("{name}.der"));
        openssl(&folder, &["genrsa", "-out", &pem, "2048"]);
        // PKCS#1, as the library here reads it.
        let pkcs1 = ["rsa", "-traditional", "-outform", "DER"];
        openssl(
            &folder,
            &[&pkcs1[..], &["-in", &pem, "-out", &der]].concat(),
        );
    }
    folder
}

fn openssl(folder: &Folder, arguments: &[&str]) {
    let mut openssl = Command::new("openssl");
    let done = openssl.args(arguments).current_dir(folder.path()).output();
    assert!(done.unwrap().status.success());
}

/// A token that this key has signed.
fn signed(folder: &Folder, key: &str, claims: &Value) -> String {
    let der = std::fs::read(folder.join(key)).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("own".into());
    encode(&header, claims, &EncodingKey::from_rsa_der(&der)).unwrap()
}

fn config(token: &str) -> String {
    format!(
        "{}{KEY}workflowConfig:\n  openMetadataServerConfig:\n    authProvider: openmetadata\n    securityConfig: {{ jwtToken: \"{token}\" }}\n",
        crate::TEMPLATE
    )
}

fn check(folder: &Folder, token: &str) -> Done {
    folder.write("config.yaml", config(token));
    crate::run(folder, &["check"], &[])
}

fn in_days(days: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap() + days * 86_400 + 60
}

#[test]
fn check_says_of_each_token_what_openmetadata_would_make_of_it() {
    let folder = keys();
    let ours = |claims: Value| signed(&folder, "key.der", &claims);
    let bot = |exp: i64| json!({ "sub": "ingestion-bot", "email": "Ingestion-Bot@example.org", "exp": exp });
    let mut own = bot(in_days(30));
    own["isBot"] = true.into();
    let theirs = ours(own.clone());
    own["jti"] = "0123456789abcdef0123456789abcdef".into();
    folder.write("bot.jwt", format!("{}\n", ours(bot(in_days(30)))));
    let user = "OpenMetadata's user ingestion-bot";
    for (token, code, told) in [
        (
            ours(bot(in_days(30))),
            0,
            format!("accepted, nobody's whom the store knows, {user}, expires "),
        ),
        (ours(bot(in_days(3))), 0, "expires SOON, 2".to_owned()),
        (
            ours(json!({ "sub": "ingestion-bot" })),
            0,
            format!("{user}, never expires"),
        ),
        (
            theirs,
            0,
            "accepted, as long as OpenMetadata, which has issued it, stores it".to_owned(),
        ),
        ("./bot.jwt".to_owned(), 0, format!("{user}, expires ")),
        (
            String::new(),
            0,
            "none yet: `countersign bots token".to_owned(),
        ),
        ("{bot_jwt_token}".to_owned(), 0, "none yet: ".to_owned()),
        ("secret:/om/bot".to_owned(), 0, "not looked at: ".to_owned()),
        (ours(own), 1, "REFUSED, it says that it is isBot".to_owned()),
        (ours(bot(in_days(-3))), 1, "2 days ago".to_owned()),
        (
            ours(json!({ "name": "x" })),
            1,
            "REFUSED, it has none of the claims".to_owned(),
        ),
        (
            signed(&folder, "other.der", &bot(in_days(30))),
            1,
            "REFUSED, none of our keys has signed it: the signature".to_owned(),
        ),
        ("hello".to_owned(), 1, "REFUSED, it is no JWT: ".to_owned()),
        (
            "./gone.jwt".to_owned(),
            1,
            "REFUSED, it is no token, and no file of one: ".to_owned(),
        ),
    ] {
        let done = check(&folder, &token);
        let line = "token workflowConfig.openMetadataServerConfig.securityConfig.jwtToken: ";
        let line = done.stdout.lines().find_map(|it| it.strip_prefix(line));
        let told = line.is_some_and(|line| line.contains(&told));
        assert!(done.code == code && told, "{line:?}\n{done:?}");
        assert!(token.len() < 100 || !format!("{done:?}").contains(&token));
    }
}

#[test]
fn server_logs_the_verdict_and_never_the_token() {
    let folder = keys();
    let good = signed(
        &folder,
        "key.der",
        &json!({ "sub": "bot", "exp": in_days(30) }),
    );
    let (_, log) = Server::start(&folder, &config(&good)).stop();
    assert!(
        log.contains("accepted, nobody's whom the store knows"),
        "{log}"
    );
    let late = signed(
        &folder,
        "key.der",
        &json!({ "sub": "bot", "exp": in_days(-1) }),
    );
    let (code, log) = Server::start(&folder, &config(&late)).stop();
    let warning = log
        .lines()
        .find(|line| line.contains("REFUSED, it has expired"));
    assert!(
        warning.is_some_and(|line| line.contains("\"WARN\"")),
        "{log}"
    );
    assert!(code == 0 && !log.contains(&late) && !log.contains(late.split('.').nth(1).unwrap()));
}
