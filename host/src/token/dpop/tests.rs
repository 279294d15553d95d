#![allow(clippy::unwrap_used)]
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use countersign_verify::{KeyRefusal, Refusal};
use serde_json::json;

use super::*;

const NOW: u64 = 1_767_225_600;
const URL: &str = "https://id.example/oauth2/token";
const TOKEN: &str = "a.token.of-ours";

/// A client's key, and what it signs.
struct Client(EcdsaKeyPair);

impl Client {
    fn new() -> Self {
        Client(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let half = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        json!({ "kty": "EC", "crv": "P-256", "x": half(&point[1..33]), "y": half(&point[33..]) })
    }

    fn header(&self) -> Value {
        json!({ "typ": TYPE, "alg": "ES256", "jwk": self.jwk() })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        sealed(header, claims, |text| {
            let signature = self.0.sign(&SystemRandom::new(), text);
            signature.unwrap().as_ref().to_vec()
        })
    }

    /// A good proof but for one member of its header; null takes it away.
    fn header_with(&self, name: &str, value: Value) -> Result<Proof, NotProved> {
        let header = changed(self.header(), name, value);
        check(&self.sign(&header, &claims()), &expected())
    }

    /// The same of its claims.
    fn claim_with(&self, name: &str, value: Value) -> Result<Proof, NotProved> {
        let claims = changed(claims(), name, value);
        check(&self.sign(&self.header(), &claims), &expected())
    }
}

fn sealed(header: &Value, claims: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.into(), value)),
    }
    object
}

fn claims() -> Value {
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(TOKEN));
    json!({ "jti": "1", "htm": "POST", "htu": URL, "iat": NOW, "ath": ath })
}

fn expected() -> Expected<'static> {
    Expected {
        method: "POST",
        url: URL,
        token: Some(TOKEN),
        nonce: None,
        now: NOW,
    }
}

fn jws(refusal: Refusal) -> Result<Proof, NotProved> {
    Err(NotProved::Jws(refusal))
}

/// RFC 9449 sections 4.1 and 6.1.
#[test]
fn proof_of_the_rfc_holds_for_its_request_and_its_key() {
    let proof = concat!(
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19",
        ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ",
        ".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg",
    );
    let at = Expected {
        url: "https://server.example.com/token",
        token: None,
        now: 1_562_262_616,
        ..expected()
    };
    let proved = check(proof, &at).unwrap();
    assert_eq!(proved.key, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    assert_eq!(proved.until, at.now + LIFE + 1);
}

#[test]
fn every_kind_of_key_that_we_take_proves_itself() {
    let client = Client::new();
    let header = client.header();
    let found = check(&client.sign(&header, &claims()), &expected()).unwrap();
    assert_eq!(found.key, thumbprint(&client.jwk()).unwrap());
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let (n, e) = rsa_numbers(&pair);
    let jwk =
        json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(&n), "e": URL_SAFE_NO_PAD.encode(&e) });
    for alg in ["RS256", "PS256"] {
        let header = json!({ "typ": TYPE, "alg": alg, "jwk": jwk });
        assert!(check(&by_rsa(&pair, &header), &expected()).is_ok(), "{alg}");
    }
    // Another spelling of the same key would be another thumbprint.
    for other in [
        format!("{}=", URL_SAFE_NO_PAD.encode(&e)),
        URL_SAFE_NO_PAD.encode([&[0], e.as_slice()].concat()),
    ] {
        let jwk = changed(jwk.clone(), "e", json!(other));
        let header = json!({ "typ": TYPE, "alg": "RS256", "jwk": jwk });
        let refused = check(&by_rsa(&pair, &header), &expected());
        assert_eq!(refused, Err(NotProved::Spelling));
    }
}

fn rsa_numbers(pair: &RsaKeyPair) -> (Vec<u8>, Vec<u8>) {
    let key = pair.public_key();
    let bytes = |number: &[u8]| number.to_vec();
    (
        bytes(key.modulus().big_endian_without_leading_zero()),
        bytes(key.exponent().big_endian_without_leading_zero()),
    )
}

fn by_rsa(pair: &RsaKeyPair, header: &Value) -> String {
    sealed(header, &claims(), |text| {
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = match header["alg"].as_str() {
            Some("PS256") => pair.sign(&RSA_PSS_SHA256, &random, text, &mut signature),
            _ => pair.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature),
        };
        signed.unwrap();
        signature
    })
}

#[test]
fn s12_what_is_no_jwt_of_this_type_is_no_proof() {
    let good = Client::new();
    let proof = good.sign(&good.header(), &claims());
    let long = "a".repeat(LONGEST + 1);
    for (text, why) in [
        ("", NotProved::Jws(Refusal::Segments)),
        (long.as_str(), NotProved::Size),
        (
            &format!("{proof},{proof}"),
            NotProved::Jws(Refusal::Segments),
        ),
    ] {
        assert_eq!(check(text, &expected()), Err(why));
    }
    for typ in [
        Value::Null,
        json!("JWT"),
        json!("at+jwt"),
        json!("DPOP+JWT"),
    ] {
        assert_eq!(good.header_with("typ", typ), Err(NotProved::Type));
    }
    assert_eq!(
        good.header_with("crit", json!(["b64"])),
        jws(Refusal::Critical)
    );
}

#[test]
fn s12_symmetric_and_no_algorithms_and_those_of_other_keys_are_refused() {
    let client = Client::new();
    for alg in ["none", "None", "HS256", "HS512", "ES512", "ES256K", ""] {
        let refused = client.header_with("alg", json!(alg));
        assert!(
            matches!(refused, Err(NotProved::Jws(_))),
            "{alg}: {refused:?}"
        );
    }
    for alg in ["RS256", "PS256", "ES384", "EdDSA"] {
        let refused = client.header_with("alg", json!(alg));
        assert_eq!(refused, jws(Refusal::KeyMismatch), "{alg}");
    }
}

#[test]
fn s12_key_that_is_missing_private_symmetric_or_weak_is_refused() {
    let client = Client::new();
    assert_eq!(
        client.header_with("jwk", Value::Null),
        Err(NotProved::NoKey)
    );
    let with = |name: &str, value: Value| {
        let jwk = changed(client.jwk(), name, value);
        client.header_with("jwk", jwk).unwrap_err()
    };
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        let why = with(name, json!("AQ"));
        assert_eq!(why, NotProved::Key(KeyRefusal::Private), "{name}");
    }
    assert_eq!(with("use", json!("enc")), NotProved::Key(KeyRefusal::Use));
    assert_eq!(
        with("crv", json!("P-521")),
        NotProved::Key(KeyRefusal::Curve)
    );
    let weak = URL_SAFE_NO_PAD.encode([0xff; 128]);
    for (jwk, why) in [
        (json!({ "kty": "oct", "k": "AAAA" }), KeyRefusal::Symmetric),
        (
            json!({ "kty": "RSA", "n": weak, "e": "AQAB" }),
            KeyRefusal::ModulusSize(1024),
        ),
        (json!("key"), KeyRefusal::NotObject),
        (json!({}), KeyRefusal::Member("kty")),
    ] {
        assert_eq!(client.header_with("jwk", jwk), Err(NotProved::Key(why)));
    }
}

#[test]
fn s12_proof_that_another_key_has_signed_is_refused() {
    let (client, thief) = (Client::new(), Client::new());
    let forged = thief.sign(&client.header(), &claims());
    assert_eq!(check(&forged, &expected()), jws(Refusal::Signature));
}

#[test]
fn s12_proof_about_another_request_is_refused() {
    let client = Client::new();
    for method in ["GET", "post", "POST "] {
        assert_eq!(
            client.claim_with("htm", json!(method)),
            Err(NotProved::Method)
        );
    }
    for url in [
        "https://evil.example/oauth2/token",
        "http://id.example/oauth2/token",
        "x",
    ] {
        assert_eq!(client.claim_with("htu", json!(url)), Err(NotProved::Target));
    }
    for (token, why) in [
        (
            json!(URL_SAFE_NO_PAD.encode(Sha256::digest("another"))),
            NotProved::Token,
        ),
        (json!(TOKEN), NotProved::Token),
        (Value::Null, NotProved::Claim("ath")),
    ] {
        assert_eq!(client.claim_with("ath", token), Err(why));
    }
}

#[test]
fn s12_proof_is_good_for_its_minute_alone() {
    let client = Client::new();
    let at = |iat: u64| {
        client
            .claim_with("iat", json!(iat))
            .map(|proof| proof.until)
    };
    assert_eq!(at(NOW - LIFE), Ok(NOW + 1));
    assert_eq!(at(NOW + AHEAD), Ok(NOW + AHEAD + LIFE + 1));
    assert_eq!(at(NOW - LIFE - 1), Err(NotProved::Old(LIFE + 1)));
    assert_eq!(at(NOW + AHEAD + 1), Err(NotProved::Future(AHEAD + 1)));
    assert_eq!(at(0), Err(NotProved::Old(NOW)));
    for iat in [Value::Null, json!("1"), json!(-1), json!(1e300), json!([])] {
        assert_eq!(client.claim_with("iat", iat), Err(NotProved::Claim("iat")));
    }
}

#[test]
fn s12_proof_without_a_name_of_its_own_is_refused_and_two_keys_share_none() {
    let (one, other) = (Client::new(), Client::new());
    let long = "a".repeat(LONGEST_ID + 1);
    for jti in [Value::Null, json!(""), json!(1), json!(long)] {
        assert_eq!(one.claim_with("jti", jti), Err(NotProved::Claim("jti")));
    }
    let id = |client: &Client, jti: &str| client.claim_with("jti", json!(jti)).unwrap().id;
    assert_eq!(id(&one, "1"), id(&one, "1"));
    assert_ne!(id(&one, "1"), id(&one, "2"));
    assert_ne!(id(&one, "1"), id(&other, "1"));
}

#[test]
fn s12_nonce_that_is_wanted_must_be_there_and_ours() {
    let client = Client::new();
    let is_ours = |nonce: &str| nonce == "ours";
    let with = |nonce: Value| {
        let claims = changed(claims(), "nonce", nonce);
        let wanted = Expected {
            nonce: Some(&is_ours),
            ..expected()
        };
        check(&client.sign(&client.header(), &claims), &wanted).map(|_| ())
    };
    assert_eq!(with(json!("ours")), Ok(()));
    assert_eq!(with(json!("another")), Err(NotProved::Nonce));
    for missing in [Value::Null, json!(1)] {
        assert_eq!(with(missing), Err(NotProved::NoNonce));
    }
    // One that nobody asked for says nothing.
    assert!(client.claim_with("nonce", json!("x")).is_ok());
    assert_eq!(NotProved::Nonce.error(), "use_dpop_nonce");
    assert_eq!(NotProved::Again.error(), "invalid_dpop_proof");
}

#[test]
fn thumbprints_are_of_their_form() {
    let key = thumbprint(&Client::new().jwk()).unwrap();
    assert!(is_thumbprint(&key));
    for bad in ["", "x", &key[1..], &format!("{key}=")] {
        assert!(!is_thumbprint(bad), "{bad}");
    }
}
