//! `bots.seed`: bots of the first start.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use countersign::accounts::store::{Location, Store};
use countersign_tests::{Folder, Server, send, token};
use sqlx::ConnectOptions;
use tokio::runtime::Runtime;

use super::{CONFIG, described, done, sql};
use crate::oauth2::bots::now;

fn seeded(more: &str) -> String {
    CONFIG.replace(
        "bots: { personal_tokens: true }",
        &format!("bots: {{ seed: {{ ingestion-bot: {{ roles: [Op], audience: openmetadata, token_file: \"{{state}}/tokens/ingestion\"{more} }} }} }}"),
    )
}

#[test]
fn first_start_makes_the_bot_and_writes_its_token_to_a_private_file_and_the_second_keeps_both() {
    let folder = Folder::new();
    let server = Server::start(&folder, &seeded(""));
    let file = server.state.join("tokens/ingestion");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let first = fs::read_to_string(&file).unwrap();
    let claims = token::claims(&first);
    assert_eq!(
        (claims["sub"].as_str(), claims["roles"][0].as_str()),
        (Some("ingestion-bot"), Some("Op"))
    );
    let bearer = format!("Bearer {first}");
    let headers = [("authorization", bearer.as_str())];
    let answer = send(
        server.address,
        "GET",
        "/api/v1/users/loggedInUser",
        &headers,
        b"",
    );
    assert_eq!(
        (answer.status, &answer.json()["isBot"]),
        (200, &true.into()),
        "{answer:?}"
    );
    let (_, log) = server.stop();
    assert!(!log.contains(&first), "{log}");

    let server = Server::start(&folder, &seeded(", description: \"another one\""));
    assert_eq!(fs::read_to_string(&file).unwrap(), first);
    let bot = described(&folder, "ingestion-bot");
    assert_eq!(
        (bot["tokens"].as_array().unwrap().len(), &bot["description"]),
        (1, &"".into())
    );
    // Whoever has taken the file away is not given another token.
    server.stop();
    fs::remove_file(&file).unwrap();
    let server = Server::start(&folder, &seeded(""));
    assert!(!file.exists());
    // Nor is a bot that was deleted by hand left out for ever: it is made anew.
    done(&folder, &["delete", "ingestion-bot"]);
    server.stop();
    Server::start(&folder, &seeded(""));
    assert!(file.exists());
}

#[test]
fn start_that_was_cut_off_before_the_file_was_written_is_made_good_by_the_next() {
    let folder = Folder::new();
    let blocked = folder.write("state/blocked", "a file, not a folder");
    fs::set_permissions(folder.join("state"), fs::Permissions::from_mode(0o700)).unwrap();
    let config = seeded("").replace("{state}/tokens/", "{state}/blocked/");
    folder.write("config.yaml", &config);
    let refused = crate::run(
        &folder,
        &["serve"],
        &[
            ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
            ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
        ],
    );
    assert_eq!(refused.code, 78, "{refused:?}");
    assert!(
        refused
            .stderr
            .contains("the token of bot \"ingestion-bot\" cannot be written"),
        "{refused:?}"
    );
    fs::remove_file(blocked).unwrap();
    let server = Server::start(&folder, &config);
    let written = fs::read_to_string(server.state.join("blocked/ingestion")).unwrap();
    let bot = described(&folder, "ingestion-bot");
    let tokens = bot["tokens"].as_array().unwrap();
    let live: Vec<_> = tokens.iter().filter(|it| it["state"] == "live").collect();
    assert_eq!((tokens.len(), live.len()), (2, 1), "{bot}");
    assert_eq!(live[0]["id"], token::claims(&written)["jti"]);
}

#[test]
fn seeds_that_could_not_work_are_refused_with_their_places() {
    let folder = Folder::new();
    for (more, text) in [
        (", expiry: Unlimited", "must be allowed explicitly"),
        (", audience: sea", "there is no such audience"),
        (", token_file: \"\"", "`token_file` is missing"),
    ] {
        let config = match more.split(':').next().unwrap() {
            ", audience" => seeded(more).replace("audience: openmetadata, ", ""),
            ", token_file" => seeded("").replace("{state}/tokens/ingestion", ""),
            _ => seeded(more),
        };
        folder.write("config.yaml", config);
        let done = crate::run(&folder, &["check"], &[]);
        assert_eq!(done.code, 78, "{done:?}");
        assert!(done.stderr.contains(text), "{text}: {done:?}");
    }
    let config = seeded("").replace("ingestion-bot:", "Countersign-cli:");
    folder.write("config.yaml", config);
    let done = crate::run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(
        done.stderr.contains("this name among OAuth clients"),
        "{done:?}"
    );
}

#[test]
fn seeded_bot_gets_no_other_token_however_long_ago_the_first_one_ended() {
    let folder = Folder::new();
    let server = Server::start(&folder, &seeded(""));
    let file = server.state.join("tokens/ingestion");
    fs::remove_file(&file).unwrap();
    done(&folder, &["token", "ingestion-bot", "--expiry", "7"]);
    assert_eq!(
        sql(&server, "store.db", "UPDATE tokens SET expires_at = 1"),
        2
    );
    let place = Location::Sqlite(server.state.join("store.db"));
    server.stop();
    let tidy_up = || {
        Runtime::new().unwrap().block_on(async {
            let store = Store::open(place.clone()).await.unwrap();
            store.tidy_up(now()).await.unwrap();
            store.close().await;
        });
    };
    tidy_up();
    let server = Server::start(&folder, &seeded(""));
    assert!(!file.exists());
    let bot = described(&folder, "ingestion-bot");
    let tokens = bot["tokens"].as_array().unwrap();
    assert_eq!(
        tokens.len(),
        1,
        "only that of the seed is remembered: {bot}"
    );
    assert_eq!(tokens[0]["name"], "seed");
    // Once the bot is gone nobody needs to know.
    done(&folder, &["delete", "ingestion-bot"]);
    assert_eq!(
        sql(&server, "store.db", "UPDATE tokens SET revoked_at = 1"),
        1
    );
    server.stop();
    tidy_up();
    assert_eq!(count(&folder), 0);
}

fn count(folder: &Folder) -> u64 {
    Runtime::new().unwrap().block_on(async {
        let file = folder.join("state/store.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        let query = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM tokens");
        query
            .fetch_one(&mut connection)
            .await
            .unwrap()
            .unsigned_abs()
    })
}
