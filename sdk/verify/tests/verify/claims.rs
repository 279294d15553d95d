//! What a token must say, and until when.

use std::time::Duration;

use countersign_verify::{Algorithm, Refusal, Rules, RulesError};
use serde_json::{Value, json};

use crate::support::{Good, ISSUER, NOW, rule, with};

#[test]
fn t38_token_is_good_until_exp_and_the_leeway() {
    let good = Good::new();
    let at = |exp: u64| good.claim_with("exp", json!(exp));
    assert!(at(NOW + 1).is_ok() && at(NOW).is_ok() && at(NOW - 9).is_ok());
    assert_eq!(
        at(NOW - 10),
        Err(Refusal::Expired(10)),
        "exp must be after now - leeway"
    );
    assert_eq!(at(NOW - 11), Err(Refusal::Expired(11)));
    assert_eq!(at(0), Err(Refusal::Expired(NOW)));
    let strict = Good {
        rules: good.rules.clone().leeway(Duration::ZERO),
        ..good
    };
    assert_eq!(
        strict.claim_with("exp", json!(NOW)),
        Err(Refusal::Expired(0))
    );
    assert!(strict.claim_with("exp", json!(NOW + 1)).is_ok());
    assert_eq!(
        strict.claim_with("exp", json!(NOW as f64 + 0.9)),
        Err(Refusal::Expired(0))
    );
    assert!(strict.claim_with("exp", json!(NOW as f64 + 1.5)).is_ok());
}

#[test]
fn t39_token_without_exp_is_refused_unless_the_rules_say_otherwise() {
    let good = Good::new();
    assert_eq!(
        good.claim_with("exp", Value::Null),
        Err(Refusal::ClaimMissing("exp"))
    );
    let lasting = Good {
        rules: good.rules.clone().without_expiry(),
        ..good
    };
    assert_eq!(
        lasting.claim_with("exp", Value::Null).unwrap().expires,
        None
    );
    assert_eq!(rule(lasting.claim_with("exp", json!(1))), "exp");
}

#[test]
fn t41_token_of_the_future_is_refused() {
    let good = Good::new();
    for claim in ["nbf", "iat"] {
        assert!(good.claim_with(claim, json!(NOW + 10)).is_ok());
        assert!(good.claim_with(claim, Value::Null).is_ok());
        assert!(good.claim_with(claim, json!(0)).is_ok());
        assert_eq!(rule(good.claim_with(claim, json!(NOW + 11))), claim);
        assert_eq!(
            rule(good.claim_with(claim, json!(NOW as f64 + 10.5))),
            claim
        );
    }
}

#[test]
fn times_that_are_no_times_are_refused() {
    let good = Good::new();
    for claim in ["exp", "nbf", "iat"] {
        for time in [
            json!("1"),
            json!(-1),
            json!(1e30),
            json!(u64::MAX),
            json!([1]),
            json!(true),
        ] {
            let verdict = good.claim_with(claim, time.clone());
            assert!(
                matches!(verdict, Err(Refusal::ClaimType(name, _)) if name == claim),
                "{claim} {time}"
            );
        }
    }
}

#[test]
fn t43_issuer_is_compared_to_the_letter() {
    let good = Good::new();
    for iss in [
        "https://other.example",
        "https://good.example/",
        "https://GOOD.example",
        "https://g\u{43e}\u{43e}d.example",
        "https://good.example.evil",
        "https://good.exampl",
        " https://good.example",
    ] {
        assert_eq!(
            good.claim_with("iss", iss.into()),
            Err(Refusal::Issuer),
            "{iss}"
        );
    }
    assert_eq!(
        good.claim_with("iss", Value::Null),
        Err(Refusal::ClaimMissing("iss"))
    );
    assert_eq!(rule(good.claim_with("iss", json!([ISSUER]))), "iss");
}

#[test]
fn t45_audience_must_name_us() {
    let good = Good::new();
    assert!(good.claim_with("aud", json!(["them", "us"])).is_ok());
    assert_eq!(
        good.claim_with("aud", Value::Null),
        Err(Refusal::ClaimMissing("aud"))
    );
    for aud in [
        json!("them"),
        json!(["them"]),
        json!([]),
        json!("US"),
        json!("us "),
        json!(""),
    ] {
        assert_eq!(
            good.claim_with("aud", aud.clone()),
            Err(Refusal::Audience),
            "{aud}"
        );
    }
    for aud in [json!(["us", 1]), json!({ "us": 1 }), json!(1)] {
        assert!(matches!(
            good.claim_with("aud", aud),
            Err(Refusal::ClaimType("aud", _))
        ));
    }
}

#[test]
fn subject_is_required_and_a_text() {
    let good = Good::new();
    assert_eq!(
        good.claim_with("sub", Value::Null),
        Err(Refusal::ClaimMissing("sub"))
    );
    for sub in [json!(""), json!(1), json!(["ada"])] {
        assert_eq!(rule(good.claim_with("sub", sub)), "sub");
    }
    assert_eq!(rule(good.claim_with("jti", json!(1))), "jti");
    assert_eq!(good.claim_with("jti", Value::Null).unwrap().id, None);
}

#[test]
fn rules_without_issuer_audience_or_algorithm_are_no_rules() {
    let none: [&str; 0] = [];
    assert_eq!(
        Rules::new("", ["us"], [Algorithm::RS256]),
        Err(RulesError::Issuer)
    );
    assert_eq!(
        Rules::new(ISSUER, none, [Algorithm::RS256]),
        Err(RulesError::Audience)
    );
    assert_eq!(
        Rules::new(ISSUER, [""], [Algorithm::RS256]),
        Err(RulesError::Audience)
    );
    assert_eq!(Rules::new(ISSUER, ["us"], []), Err(RulesError::Algorithm));
}

#[test]
fn id_token_for_several_audiences_names_its_client_in_azp() {
    let good = Good::new();
    let rules = good.rules.clone().authorized_party("us");
    let good = Good { rules, ..good };
    let of = |aud: Value, azp: Value| {
        let mut claims = with(Good::claims(), json!({ "aud": aud }));
        if !azp.is_null() {
            claims = with(claims, json!({ "azp": azp }));
        }
        good.verify(&good.pair.token(&Good::header(), &claims))
    };
    assert!(of(json!("us"), Value::Null).is_ok());
    assert!(of(json!(["us"]), json!("us")).is_ok());
    assert!(of(json!(["us", "them"]), json!("us")).is_ok());
    for (aud, azp) in [
        (json!(["us", "them"]), Value::Null),
        (json!(["us", "them"]), json!("them")),
        (json!("us"), json!("them")),
    ] {
        assert_eq!(of(aud, azp), Err(Refusal::Party));
    }
}

#[test]
fn s12_token_that_is_bound_to_a_key_is_refused_unless_the_caller_checks_the_key() {
    let good = Good::new();
    let checks = Good {
        rules: good.rules.clone().bound_too(),
        ..Good::new()
    };
    for (cnf, key) in [
        (json!({ "jkt": "x" }), Some("x")),
        (json!({ "x5t#S256": "x" }), None),
        (json!({ "jkt": "x", "x5t#S256": "y" }), None),
        (json!({ "jkt": 1 }), None),
        (json!("x"), None),
        (json!(false), None),
    ] {
        let refused = good.claim_with("cnf", cnf.clone());
        assert_eq!(refused, Err(Refusal::Bound), "{cnf}");
        let bound = checks.claim_with("cnf", cnf).unwrap();
        assert!(bound.is_bound());
        assert_eq!(bound.key(), key);
    }
    for cnf in [Value::Null, json!({})] {
        let free = good.claim_with("cnf", cnf).unwrap();
        assert_eq!((free.is_bound(), free.key()), (false, None));
    }
}
