//! Signatures: spoilt, of other lengths, by other keys.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_verify::{Algorithm, Key, KeySet, Refusal, Rules};
use serde_json::json;

use crate::support::{Good, ISSUER, NOW, Pair, b64, hex, set, with};

fn issuer(pair: &Pair) -> (Rules, KeySet) {
    let keys = KeySet::parse(&set(&[with(pair.jwk(), json!({ "kid": "k" }))])).unwrap();
    (Rules::new(ISSUER, ["us"], Algorithm::ALL).unwrap(), keys)
}

#[test]
fn every_algorithm_verifies_its_own_tokens() {
    for (pair, algorithms) in [
        (Pair::rsa(), &["RS256", "RS384", "RS512", "PS256"][..]),
        (Pair::p256(), &["ES256"]),
        (Pair::p384(), &["ES384"]),
        (Pair::ed25519(), &["EdDSA"]),
    ] {
        let (rules, keys) = issuer(&pair);
        for alg in algorithms {
            let token = pair.token(&json!({ "alg": alg, "kid": "k" }), &Good::claims());
            assert!(rules.verify(&token, &keys, NOW).is_ok(), "{alg}");
        }
    }
}

#[test]
fn t04_hmac_over_the_public_key_is_refused() {
    let pair = Pair::rsa();
    let (rules, keys) = issuer(&pair);
    let n = URL_SAFE_NO_PAD
        .decode(pair.jwk()["n"].as_str().unwrap())
        .unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
        STANDARD.encode(&n)
    );
    for secret in [pem.clone(), format!("{pem}\n")] {
        let signed = format!(
            "{}.{}",
            b64(r#"{"alg":"HS256","kid":"k"}"#),
            b64(Good::claims().to_string())
        );
        let mac = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            signed.as_bytes(),
        );
        let token = format!("{signed}.{}", b64(mac));
        assert_eq!(
            rules.verify(&token, &keys, NOW),
            Err(Refusal::AlgorithmUnknown)
        );
    }
}

#[test]
fn t09_key_of_another_kind_or_curve_is_refused() {
    let pairs = [
        ("RS256", Pair::rsa()),
        ("ES256", Pair::p256()),
        ("ES384", Pair::p384()),
        ("EdDSA", Pair::ed25519()),
    ];
    for (alg, pair) in &pairs {
        let token = pair.token(&json!({ "alg": alg, "kid": "k" }), &Good::claims());
        for (other_alg, other) in pairs.iter().filter(|(other, _)| other != alg) {
            let (rules, keys) = issuer(other);
            assert_eq!(
                rules.verify(&token, &keys, NOW),
                Err(Refusal::KeyMismatch),
                "{alg} {other_alg}"
            );
        }
    }
}

/// The order of P-256 (FIPS 186-4 D.1.2.3).
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn t10_psychic_signatures_are_refused() {
    let pair = Pair::p256();
    let (rules, keys) = issuer(&pair);
    let signed = format!(
        "{}.{}",
        b64(r#"{"alg":"ES256","kid":"k"}"#),
        b64(Good::claims().to_string())
    );
    let mut one = [0; 32];
    one[31] = 1;
    for (r, s) in [
        ([0; 32], [0; 32]),
        ([0; 32], one),
        (one, [0; 32]),
        (N, one),
        (one, N),
        (N, N),
    ] {
        let token = format!("{signed}.{}", b64([r, s].concat()));
        assert_eq!(rules.verify(&token, &keys, NOW), Err(Refusal::Signature));
    }
}

/// The good token's signature, changed by `spoil`, is refused.
fn spoilt(pair: &Pair, alg: &str, spoil: impl Fn(&mut Vec<u8>)) {
    let (rules, keys) = issuer(pair);
    let token = pair.token(&json!({ "alg": alg, "kid": "k" }), &Good::claims());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    spoil(&mut signature);
    let token = format!("{signed}.{}", b64(signature));
    assert_eq!(
        rules.verify(&token, &keys, NOW),
        Err(Refusal::Signature),
        "{alg}"
    );
}

#[test]
fn t12_ecdsa_signatures_of_other_lengths_are_refused() {
    let pair = Pair::p256();
    for length in [0, 63, 65, 66, 686] {
        spoilt(&pair, "ES256", |signature| signature.resize(length, 0));
    }
    spoilt(&pair, "ES256", |signature| {
        // The same two numbers in DER.
        let (r, s) = signature.split_at(32);
        let number = |n: &[u8]| [&[2, 33, 0][..], n].concat();
        *signature = [vec![0x30, 70], number(r), number(s)].concat();
    });
}

/// Wycheproof has no such signatures: the equation `S·B = R + k·A` holds for each of them.
#[test]
fn t14_ed25519_signatures_that_begin_with_a_point_of_small_order_are_refused() {
    // RFC 8032's key of the seed 00 01 … 1f, and the same plus a point of order 8.
    let key = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
    let mixed = "b154bd62188ae283dd187fefe8c31f5e276edf083b4cff11c9d5cff856c74440";
    for (key, payload, r, s) in [
        (
            key,
            "e30",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "3bf02e5d0ba59e44e2769c830898ea4bdedb6635cca55a057087b68aba0aa907",
        ),
        (
            mixed,
            "10",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "12dc574dfb856095d0f8901bd94f8001ec9abc4e19b4f1962bdbdbd6da613d07",
        ),
        (
            mixed,
            "7",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "6b641f84b316c41e6b3a3478580885e659caa1c0c923dd04bc0bab61c8e16b06",
        ),
        (
            mixed,
            "3",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "7cc112a3da59dc2ae3b5d520e2ddb3d2b3082eeda1d5023a3780211fb556ac03",
        ),
    ] {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(hex(key)) });
        let signed = format!("eyJhbGciOiJFZERTQSJ9.{payload}");
        let signature = [hex(r), hex(s)].concat();
        let key = Key::parse(&key).unwrap();
        assert!(
            !key.verifies(Algorithm::EdDSA, signed.as_bytes(), &signature),
            "{r}"
        );
    }
}

#[test]
fn t18_rsa_signatures_of_other_lengths_are_refused() {
    let pair = Pair::rsa();
    spoilt(&pair, "RS256", |signature| signature.insert(0, 0));
    spoilt(&pair, "RS256", |signature| signature.push(0));
    spoilt(&pair, "PS256", |signature| signature.truncate(255));
    // One in 256 signatures begins with a zero; without it, it is no signature.
    let (rules, keys) = issuer(&pair);
    let stripped = (0..).find_map(|n| {
        let claims = with(Good::claims(), json!({ "n": n }));
        let token = pair.token(&json!({ "alg": "RS256", "kid": "k" }), &claims);
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        (signature[0] == 0).then(|| format!("{signed}.{}", b64(&signature[1..])))
    });
    assert_eq!(
        rules.verify(&stripped.unwrap(), &keys, NOW),
        Err(Refusal::Signature)
    );
}

#[test]
fn t59_every_flipped_bit_of_a_signature_is_refused() {
    for (pair, alg, length) in [
        (Pair::ed25519(), "EdDSA", 64),
        (Pair::p256(), "ES256", 64),
        (Pair::rsa(), "RS256", 256),
    ] {
        for byte in 0..length {
            spoilt(&pair, alg, |signature| signature[byte] ^= 1 << (byte % 8));
        }
    }
}
