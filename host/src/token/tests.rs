//! Audiences: which token each one gets, and that no other key ever signs for it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use countersign_abi::User;
use serde_json::{Value, json};

use super::*;
use crate::accounts::throttle::Throttle;
use crate::config::Config;
use crate::keys::{KeySet, Mode, Opening, Rings};
use std::collections::BTreeMap;

pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-token-{}-{count}", std::process::id());
        Folder(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The defaults with these `tokens`.
fn with(settings: Value) -> Config {
    Config {
        tokens: serde_json::from_value(settings).unwrap(),
        ..Config::default()
    }
}

/// What mints under these `tokens`; the default audience signs with ES256.
pub(super) fn tokens(folder: &Folder, settings: Value) -> Tokens {
    let mut config = with(settings);
    config.keys.algorithm = Algorithm::ES256;
    let opening = Opening {
        mode: Mode::Serve,
        exposed: false,
        now: SystemTime::now(),
        progress: &|_| {},
    };
    let named = config.tokens.algorithms();
    let keys = KeySet::open(&config.keys, &named, &folder.0, &opening).unwrap();
    Tokens {
        registry: Registry::default(),
        accounts: Accounts::default(),
        roles: Arc::new(Roles::new(&config)),
        issuer: Arc::new(Issuer::new(&config, "https://me".into())),
        keys: Arc::new(Current::new(Rings::new(keys, BTreeMap::new()))),
        trusted: Arc::default(),
        throttle: Throttle::new(&config.server.throttle),
    }
}

pub(super) fn ada() -> Principal {
    Principal {
        backend: "users".into(),
        home: "users".into(),
        user: User {
            id: "1".into(),
            username: "ada".into(),
            roles: vec!["Admin".into()],
            ..User::default()
        },
    }
}

/// Header and claims of a token, verified against the published keys.
fn verified(tokens: &Tokens, token: &str, algorithm: jsonwebtoken::Algorithm) -> (Value, Value) {
    let header = jsonwebtoken::decode_header(token).unwrap();
    let set: jsonwebtoken::jwk::JwkSet =
        serde_json::from_slice(&tokens.keys.load().shared().jwks().body()).unwrap();
    let jwk = set.find(header.kid.as_deref().unwrap()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(algorithm);
    rules.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    let claims = jsonwebtoken::decode::<Value>(token, &key, &rules)
        .unwrap()
        .claims;
    (json!(header), claims)
}

#[test]
fn m06_each_audience_is_signed_for_with_its_own_algorithm_and_no_other() {
    let folder = Folder::new();
    let settings = json!({ "audiences": {
        "lake": { "algorithm": "EdDSA", "claims": { "name": "{username}", "roles": "{roles}" } },
        "sea": { "aud": "https://sea.example" },
    }});
    let tokens = tokens(&folder, settings);
    let of = |audience: Option<&str>, algorithm| {
        let minted = tokens.mint(audience, &ada(), Lifetime::Api).unwrap();
        let (header, claims) = verified(&tokens, &minted.token, algorithm);
        assert_eq!(
            (&claims["sub"], &claims["jti"]),
            (&json!(minted.claims.sub), &json!(minted.claims.jti))
        );
        (header["alg"].clone(), claims)
    };
    let (alg, claims) = of(None, jsonwebtoken::Algorithm::ES256);
    assert_eq!(
        (alg, &claims["aud"]),
        (json!("ES256"), &json!("apache-airflow"))
    );
    assert_eq!(claims.as_object().unwrap().len(), 7);
    let (alg, claims) = of(Some("lake"), jsonwebtoken::Algorithm::EdDSA);
    assert_eq!((alg, &claims["aud"]), (json!("EdDSA"), &json!("lake")));
    assert_eq!(
        (&claims["name"], &claims["roles"]),
        (&json!("ada"), &json!(["Admin"]))
    );
    let (alg, claims) = of(Some("sea"), jsonwebtoken::Algorithm::ES256);
    assert_eq!(
        (alg, &claims["aud"]),
        (json!("ES256"), &json!("https://sea.example"))
    );
    assert_eq!(claims.get("name"), None, "an audience inherits no claims");
    // A standby for each algorithm in use.
    assert_eq!(tokens.keys.load().shared().jwks().keys().len(), 4);
}

#[test]
fn m06_without_a_key_of_its_algorithm_an_audience_gets_no_token() {
    let folder = Folder::new();
    let mut tokens = tokens(&folder, json!({}));
    let config = with(json!({ "audiences": { "lake": { "algorithm": "EdDSA" } } }));
    tokens.issuer = Arc::new(Issuer::new(&config, "https://me".into()));
    let minted = tokens.mint(Some("lake"), &ada(), Lifetime::Api);
    assert!(matches!(minted, Err(MintError::NoKey(Algorithm::EdDSA))));
    let minted = tokens.mint(Some("pond"), &ada(), Lifetime::Api);
    assert!(matches!(minted, Err(MintError::NoSuchAudience(name)) if name == "pond"));
}

#[test]
fn m04_requested_lifetime_is_cut_to_the_most_and_nonsense_is_refused() {
    let folder = Folder::new();
    let settings = json!({ "lifetime": "24h", "cli_lifetime": "1h", "audiences": {
        "lake": { "lifetime": "10m", "max_lifetime": "1h" },
        "sea": { "lifetime": "5m" },
        "pond": {},
    }});
    let tokens = tokens(&folder, settings);
    let lives = |audience: Option<&str>, lifetime| {
        let minted = tokens.mint(audience, &ada(), lifetime).unwrap();
        let (_, claims) = verified(&tokens, &minted.token, jsonwebtoken::Algorithm::ES256);
        let lives = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
        assert_eq!(Some(lives), minted.claims.seconds);
        lives
    };
    let asked = |seconds: u64| Lifetime::requested(&json!(seconds)).unwrap();
    for (audience, lifetime, expected) in [
        (None, Lifetime::Api, 86_400),
        (None, Lifetime::Cli, 3_600),
        (None, asked(60), 60),
        (None, asked(90_000), 86_400),
        (Some("lake"), Lifetime::Api, 600),
        (Some("lake"), asked(1), 1),
        (Some("lake"), asked(3_600), 3_600),
        (Some("lake"), asked(3_601), 3_600),
        (Some("lake"), asked(u32::MAX.into()), 3_600),
        (Some("sea"), asked(301), 300),
        (Some("pond"), Lifetime::Api, 86_400),
    ] {
        assert_eq!(
            lives(audience, lifetime),
            expected,
            "{audience:?} {lifetime:?}"
        );
    }
    for nonsense in [
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(1.5),
        json!(1e300),
        json!("60"),
        json!(null),
        json!([60]),
    ] {
        assert_eq!(
            Lifetime::requested(&nonsense),
            Err(request::NotALifetime),
            "{nonsense}"
        );
    }
}

#[test]
fn t53_subjects_of_two_backends_are_never_one() {
    let folder = Folder::new();
    let mut tokens = tokens(&folder, json!({}));
    let subject = |tokens: &Tokens, backend: &str, home: &str, id: &str| {
        let mut principal = ada();
        (principal.backend, principal.home) = (backend.into(), home.into());
        principal.user.id = id.into();
        let minted = tokens.mint(None, &principal, Lifetime::Api);
        minted
            .map(|minted| minted.claims.sub)
            .map_err(|error| error.to_string())
    };
    // The only backend is the subjects' backend.
    assert_eq!(subject(&tokens, "users", "users", "1").unwrap(), "1");
    let mut config = Config::default();
    let users = config.backends["users"].clone();
    config.backends.insert("dir".into(), users);
    tokens.issuer = Arc::new(Issuer::new(&config, "https://me".into()));
    // Of two, none is unless it is named.
    assert_eq!(subject(&tokens, "users", "users", "1").unwrap(), "users:1");
    assert_eq!(subject(&tokens, "dir", "dir", "1").unwrap(), "dir:1");
    config.tokens.subject_backend = "users".into();
    tokens.issuer = Arc::new(Issuer::new(&config, "https://me".into()));
    assert_eq!(subject(&tokens, "users", "users", "1").unwrap(), "1");
    assert_eq!(
        subject(&tokens, "dir", "users", "1").unwrap(),
        "1",
        "provisioned"
    );
    assert_eq!(subject(&tokens, "dir", "dir", "1").unwrap(), "dir:1");
    assert_eq!(subject(&tokens, "users", "dir", "1").unwrap(), "dir:1");
    assert!(
        subject(&tokens, "users", "users", "dir:1")
            .unwrap_err()
            .contains("dir")
    );
    // A template overrides all of it.
    config
        .tokens
        .claims
        .insert("sub".into(), json!("{username}@{backend}"));
    tokens.issuer = Arc::new(Issuer::new(&config, "https://me".into()));
    assert_eq!(subject(&tokens, "dir", "users", "1").unwrap(), "ada@dir");
}

#[test]
fn m06_access_token_is_what_a_strict_verifier_of_rfc_9068_takes_and_a_plain_jwt_is_not() {
    let folder = Folder::new();
    let settings = json!({ "typ": "at+jwt", "audiences": {
        "lake": { "typ": "at+jwt", "algorithm": "EdDSA" },
        "sea": {},
    }});
    let tokens = tokens(&folder, settings);
    let keys =
        countersign_verify::KeySet::parse(&tokens.keys.load().shared().jwks().body()).unwrap();
    let check = |typ: &str, audience: Option<&str>, client: Option<&str>| {
        let holder = Holder { client, key: None };
        let minted = tokens.mint_for(holder, audience, &ada(), Lifetime::Api);
        let minted = minted.unwrap();
        let algorithm = minted.algorithm.parse().unwrap();
        let rules = countersign_verify::Rules::new("https://me", [&minted.claims.aud], [algorithm]);
        let rules = rules.unwrap().types([typ]);
        rules.verify(&minted.token, &keys, clock::unix_now())
    };
    for (audience, client, expected) in [
        (None, None, "countersign"),
        (Some("lake"), None, "countersign"),
        (Some("lake"), Some("reports"), "reports"),
    ] {
        let verified = check("at+jwt", audience, client).unwrap();
        assert_eq!(verified.claims["client_id"], expected);
        for name in ["iss", "exp", "aud", "sub", "iat", "jti"] {
            assert!(verified.claims.contains_key(name), "{name}");
        }
        assert!(check("JWT", audience, client).is_err(), "T48");
    }
    let plain = check("JWT", Some("sea"), Some("reports")).unwrap();
    assert_eq!(plain.claims.get("client_id"), None);
    assert!(check("at+jwt", Some("sea"), None).is_err(), "T48");
}

#[test]
fn client_means_an_audience_by_its_name_before_any_aud() {
    let folder = Folder::new();
    let settings = json!({ "audience": "home", "audiences": {
        "lake": { "aud": "sea" },
        "sea": { "aud": "https://sea.example" },
    }});
    let issuer = tokens(&folder, settings).issuer;
    let found = |said: &str| Some(issuer.find(said)?.name.clone());
    assert_eq!(found("home"), Some(None));
    assert_eq!(found("lake"), Some(Some("lake".into())));
    assert_eq!(found("sea"), Some(Some("sea".into())));
    assert_eq!(found("https://sea.example"), Some(Some("sea".into())));
    for unknown in ["", "Home", "https://sea.example/", "pond"] {
        assert_eq!(found(unknown), None, "{unknown}");
    }
}

#[test]
fn t53_user_whose_id_looks_like_a_bots_subject_gets_no_token() {
    let folder = Folder::new();
    let tokens = tokens(&folder, json!({ "subject_backend": "users" }));
    for (id, good) in [
        ("bot:etl", false),
        ("trust:1@a.example", false),
        ("users:2", false),
        ("robot:1", true),
    ] {
        let mut principal = ada();
        principal.user.id = id.into();
        let minted = tokens.mint(None, &principal, Lifetime::Api);
        assert_eq!(minted.is_ok(), good, "{id}");
    }
}
