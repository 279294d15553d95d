//! The three segments and the JSON in them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use countersign_verify::jws::TOKEN_LIMIT;
use countersign_verify::{Jws, Part, Refusal};

use crate::support::{Good, b64, rule};

#[test]
fn good_token_is_accepted_with_its_claims() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let verified = good.verify(&token).unwrap();
    assert_eq!(verified.principal(), ("https://good.example", "ada"));
    assert_eq!(verified.id.as_deref(), Some("1"));
    assert_eq!(serde_json::Value::Object(verified.claims), Good::claims());
}

#[test]
fn t26_claims_and_header_members_that_occur_twice_are_refused() {
    let good = Good::new();
    let claims = Good::claims().to_string();
    for twice in [
        r#""sub":"eve""#,
        r#""exp":1"#,
        r#""aud":"us""#,
        r#""\u0073ub":"eve""#,
    ] {
        for payload in [
            claims.replacen('{', &format!("{{{twice},"), 1),
            claims.replace('}', &format!(",{twice}}}")),
        ] {
            let token = good
                .pair
                .raw("EdDSA", &Good::header().to_string(), &payload);
            assert_eq!(
                good.verify(&token),
                Err(Refusal::Duplicate(Part::Payload)),
                "{payload}"
            );
        }
    }
    let header = r#"{"alg":"EdDSA","alg":"EdDSA","kid":"k"}"#;
    let token = good.pair.raw("EdDSA", header, &claims);
    assert_eq!(good.verify(&token), Err(Refusal::Duplicate(Part::Header)));
}

#[test]
fn t30_json_serialisation_is_no_token() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("three segments")
    };
    let flattened =
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    let general = format!(
        r#"{{"payload":"{payload}","signatures":[{{"protected":"{header}","signature":"{signature}"}}]}}"#
    );
    // CVE-2022-39227: the same text reads as one in JSON and as another in compact form.
    let polyglot = format!(
        r#"{{"  {header}.eyJzdWIiOiJldmUifQ.":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
    );
    for text in [flattened, general, polyglot] {
        assert!(
            ["segments", "base64url"].contains(&rule(good.verify(&text))),
            "{text}"
        );
    }
}

#[test]
fn t31_other_numbers_of_segments_and_white_space_are_refused() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let two = token.rsplit_once('.').unwrap().0;
    for text in [
        "",
        "a",
        two,
        &format!("{token}.e30"),
        &format!("{token}.e30.e30"),
        &format!(".{token}"),
        &format!("{token}."),
    ] {
        assert_eq!(rule(good.verify(text)), "segments", "{text}");
    }
    for text in [
        format!(" {token}"),
        format!("{token}\n"),
        token.replacen('.', " .", 1),
        format!("\u{feff}{token}"),
    ] {
        assert_eq!(rule(good.verify(&text)), "base64url", "{text}");
    }
    let (header, rest) = token.split_once('.').unwrap();
    let signature = rest.split_once('.').unwrap().1;
    assert_eq!(
        rule(good.verify(&format!("{header}..{signature}"))),
        "signature"
    );
    let signed = format!("{header}.");
    let signature = b64(good.pair.sign("EdDSA", signed.as_bytes()));
    assert_eq!(
        good.verify(&format!("{signed}.{signature}")),
        Err(Refusal::Json(Part::Payload))
    );
}

#[test]
fn t33_other_alphabets_padding_and_white_space_in_a_part_are_refused() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let parts: Vec<&str> = token.split('.').collect();
    for (index, part) in [Part::Header, Part::Payload, Part::Signature]
        .into_iter()
        .enumerate()
    {
        for spoil in ["+", "/", "=", "==", "\n", " ", "\t", "%3D", "\0", "é"] {
            let mut spoilt: Vec<String> = parts.iter().map(|part| (*part).into()).collect();
            spoilt[index].push_str(spoil);
            assert_eq!(
                Jws::parse(&spoilt.join(".")).unwrap_err(),
                Refusal::Base64url(part),
                "{spoil:?}"
            );
        }
    }
    // The same bytes in other spellings; a second spelling of a signature is a second token.
    let header = br#"{"alg":"EdDSA","x":"???>>>"}"#;
    for other in [STANDARD.encode(header), URL_SAFE.encode(header)] {
        assert_eq!(
            Jws::parse(&format!("{other}.e30.AA")).unwrap_err(),
            Refusal::Base64url(Part::Header)
        );
    }
    assert_eq!(
        Jws::parse("eyJhbGciOiJFZERTQSJ9.e30.AB").unwrap_err(),
        Refusal::Base64url(Part::Signature)
    );
}

#[test]
fn t35_payloads_that_are_no_json_object_are_refused() {
    let good = Good::new();
    for (payload, refusal) in [
        (&b"nonsense"[..], Refusal::Json(Part::Payload)),
        (b"[]", Refusal::NotObject(Part::Payload)),
        (b"\"iss\"", Refusal::NotObject(Part::Payload)),
        (b"{\"iss\":\"\xff\"}", Refusal::Json(Part::Payload)),
        (b"\xef\xbb\xbf{}", Refusal::Json(Part::Payload)),
        (b"{} {}", Refusal::Json(Part::Payload)),
        (b"\xff\xfe{\0}\0", Refusal::Json(Part::Payload)),
    ] {
        let signed = format!("{}.{}", b64(Good::header().to_string()), b64(payload));
        let signature = b64(good.pair.sign("EdDSA", signed.as_bytes()));
        assert_eq!(good.verify(&format!("{signed}.{signature}")), Err(refusal));
    }
}

#[test]
fn t37_depth_count_and_numbers_are_bounded() {
    let good = Good::new();
    let verdict =
        |payload: &str| good.verify(&good.pair.raw("EdDSA", &Good::header().to_string(), payload));
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    assert_eq!(
        verdict(&format!("{{\"a\":{nested}}}")),
        Err(Refusal::JsonLimits(Part::Payload))
    );
    let many = format!("{{\"a\":[{}1]}}", "1,".repeat(10_000));
    assert_eq!(verdict(&many), Err(Refusal::JsonLimits(Part::Payload)));
    let claims: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":1")).collect();
    assert_eq!(
        verdict(&format!("{{{}}}", claims.join(","))),
        Err(Refusal::TokenSize { limit: TOKEN_LIMIT })
    );
    for number in ["1e400", &"9".repeat(400)] {
        assert_eq!(
            verdict(&format!("{{\"exp\":{number}}}")),
            Err(Refusal::Json(Part::Payload)),
            "{number}"
        );
    }
    let header = format!(r#"{{"alg":"EdDSA","x":{nested}}}"#);
    assert_eq!(
        rule(good.verify(&good.pair.raw("EdDSA", &header, "{}"))),
        "size"
    );
    let header = format!(
        r#"{{"alg":"EdDSA","x":{}1{}}}"#,
        "[".repeat(9),
        "]".repeat(9)
    );
    assert_eq!(
        rule(good.verify(&good.pair.raw("EdDSA", &header, "{}"))),
        "json"
    );
}

/// A seeded generator: spoilt tokens are refused, never accepted, never a panic.
#[test]
fn parser_survives_any_change_of_a_token() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let alphabet: Vec<char> = "AZaz09-_.=+/ {}\"\0é".chars().collect();
    for _ in 0..5_000 {
        let mut spoilt: Vec<char> = token.chars().collect();
        for _ in 0..=random(3) {
            let (place, letter) = (random(spoilt.len()), alphabet[random(alphabet.len())]);
            match random(3) {
                0 => spoilt[place] = letter,
                1 => spoilt.insert(place, letter),
                _ => drop(spoilt.remove(place)),
            }
        }
        let spoilt: String = spoilt.into_iter().collect();
        assert!(spoilt == token || good.verify(&spoilt).is_err(), "{spoilt}");
    }
}

#[test]
fn refusals_and_debug_never_quote_the_token() {
    let good = Good::new();
    let token = good.pair.token(&Good::header(), &Good::claims());
    let jws = Jws::parse(&token).unwrap();
    let shown = format!("{jws:?}");
    assert_eq!(shown, "Jws { alg: Some(EdDSA), .. }");
    for refusal in [
        good.claim_with("iss", "https://canary.example".into()),
        good.claim_with("aud", "canary".into()),
        good.header_with("alg", "canary".into()),
        good.header_with("kid", "canary".into()),
        good.header_with("typ", "canary".into()),
        good.verify("canary.canary.canary"),
    ] {
        let refusal = refusal.unwrap_err();
        assert!(
            !format!("{refusal} {refusal:?}").contains("canary"),
            "{refusal:?}"
        );
    }
}
