//! Bots in the store of a running server, their secrets, and keys of their own.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::prelude::BASE64_STANDARD;
use countersign::accounts::bots::{Bot, NewBot};
use countersign::accounts::lasting::{Lasting, Owner};
use countersign::accounts::opaque::{self, Kind};
use countersign::accounts::store::{Location, Store};
use countersign::config::shapes::{Expiry, TokenForm};
use countersign::keys::{Curve, PublicKey};
use countersign_tests::{Answer, Server, send};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::form;

/// The store of a server, from beside it.
pub(crate) struct Beside {
    pub(crate) store: Store,
    pub(crate) runtime: Runtime,
}

/// A key of a bot's own.
pub(crate) struct Key(EcdsaKeyPair);

impl Beside {
    pub(crate) fn of(server: &Server) -> Self {
        let runtime = Runtime::new().unwrap();
        let place = Location::Sqlite(server.state.join("store.db"));
        let store = runtime.block_on(Store::open(place)).unwrap();
        Beside { store, runtime }
    }

    pub(crate) fn bot(&self, name: &str) -> Bot {
        let new = NewBot {
            name: name.into(),
            roles: vec!["Op".into()],
            ..NewBot::default()
        };
        let made = self.store.create_bot(&new, "test", now());
        self.runtime.block_on(made).unwrap()
    }

    /// An opaque token that lives so many seconds.
    pub(crate) fn secret(&self, bot: &Bot, audience: Option<&str>, seconds: u64) -> String {
        let token = opaque::generate(Kind::Bot).unwrap();
        let hash = opaque::hash(token.expose());
        let lasting = Lasting {
            id: hash[..32].to_owned(),
            owner: Owner::Bot(bot.id.clone()),
            name: String::new(),
            form: TokenForm::Opaque,
            audience: audience.map(str::to_owned),
            kid: String::new(),
            principal: None,
            expiry: Expiry::One,
            created_at: now(),
            created_by: "test".into(),
            expires_at: Some(now() + seconds),
            revoked_at: None,
            ends_at: None,
            last_used_at: None,
        };
        let put = self.store.put_token(&lasting, &hash);
        assert!(self.runtime.block_on(put).unwrap());
        token.expose().to_owned()
    }

    /// A bot with a secret for the default audience.
    pub(crate) fn client(&self, name: &str) -> (Bot, String) {
        let bot = self.bot(name);
        let secret = self.secret(&bot, None, 3_600);
        (bot, secret)
    }

    /// Gives a bot a key of its own.
    pub(crate) fn key(&self, bot: &Bot) -> Key {
        let key = Key::new();
        let jwks = json!({ "keys": [key.jwk()] }).to_string();
        let bot = Bot {
            jwks,
            ..bot.clone()
        };
        let changed = self.store.change_bot(&bot, "test", now());
        self.runtime.block_on(changed).unwrap();
        key
    }
}

impl Key {
    pub(crate) fn new() -> Self {
        Key(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let half = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({ "kty": "EC", "crv": "P-256", "kid": "own", "x": half(&point[1..33]), "y": half(&point[33..]) })
    }

    pub(crate) fn thumbprint(&self) -> String {
        let key = PublicKey::ec(Curve::P256, self.0.public_key().as_ref());
        key.unwrap().thumbprint()
    }

    pub(crate) fn sign(&self, typ: &str, claims: &Value) -> String {
        let header = json!({ "alg": "ES256", "typ": typ, "kid": "own" });
        self.signed(&header, claims)
    }

    /// Signed as ES256, whatever the header says.
    pub(crate) fn signed(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let random = aws_lc_rs::rand::SystemRandom::new();
        let signature = self.0.sign(&random, text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What a bot would say of itself, to this server.
pub(crate) fn said(name: &str, audience: &str, jti: &str) -> Value {
    let now = now();
    json!({ "iss": name, "sub": name, "aud": audience, "iat": now, "exp": now + 60, "jti": jti })
}

pub(crate) fn now() -> u64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn basic(name: &str, secret: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{secret}"))
    )
}

/// A form to an endpoint, with `Authorization` unless that is empty.
pub(crate) fn ask(
    server: &Server,
    path: &str,
    authorization: &str,
    parameters: &[(&str, &str)],
) -> Answer {
    ask_with(server, path, authorization, &[], parameters)
}

/// The same with further headers.
pub(crate) fn ask_with(
    server: &Server,
    path: &str,
    authorization: &str,
    more: &[(&str, &str)],
    parameters: &[(&str, &str)],
) -> Answer {
    let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
    headers.extend(more);
    if !authorization.is_empty() {
        headers.push(("authorization", authorization));
    }
    let body = form(parameters);
    send(server.address, "POST", path, &headers, body.as_bytes())
}

/// The error of an answer.
pub(crate) fn error(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let error = body["error"].as_str().unwrap_or_default();
    (answer.status, error.to_owned())
}

/// Changes the embedded table of users beside a running server.
pub(crate) fn in_users(server: &Server, statement: &'static str) {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
    let file = server.state.join("users.db");
    Runtime::new().unwrap().block_on(async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .unwrap();
    });
}
