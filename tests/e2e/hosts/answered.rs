//! What a server has answered is so, though it is killed (`kill -9`) at any moment and started
//! again on the same state: bots are there, tokens verify, revoked ones do not, keys are
//! published, and a refresh token is used once. Through the public face, by clients that know
//! nothing but their answers; what was asked and not answered may be either way.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use countersign_tests::postgres::Postgres;
use countersign_tests::{Answer, Folder, Server, artifacts, attempt, get, token};
use serde_json::{Value, json};

use super::{verify, wait};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::oauth2::bots::{ask, basic};
use crate::oauth2::form;
use crate::run;

/// How often a server is killed.
const ROUNDS: usize = 20;

/// A kill comes after at most so many answers that took writing, and so many microseconds more.
const ANSWERS: u64 = 30;
const MOMENT: u64 = 20_000;

/// Rotations of one round: every key that retires stays.
const ROTATIONS: usize = 2;

/// Between two logins, which write nothing.
const PAUSE: Duration = Duration::from_millis(20);

const LOGIN: &str = "/auth/token";

const LONG: Duration = Duration::from_secs(60);

/// Set to what a failed run printed, it is run alike, as far as threads go.
const SEED: &str = "COUNTERSIGN_TEST_SEED";

/// A server on its way to be killed, as its clients see it.
struct Doomed<'a> {
    address: SocketAddr,
    folder: &'a Folder,
    /// The `Authorization` of a bot with a secret.
    client: &'a str,
    round: usize,
    /// Those that took writing.
    answers: AtomicUsize,
    killed: AtomicBool,
}

/// What clients were answered.
#[derive(Default)]
struct Answered {
    bots: Vec<String>,
    /// Tokens that are good.
    live: Vec<String>,
    /// Tokens that were revoked.
    dead: Vec<String>,
    /// Keys that signed.
    kids: Vec<String>,
    /// The tokens of one grant, the newest last.
    grant: Vec<Value>,
}

impl Answered {
    fn with(mut self, other: Answered) -> Self {
        self.bots.extend(other.bots);
        self.live.extend(other.live);
        self.dead.extend(other.dead);
        self.kids.extend(other.kids);
        self.grant.extend(other.grant);
        self
    }
}

impl Doomed<'_> {
    /// The answer, which must be a good one; none = it was killed before.
    fn ask(&self, method: &str, path: &str, who: &str, kind: &str, body: &str) -> Option<Answer> {
        let mut headers = vec![("content-type", kind)];
        if !who.is_empty() {
            headers.push(("authorization", who));
        }
        let answer = attempt(self.address, method, path, &headers, body.as_bytes())?;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        let writes = usize::from(path != LOGIN);
        self.answers.fetch_add(writes, Ordering::Relaxed);
        Some(answer)
    }

    fn json(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let who = basic("ada", "door");
        let answer = self.ask(method, path, &who, "application/json", &body.to_string());
        Some(answer?.json())
    }

    fn form(&self, path: &str, who: &str, body: &str) -> Option<Answer> {
        let kind = "application/x-www-form-urlencoded";
        self.ask("POST", path, who, kind, body)
    }

    /// A command that may do its work after the kill, without the server. What it wrote; none =
    /// it failed of that.
    fn command(&self, arguments: &[&str]) -> Option<String> {
        let done = run(self.folder, arguments, &[]);
        if done.code != 0 {
            let killed = self.killed.load(Ordering::Relaxed);
            assert!(killed, "{arguments:?}: {done:?}");
            return None;
        }
        self.answers.fetch_add(1, Ordering::Relaxed);
        Some(done.stdout.trim_end().to_owned())
    }

    /// Makes bots as OpenMetadata's page does, replaces the tokens of some and revokes those of
    /// others.
    fn page(&self) -> Answered {
        let mut told = Answered::default();
        for n in 0.. {
            let name = format!("bot-{}-{n}", self.round);
            let mechanism = json!({ "authType": "JWT", "config": { "JWTTokenExpiry": "7" } });
            let user = json!({ "name": name, "isBot": true, "authenticationMechanism": mechanism });
            let Some(made) = self.json("PUT", "/api/v1/users", &user) else {
                break;
            };
            let token = text(&made["authenticationMechanism"]["config"]["JWTToken"]);
            told.bots.push(name);
            let id = made["id"].as_str().unwrap();
            let path = format!("/api/v1/users/generateToken/{id}");
            match n % 3 {
                0 => told.live.push(token),
                1 => {
                    let body = json!({ "id": id });
                    let Some(_) = self.json("PUT", "/api/v1/users/revokeToken", &body) else {
                        break;
                    };
                    told.dead.push(token);
                }
                _ => {
                    let body = json!({ "JWTTokenExpiry": "30" });
                    let Some(next) = self.json("PUT", &path, &body) else {
                        break;
                    };
                    told.dead.push(token);
                    told.live.push(text(&next["JWTToken"]));
                }
            }
        }
        told
    }

    /// A bot that fetches tokens with its secret, and gives every second one back.
    fn bot(&self) -> Answered {
        let mut told = Answered::default();
        for n in 0.. {
            let body = "grant_type=client_credentials";
            let Some(answer) = self.form("/oauth2/token", self.client, body) else {
                break;
            };
            let token = text(&answer.json()["access_token"]);
            if n % 2 == 0 {
                told.live.push(token);
                continue;
            }
            let body = form(&[("token", token.as_str())]);
            let Some(_) = self.form("/oauth2/revoke", self.client, &body) else {
                break;
            };
            told.dead.push(token);
        }
        told
    }

    /// A terminal whose user has said yes: it redeems his code and refreshes again and again.
    fn terminal(&self, code: &str) -> Answered {
        let mut told = Answered::default();
        let mut body = Flow::redemption(&[("code", code)]);
        while let Some(answer) = self.form("/oauth2/token", "", &body) {
            let tokens = answer.json();
            body = refreshing(&tokens);
            told.grant.push(tokens);
        }
        told
    }

    /// People who log in.
    fn people(&self) -> Answered {
        let mut told = Answered::default();
        let body = r#"{"username":"ada","password":"door"}"#;
        while let Some(answer) = self.ask("POST", LOGIN, "", "application/json", body) {
            told.live.push(text(&answer.json()["access_token"]));
            thread::sleep(PAUSE);
        }
        told
    }

    /// An operator at his terminal: keys rotate, a bot gets tokens, each second one is revoked.
    fn operator(&self) -> Answered {
        let mut told = Answered::default();
        for n in 0.. {
            if self.killed.load(Ordering::Relaxed) {
                break;
            }
            if n < ROTATIONS {
                let Some(said) = self.command(&["keys", "rotate"]) else {
                    break;
                };
                let (before, _) = said.split_once(" signs from now on").unwrap();
                told.kids
                    .push(before.split_whitespace().last().unwrap().to_owned());
            }
            let arguments = ["bots", "token", "client", "--expiry", "7"];
            let Some(token) = self.command(&arguments) else {
                break;
            };
            if n % 2 == 0 {
                told.live.push(token);
                continue;
            }
            let id = text(&token::claims(&token)["jti"]);
            let Some(_) = self.command(&["bots", "revoke", "client", "--token", &id]) else {
                break;
            };
            told.dead.push(token);
        }
        told
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The body that asks for the next tokens of a grant.
fn refreshing(tokens: &Value) -> String {
    form(&[
        ("grant_type", "refresh_token"),
        ("client_id", "countersign-cli"),
        ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
    ])
}

fn refresh(server: &Server, tokens: &Value) -> Answer {
    let kind = ("content-type", "application/x-www-form-urlencoded");
    let body = refreshing(tokens);
    let sent = attempt(
        server.address,
        "POST",
        "/oauth2/token",
        &[kind],
        body.as_bytes(),
    );
    sent.unwrap()
}

/// Every token, key and bot is what was answered.
fn assert_so(server: &Server, told: &Answered) {
    for token in &told.live {
        assert_eq!(verify(server, token), 200, "{}", token::claims(token));
    }
    for token in &told.dead {
        assert_eq!(verify(server, token), 401, "{}", token::claims(token));
    }
    let who = basic("ada", "door");
    for name in &told.bots {
        let path = format!("/api/v1/bots/name/{name}");
        let headers = [("authorization", who.as_str())];
        let answer = attempt(server.address, "GET", &path, &headers, b"").unwrap();
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
    let published = get(server.address, "/.well-known/jwks.json").json();
    let keys = published["keys"].as_array().unwrap();
    for kid in &told.kids {
        let is = |key: &Value| key["kid"] == kid.as_str();
        assert!(keys.iter().any(is), "{kid} of {published}");
    }
}

/// Whoever may ask is told the same, as is an operator.
fn assert_told_alike(server: &Server, folder: &Folder, client: &str, told: &Answered) {
    for (tokens, good) in [(&told.live, true), (&told.dead, false)] {
        let Some(token) = tokens.last() else {
            continue;
        };
        let answer = ask(server, "/oauth2/introspect", client, &[("token", token)]);
        assert_eq!(answer.json()["active"], good, "{answer:?}");
        let done = run(folder, &["token", "verify", token], &[]);
        assert_eq!(done.code == 0, good, "{done:?}");
    }
}

/// The newest refresh token is good, and so is the next; an old one is used up, which ends the
/// grant. The answer is its access tokens.
fn assert_refreshes_once(server: &Server, grant: &[Value], code: &str) -> Vec<String> {
    let (Some(first), Some(last)) = (grant.first(), grant.last()) else {
        return Vec::new();
    };
    let mut given: Vec<String> = grant.iter().map(|it| text(&it["access_token"])).collect();
    for token in &given {
        assert_eq!(verify(server, token), 200, "{}", token::claims(token));
    }
    let next = refresh(server, last);
    assert_eq!(next.status, 200, "{next:?}\n{}", server.log());
    let next = next.json();
    let after = refresh(server, &next);
    assert_eq!(after.status, 200, "{after:?}");
    let after = after.json();
    given.extend([&next, &after].map(|it| text(&it["access_token"])));
    let reused = refresh(server, first);
    assert_eq!(reused.json()["error"], "invalid_grant", "{reused:?}");
    assert_eq!(refresh(server, &after).status, 400);
    let again = Flow::new(server).redeem(&[("code", code)]);
    assert_eq!(again.json()["error"], "invalid_grant", "{again:?}");
    given
}

/// One round: clients at work until the server is killed; what they were answered.
fn until_killed(server: &Server, doomed: &Doomed<'_>, code: &str, random: &mut Random) -> Answered {
    let aim = usize::try_from(random.below(ANSWERS)).unwrap();
    let moment = Duration::from_micros(random.below(MOMENT));
    thread::scope(|scope| {
        let clients = [
            scope.spawn(|| doomed.page()),
            scope.spawn(|| doomed.bot()),
            scope.spawn(|| doomed.terminal(code)),
            scope.spawn(|| doomed.people()),
            scope.spawn(|| doomed.operator()),
        ];
        let enough = || doomed.answers.load(Ordering::Relaxed) >= aim;
        let failed = || clients.iter().any(|client| client.is_finished());
        wait(LONG, "answers", || enough() || failed());
        // Anywhere in the next steps.
        thread::sleep(moment);
        doomed.killed.store(true, Ordering::Relaxed);
        server.send("KILL");
        let told = clients.map(|client| client.join().unwrap());
        told.into_iter().fold(Answered::default(), Answered::with)
    })
}

fn killed_again_and_again(store: &str) {
    let mut random = Random::new();
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\n\
         tokens: {{ issuer: \"http://id.example\" }}\n\
         keys: {{ algorithm: EdDSA, lead: 0s }}\n{store}\
         backends:\n  door: {{ plugin: template, config: {{ password: door }}, roles: {{ default: [Admin] }} }}\n"
    );
    folder.write("config.yaml", &config);
    let command = |arguments: &[&str]| {
        let done = run(&folder, arguments, &[]);
        assert_eq!(done.code, 0, "{done:?}");
        done.stdout.trim_end().to_owned()
    };
    command(&["bots", "create", "client"]);
    let arguments = [
        "bots", "token", "client", "--expiry", "7", "--form", "opaque",
    ];
    let client = basic("client", &command(&arguments));
    let mut all = Answered::default();
    let mut server = Server::start(&folder, &config);
    for round in 0..ROUNDS {
        let code = Flow::new(&server).code(&mut Browser::default());
        let doomed = Doomed {
            address: server.address,
            folder: &folder,
            client: &client,
            round,
            answers: AtomicUsize::new(0),
            killed: AtomicBool::new(false),
        };
        let mut told = until_killed(&server, &doomed, &code, &mut random);
        server.ended();
        server = Server::start(&folder, &config);
        assert_so(&server, &told);
        assert_told_alike(&server, &folder, &client, &told);
        let ended = assert_refreshes_once(&server, &told.grant, &code);
        told.dead.extend(ended);
        println!(
            "round {round}: {} bots, {} good tokens, {} revoked, {} keys, {} refreshes",
            told.bots.len(),
            told.live.len(),
            told.dead.len(),
            told.kids.len(),
            told.grant.len()
        );
        all = all.with(told);
    }
    // And it stays so.
    assert_so(&server, &all);
    let (bots, dead, kids) = (all.bots.len(), all.dead.len(), all.kids.len());
    assert!(bots > 10 && dead > 20 && kids > 1, "{bots} {dead} {kids}");
}

#[test]
fn server_that_is_killed_loses_nothing_it_has_answered_on_sqlite() {
    killed_again_and_again("");
}

#[test]
fn server_that_is_killed_loses_nothing_it_has_answered_on_postgres() {
    let server = Postgres::start();
    let kek = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let store = format!("store: {{ url: \"{}\", kek: \"{kek}\" }}\n", server.url);
    killed_again_and_again(&store);
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let given = std::env::var(SEED).ok().and_then(|text| text.parse().ok());
        let seed = given
            .unwrap_or_else(|| RandomState::new().hash_one(0))
            .max(1);
        println!("{SEED}={seed}");
        Random(seed)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
