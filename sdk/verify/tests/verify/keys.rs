//! Which keys of a set are used, and which never.

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use countersign_verify::{Algorithm, Key, KeyRefusal, KeySet, KeySetError, Refusal, Rules};
use serde_json::{Value, json};

use crate::support::{Good, ISSUER, NOW, Pair, b64, hex, set, with};

/// The set keeps its good key, and refuses the bad one for this reason.
fn refused(bad: Value, reason: KeyRefusal) {
    let good = with(Pair::ed25519().jwk(), json!({ "kid": "good" }));
    for keys in [[good.clone(), bad.clone()], [bad.clone(), good.clone()]] {
        let keys = KeySet::parse(&set(&keys)).unwrap();
        let kids: Vec<_> = keys.keys().iter().map(Key::kid).collect();
        assert_eq!(kids, [Some("good")], "{bad}");
        assert_eq!(keys.refused()[0].reason, reason, "{bad}");
    }
    let alone = KeySet::parse(&set(&[bad]));
    assert!(matches!(alone, Err(KeySetError::NoUsableKey(_))));
}

fn rsa(bits: usize, e: &[u8]) -> Value {
    let mut n = vec![0xa5; bits / 8];
    n[bits / 8 - 1] = 1;
    json!({ "kty": "RSA", "kid": "bad", "n": b64(n), "e": b64(e) })
}

#[test]
fn k07_rsa_keys_of_wrong_size_or_exponent_are_refused_and_others_kept() {
    for bits in [512, 1024, 2040, 8200, 16384] {
        refused(rsa(bits, &[1, 0, 1]), KeyRefusal::ModulusSize(bits));
    }
    for e in [
        &[][..],
        &[0],
        &[1],
        &[2],
        &[3],
        &[17],
        &[1, 0, 0],
        &[0xff, 0xff],
        &[1, 0, 0, 0, 1],
    ] {
        refused(rsa(2048, e), KeyRefusal::Exponent);
    }
    let mut even = vec![0xa5; 256];
    even[255] = 2;
    refused(
        with(rsa(2048, &[1, 0, 1]), json!({ "n": b64(even) })),
        KeyRefusal::ModulusEven,
    );
    refused(
        with(rsa(2048, &[1, 0, 1]), json!({ "n": "" })),
        KeyRefusal::ModulusSize(0),
    );
    refused(
        with(rsa(2048, &[1, 0, 1]), json!({ "n": "a+b/" })),
        KeyRefusal::Base64url("n"),
    );
    refused(
        json!({ "kty": "RSA", "e": "AQAB" }),
        KeyRefusal::Member("n"),
    );
}

#[test]
fn padded_and_zero_led_numbers_of_openmetadata_are_accepted() {
    let pair = Pair::rsa();
    let jwk = pair.jwk();
    let padded = |name: &str| {
        let number = URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        URL_SAFE.encode([&[0][..], &number].concat())
    };
    let (n, e) = (padded("n"), padded("e"));
    assert!(n.ends_with('=') && e.contains('='), "{n} {e}");
    let jwk = json!({ "kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": n, "e": e });
    let keys = KeySet::parse(&set(&[jwk])).unwrap();
    let rules = Rules::new(ISSUER, ["us"], [Algorithm::RS256]).unwrap();
    let token = pair.token(&json!({ "alg": "RS256", "kid": "k" }), &Good::claims());
    assert!(rules.verify(&token, &keys, NOW).is_ok());
}

#[test]
fn k09_points_off_their_curve_and_algorithms_of_another_kind_are_refused() {
    let (p256, p384) = (Pair::p256().jwk(), Pair::p384().jwk());
    let mut y = URL_SAFE_NO_PAD.decode(p256["y"].as_str().unwrap()).unwrap();
    y[31] ^= 1;
    let zero = b64([0; 32]);
    refused(
        with(p256.clone(), json!({ "y": b64(&y) })),
        KeyRefusal::Point,
    );
    refused(
        with(p256.clone(), json!({ "x": zero, "y": zero })),
        KeyRefusal::Point,
    );
    refused(
        with(p256.clone(), json!({ "x": "", "y": "" })),
        KeyRefusal::Width,
    );
    refused(
        with(p256.clone(), json!({ "x": b64(&y[1..]) })),
        KeyRefusal::Width,
    );
    refused(
        with(p256.clone(), json!({ "crv": "P-384" })),
        KeyRefusal::Width,
    );
    refused(
        with(p384.clone(), json!({ "crv": "P-521" })),
        KeyRefusal::Curve,
    );
    refused(
        with(p256.clone(), json!({ "crv": "Ed25519" })),
        KeyRefusal::Curve,
    );
    refused(
        with(p256.clone(), json!({ "kty": "OKP" })),
        KeyRefusal::Curve,
    );
    refused(
        with(p256.clone(), json!({ "kty": "RSA" })),
        KeyRefusal::Member("n"),
    );
    refused(
        with(p256.clone(), json!({ "kty": "AKP" })),
        KeyRefusal::Type,
    );
    for alg in ["ES384", "RS256", "HS256", "none", "ECDH-ES", "ES512"] {
        refused(
            with(p256.clone(), json!({ "alg": alg })),
            KeyRefusal::Algorithm,
        );
    }
    refused(with(p256, json!({ "alg": 1 })), KeyRefusal::Algorithm);
    refused(
        with(Pair::rsa().jwk(), json!({ "alg": "RSA-OAEP" })),
        KeyRefusal::Algorithm,
    );
    refused(
        with(Pair::ed25519().jwk(), json!({ "crv": "X25519" })),
        KeyRefusal::Curve,
    );
}

#[test]
fn t14_ed25519_points_of_small_order_or_in_a_second_spelling_are_refused() {
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let (mut p, mut above) = (minus_one, minus_one);
    (p[0], above[0]) = (0xed, 0xf0);
    let mut one = [0; 32];
    one[0] = 1;
    let order_8 = hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
    let order_8: [u8; 32] = order_8.try_into().unwrap();
    for mut point in [[0; 32], one, minus_one, p, above, order_8] {
        for sign in [0, 0x80] {
            point[31] |= sign;
            refused(
                json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(point) }),
                KeyRefusal::SmallOrder,
            );
        }
    }
    refused(
        json!({ "kty": "OKP", "crv": "Ed25519", "x": b64([7; 31]) }),
        KeyRefusal::Width,
    );
}

#[test]
fn k10_keys_for_other_purposes_are_not_used() {
    let jwk = || Pair::p256().jwk();
    refused(with(jwk(), json!({ "use": "enc" })), KeyRefusal::Use);
    refused(with(jwk(), json!({ "use": null })), KeyRefusal::Use);
    for operations in [
        json!(["encrypt"]),
        json!([]),
        json!("verify"),
        json!(["sign"]),
    ] {
        refused(
            with(jwk(), json!({ "key_ops": operations })),
            KeyRefusal::Operations,
        );
    }
    let fit = with(
        jwk(),
        json!({ "use": "sig", "key_ops": ["sign", "verify"] }),
    );
    assert!(Key::parse(&fit).is_ok());
}

#[test]
fn k11_ambiguous_and_symmetric_keys_are_refused() {
    let named = |pair: Pair, kid: &str| with(pair.jwk(), json!({ "kid": kid }));
    let oct = |kid: &str| json!({ "kty": "oct", "kid": kid, "k": "c2VjcmV0" });
    refused(oct("o"), KeyRefusal::Symmetric);
    refused(
        with(Pair::p256().jwk(), json!({ "d": "AA" })),
        KeyRefusal::Private,
    );
    refused(
        with(Pair::ed25519().jwk(), json!({ "kid": 7 })),
        KeyRefusal::Member("kid"),
    );

    // Of two keys of one name neither is used, even if one of them is no key.
    for second in [
        named(Pair::p256(), "twin"),
        named(Pair::ed25519(), "twin"),
        oct("twin"),
        with(rsa(1024, &[3]), json!({ "kid": "twin" })),
    ] {
        let first = Pair::ed25519();
        let jwks = [
            with(first.jwk(), json!({ "kid": "twin" })),
            second,
            named(Pair::ed25519(), "good"),
        ];
        let keys = KeySet::parse(&set(&jwks)).unwrap();
        assert_eq!(
            (keys.keys().len(), keys.refused()[0].reason.clone()),
            (1, KeyRefusal::DuplicateKid)
        );
        let rules = Rules::new(ISSUER, ["us"], Algorithm::ALL).unwrap();
        let token = first.token(&json!({ "alg": "EdDSA", "kid": "twin" }), &Good::claims());
        assert_eq!(rules.verify(&token, &keys, NOW), Err(Refusal::KidUnknown));
    }
    // A key for encryption may share the name.
    let pair = Pair::p256();
    let other = with(named(Pair::p256(), "k"), json!({ "use": "enc" }));
    let keys = KeySet::parse(&set(&[other, with(pair.jwk(), json!({ "kid": "k" }))])).unwrap();
    let rules = Rules::new(ISSUER, ["us"], [Algorithm::ES256]).unwrap();
    let token = pair.token(&json!({ "alg": "ES256", "kid": "k" }), &Good::claims());
    assert!(rules.verify(&token, &keys, NOW).is_ok());
}

#[test]
fn documents_that_are_no_key_set_are_refused_whole() {
    let key = Pair::ed25519().jwk();
    for (document, error) in [
        (b"<html>".to_vec(), KeySetError::Json),
        (b"[]".to_vec(), KeySetError::Shape),
        (b"{}".to_vec(), KeySetError::Shape),
        (br#"{"keys":{}}"#.to_vec(), KeySetError::Shape),
        (br#"{"keys":[],"keys":[]}"#.to_vec(), KeySetError::Duplicate),
        (
            br#"{"keys":[]}"#.to_vec(),
            KeySetError::NoUsableKey(Vec::new()),
        ),
        (set(&vec![key.clone(); 129]), KeySetError::TooMany(129)),
        (vec![b' '; (1 << 20) + 1], KeySetError::Size),
        (
            format!("{{\"keys\":[{}]}}", "[".repeat(50_000)).into_bytes(),
            KeySetError::Limits,
        ),
    ] {
        assert_eq!(KeySet::parse(&document).unwrap_err(), error);
    }
    assert!(
        matches!(KeySet::parse(br#"{"keys":[1,null]}"#), Err(KeySetError::NoUsableKey(keys)) if keys.len() == 2)
    );
    let many: Vec<Value> = (0..10_000)
        .map(|n| with(key.clone(), json!({ "kid": n.to_string() })))
        .collect();
    assert_eq!(KeySet::parse(&set(&many)).unwrap_err(), KeySetError::Limits);
}

#[test]
fn h08_names_of_refused_keys_are_escaped_and_cut() {
    let bad = json!({ "kty": "oct", "kid": format!("\r\n\u{1b}[31m{}", "x".repeat(10_000)) });
    let error = KeySet::parse(&set(&[bad])).unwrap_err().to_string();
    assert!(
        error.len() < 300 && !error.contains(['\r', '\n', '\u{1b}']),
        "{error}"
    );
}
