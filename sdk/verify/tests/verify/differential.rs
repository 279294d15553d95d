//! Against a second reader: what jsonwebtoken refuses under settings as strict as it has,
//! is never accepted here, however a good token is spoilt.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_verify::{Algorithm, KeySet, Rules};
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde_json::{Map, Value, json};

use crate::support::{ISSUER, Pair, set, with};

const ROUNDS: usize = 6_000;

/// Numbers that look random and are the same in each run (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// One issuer with one key, and both readers of its tokens.
struct Scene {
    algorithm: Algorithm,
    pair: Pair,
    keys: KeySet,
    rules: Rules,
    other: DecodingKey,
    strict: Validation,
}

impl Scene {
    fn new(pair: Pair, algorithm: Algorithm) -> Scene {
        let named = with(pair.jwk(), json!({ "kid": "k", "alg": algorithm.name() }));
        let mut strict = Validation::new(algorithm.name().parse().unwrap());
        strict.leeway = 10;
        strict.validate_nbf = true;
        strict.set_audience(&["us"]);
        strict.set_issuer(&[ISSUER]);
        strict.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Scene {
            algorithm,
            keys: KeySet::parse(&set(std::slice::from_ref(&named))).unwrap(),
            rules: Rules::new(ISSUER, ["us"], [algorithm]).unwrap(),
            other: DecodingKey::from_jwk(&serde_json::from_value(named).unwrap()).unwrap(),
            strict,
            pair,
        }
    }

    fn header(&self) -> Value {
        json!({ "alg": self.algorithm.name(), "kid": "k", "typ": "JWT" })
    }

    /// Do we accept it? Then the other one must, too.
    fn accepts(&self, token: &str) -> bool {
        let accepted = self.rules.verify(token, &self.keys, now()).is_ok();
        if accepted {
            let other = decode::<Map<String, Value>>(token, &self.other, &self.strict);
            assert!(other.is_ok(), "jsonwebtoken: {other:?}\n{token}");
        }
        accepted
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap().as_secs()
}

fn claims() -> Value {
    let now = now();
    json!({ "iss": ISSUER, "aud": "us", "sub": "ada", "jti": "1", "iat": now, "nbf": now, "exp": now + 600 })
}

/// A value that one claim or another might have; times are not within seconds of a limit.
fn value(dice: &mut Dice) -> Value {
    let now = now();
    let values = [
        json!(null),
        json!(true),
        json!(""),
        json!("us"),
        json!("US"),
        json!("us "),
        json!(["us"]),
        json!(["them", "us"]),
        json!(["them"]),
        json!([]),
        json!([["us"]]),
        json!({ "us": "us" }),
        json!(ISSUER),
        json!(format!("{ISSUER}/")),
        json!([ISSUER]),
        json!(0),
        json!(-1),
        json!(now - 3_600),
        json!(now - 20),
        json!(now - 5),
        json!(now + 5),
        json!(now + 20),
        json!(now + 3_600),
        json!(now as f64 + 20.5),
        json!(now as f64 - 20.5),
        json!(u64::MAX),
        json!(1e300),
        json!((now + 3_600).to_string()),
        json!("RS256"),
        json!("ES256"),
        json!("EdDSA"),
        json!("HS256"),
        json!("none"),
        json!("k"),
        json!("JWT"),
        json!("at+jwt"),
    ];
    dice.one_of(&values).clone()
}

/// Changes one member, takes it away, or adds one.
fn spoil(object: &mut Value, names: &[&str], dice: &mut Dice) {
    let members = object.as_object_mut().unwrap();
    let name = *dice.one_of(names);
    match dice.below(4) {
        0 => drop(members.remove(name)),
        _ => drop(members.insert(name.into(), value(dice))),
    }
}

/// Changes the text itself: then the signature cannot be right any more.
fn torn(token: &str, dice: &mut Dice) -> String {
    const CHARACTERS: &[u8] = b"ABCXYZabcxyz0189-_+/=. \n\t\0{}\"\xc3\xa9";
    let mut bytes = token.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(5) {
            0 => bytes[at] = *dice.one_of(CHARACTERS),
            1 => bytes.insert(at, *dice.one_of(CHARACTERS)),
            2 => drop(bytes.remove(at)),
            3 => bytes.swap(at, dice.below(token.len()).min(token.len() - 4)),
            _ => bytes[at] ^= 1 << dice.below(7),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn nothing_is_accepted_that_jsonwebtoken_refuses() {
    let pairs = [
        (Pair::ed25519(), Algorithm::EdDSA),
        (Pair::p256(), Algorithm::ES256),
        (Pair::p384(), Algorithm::ES384),
        (Pair::rsa(), Algorithm::RS256),
    ];
    for (pair, algorithm) in pairs {
        let scene = Scene::new(pair, algorithm);
        let mut dice = Dice(0x5eed ^ algorithm as u64);
        let good = scene.pair.token(&scene.header(), &claims());
        assert!(scene.accepts(&good), "{algorithm}");
        let mut accepted = 0;
        for _ in 0..ROUNDS {
            let torn = torn(&good, &mut dice);
            assert_eq!(scene.accepts(&torn), torn == good, "{torn:?}");
        }
        // Signed anew, so that what the token says is all that is wrong with it.
        for _ in 0..ROUNDS / 4 {
            let (mut header, mut claims) = (scene.header(), claims());
            if dice.below(3) == 0 {
                // Not jwk, x5c and their like, which are never looked at here, nor parsed.
                let names = ["alg", "kid", "typ", "cty", "crit", "b64", "x"];
                spoil(&mut header, &names, &mut dice);
            }
            for _ in 0..=dice.below(2) {
                let names = ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "x"];
                spoil(&mut claims, &names, &mut dice);
            }
            let (header, claims) = (header.to_string(), claims.to_string());
            let token = scene.pair.raw(algorithm.name(), &header, &claims);
            accepted += usize::from(scene.accepts(&token));
        }
        assert!(accepted > 50, "{algorithm}: {accepted} were good enough");
    }
}
