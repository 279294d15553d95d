//! What a header may say, and what it may not make a verifier do.

use std::io::ErrorKind;
use std::net::TcpListener;

use countersign_verify::{Algorithm, KeySet, Refusal, Rules};
use serde_json::{Value, json};

use crate::support::{Good, ISSUER, NOW, Pair, b64, rule, set, with};

#[test]
fn t01_alg_none_in_every_spelling_is_refused() {
    let good = Good::new();
    for alg in [
        "none", "None", "nOnE", "NONE", "none ", "HS256", "hs256", "eddsa", "ES256K", "RS1",
    ] {
        let header = b64(json!({ "alg": alg, "kid": "k" }).to_string());
        for signature in ["", "AA"] {
            let token = format!("{header}.{}.{signature}", b64(Good::claims().to_string()));
            assert_eq!(good.verify(&token), Err(Refusal::AlgorithmUnknown), "{alg}");
        }
    }
}

#[test]
fn t03_alg_that_is_no_text_is_refused() {
    let good = Good::new();
    assert_eq!(
        good.header_with("alg", Value::Null),
        Err(Refusal::HeaderMissing("alg"))
    );
    let header = r#"{"alg":null,"kid":"k"}"#;
    let token = good.pair.raw("EdDSA", header, &Good::claims().to_string());
    assert_eq!(good.verify(&token), Err(Refusal::HeaderType("alg")));
    for alg in [
        json!(""),
        json!(1),
        json!(["EdDSA"]),
        json!({ "EdDSA": 1 }),
        json!(true),
    ] {
        assert_eq!(
            good.header_with("alg", alg),
            Err(Refusal::HeaderType("alg"))
        );
    }
}

#[test]
fn t07_algorithms_beside_the_list_are_refused_with_the_same_key() {
    let pair = Pair::rsa();
    let keys = KeySet::parse(&set(&[with(pair.jwk(), json!({ "kid": "k" }))])).unwrap();
    let rules = Rules::new(ISSUER, ["us"], [Algorithm::RS256]).unwrap();
    let all = Rules::new(ISSUER, ["us"], Algorithm::ALL).unwrap();
    for (alg, known) in [
        ("RS384", Algorithm::RS384),
        ("RS512", Algorithm::RS512),
        ("PS256", Algorithm::PS256),
    ] {
        let token = pair.token(&json!({ "alg": alg, "kid": "k" }), &Good::claims());
        assert_eq!(
            rules.verify(&token, &keys, NOW),
            Err(Refusal::AlgorithmNotAllowed(known))
        );
        assert!(all.verify(&token, &keys, NOW).is_ok(), "{alg}");
        let named = KeySet::parse(&set(&[with(
            pair.jwk(),
            json!({ "kid": "k", "alg": "RS256" }),
        )]))
        .unwrap();
        assert_eq!(
            all.verify(&token, &named, NOW),
            Err(Refusal::KeyMismatch),
            "the key says RS256"
        );
    }
}

#[test]
fn ed25519_is_another_name_of_eddsa() {
    let good = Good::new();
    assert!(good.header_with("alg", "Ed25519".into()).is_ok());
    let rules = Rules::new(ISSUER, ["us"], [Algorithm::ES256]).unwrap();
    let token = good
        .pair
        .token(&json!({ "alg": "Ed25519", "kid": "k" }), &Good::claims());
    assert_eq!(
        rules.verify(&token, &good.keys, NOW),
        Err(Refusal::AlgorithmNotAllowed(Algorithm::EdDSA))
    );
}

#[test]
fn t19_embedded_key_of_an_attacker_is_never_used() {
    let (good, attacker) = (Good::new(), Pair::ed25519());
    for kid in ["k", "other"] {
        let header = json!({ "alg": "EdDSA", "kid": kid, "jwk": with(attacker.jwk(), json!({ "kid": kid })) });
        let verdict = good.verify(&attacker.token(&header, &Good::claims()));
        assert!(["signature", "kid"].contains(&rule(verdict)));
    }
}

/// A header that points somewhere: whoever listens there hears nothing.
fn nobody_is_asked(members: impl Fn(&str) -> Value) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (good, attacker) = (Good::new(), Pair::ed25519());
    let header = with(Good::header(), members(&address));
    assert_eq!(
        rule(good.verify(&attacker.token(&header, &Good::claims()))),
        "signature"
    );
    assert!(
        good.verify(&good.pair.token(&header, &Good::claims()))
            .is_ok()
    );
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn t20_jku_is_never_asked() {
    nobody_is_asked(|address| json!({ "jku": format!("http://{address}/jwks") }));
    nobody_is_asked(|_| json!({ "jku": "http://169.254.169.254/latest" }));
    nobody_is_asked(|_| json!({ "jku": "file:///etc/passwd" }));
}

#[test]
fn t21_certificates_of_a_header_are_never_used() {
    nobody_is_asked(
        |address| json!({ "x5u": format!("http://{address}/chain"), "x5t": "AAAA", "x5c": ["MIIB"] }),
    );
}

#[test]
fn t22_kid_that_is_a_path_is_compared_and_nothing_else() {
    let good = Good::new();
    for kid in [
        "../../dev/null",
        "/dev/null",
        r"..\..\nul",
        "k\0",
        "file:///dev/null",
        "K",
        "k ",
    ] {
        assert_eq!(
            good.header_with("kid", kid.into()),
            Err(Refusal::KidUnknown),
            "{kid:?}"
        );
    }
}

#[test]
fn t23_kid_with_meta_characters_is_unknown_and_a_long_one_is_refused() {
    let good = Good::new();
    for kid in ["' OR 1=1 --", "*)(uid=*", "$(id)", "k\r\nset-cookie: a=b"] {
        assert_eq!(
            good.header_with("kid", kid.into()),
            Err(Refusal::KidUnknown),
            "{kid:?}"
        );
    }
    assert_eq!(
        good.header_with("kid", "k".repeat(2_000).into()),
        Err(Refusal::HeaderType("kid"))
    );
    assert_eq!(
        rule(good.header_with("kid", "k".repeat(1 << 20).into())),
        "size"
    );
    assert_eq!(
        good.header_with("kid", json!(7)),
        Err(Refusal::HeaderType("kid"))
    );
}

#[test]
fn token_without_kid_takes_the_only_key_that_fits_and_never_one_of_several() {
    let (good, other) = (Good::new(), Pair::p256());
    let token = good.pair.token(&json!({ "alg": "EdDSA" }), &Good::claims());
    let keys = |jwks: &[Value]| KeySet::parse(&set(jwks)).unwrap();
    let one = keys(&[good.pair.jwk(), with(other.jwk(), json!({ "kid": "p" }))]);
    assert!(good.rules.verify(&token, &one, NOW).is_ok());
    let two = keys(&[
        good.pair.jwk(),
        with(Pair::ed25519().jwk(), json!({ "kid": "e" })),
    ]);
    assert_eq!(
        good.rules.verify(&token, &two, NOW),
        Err(Refusal::KidMissing)
    );
    assert_eq!(
        good.rules.verify(&token, &keys(&[other.jwk()]), NOW),
        Err(Refusal::KidMissing)
    );
}

#[test]
fn t28_crit_in_every_form_is_refused() {
    let good = Good::new();
    for crit in [
        json!(["exp"]),
        json!([]),
        json!("exp"),
        json!(["absent"]),
        json!(["alg"]),
        json!(["b64"]),
        json!({}),
    ] {
        assert_eq!(good.header_with("crit", crit), Err(Refusal::Critical));
    }
    for b64 in [json!(false), json!(true)] {
        assert_eq!(good.header_with("b64", b64), Err(Refusal::Unencoded));
    }
}

#[test]
fn t48_kinds_of_tokens_are_told_apart_by_typ() {
    let good = Good::new();
    for typ in [
        json!("JWT"),
        json!("jwt"),
        json!("application/JWT"),
        Value::Null,
    ] {
        assert!(good.header_with("typ", typ).is_ok());
    }
    for typ in [
        "at+jwt",
        "logout+jwt",
        "dpop+jwt",
        "JOSE",
        "application/at+jwt",
    ] {
        assert_eq!(
            good.header_with("typ", typ.into()),
            Err(Refusal::Type),
            "{typ}"
        );
    }
    let access = Good {
        rules: good.rules.clone().types(["at+jwt"]),
        ..good
    };
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(access.header_with("typ", typ.into()).is_ok(), "{typ}");
    }
    for typ in [json!("JWT"), Value::Null] {
        assert_eq!(
            access.header_with("typ", typ),
            Err(Refusal::Type),
            "an ID token is no access token"
        );
    }
}

#[test]
fn t56_token_within_a_token_is_refused() {
    let good = Good::new();
    for cty in ["JWT", "jwt", "application/jwt"] {
        assert_eq!(
            good.header_with("cty", cty.into()),
            Err(Refusal::Nested),
            "{cty}"
        );
    }
}
