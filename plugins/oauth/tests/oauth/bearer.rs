//! JWTs of the real provider, good and forged (cases T by id).

use countersign_sdk::prelude::*;
use serde_json::{Value, json};

use crate::bed::{AUDIENCE, bearer, bed, denied, instance};
use crate::liar::Liar;

#[tokio::test]
async fn access_token_of_a_login_is_its_user() {
    let oauth = instance(bed().settings(json!({}))).await;
    let tokens = bed().login("alice", &["--resource", AUDIENCE]);
    let token = tokens["access_token"].as_str().unwrap();
    let user = bearer(&oauth, token).await.unwrap().unwrap();
    let issuer = bed().issuer();
    assert_eq!(user.id, format!("alice@{issuer}"));
    assert_eq!(user.username, "alice");
}

#[tokio::test]
async fn every_algorithm_of_the_provider_is_verified_where_it_is_allowed() {
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let oauth = instance(bed().settings(json!({ "algorithms": [alg] }))).await;
        let token = bed().forge(json!({ "alg": alg })).await;
        assert!(bearer(&oauth, &token).await.unwrap().is_some(), "{alg}");
    }
}

#[tokio::test]
async fn forged_tokens_are_denied_each_by_its_rule() {
    let oauth = instance(bed().settings(json!({}))).await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap().as_secs();
    for (id, what, rule) in [
        ("T01 O20 unsigned", json!({ "alg": "none" }), "alg"),
        (
            "T04 HS256 over the public key",
            json!({ "alg": "HS256" }),
            "alg",
        ),
        ("T07 PS256 is not listed", json!({ "alg": "PS256" }), "alg"),
        ("T09 ES256 is not listed", json!({ "alg": "ES256" }), "alg"),
        (
            "T19 T51 a foreign key",
            json!({ "foreignKey": true }),
            "signature",
        ),
        (
            "a tampered payload",
            json!({ "tamper": { "sub": "root" } }),
            "signature",
        ),
        (
            "T22 kid of a file",
            json!({ "header": { "kid": "../../dev/null" } }),
            "kid",
        ),
        (
            "T38 O20 expired",
            json!({ "claims": { "exp": now - 60 } }),
            "exp",
        ),
        ("T39 exp is missing", json!({ "drop": ["exp"] }), "exp"),
        (
            "T41 nbf is in the future",
            json!({ "claims": { "nbf": now + 90 } }),
            "nbf",
        ),
        (
            "T41 iat is in the future",
            json!({ "claims": { "iat": now + 90 } }),
            "iat",
        ),
        (
            "T43 iss is no text",
            json!({ "claims": { "iss": 1 } }),
            "iss",
        ),
        (
            "T45 O20 aud of others",
            json!({ "claims": { "aud": "urn:other" } }),
            "aud",
        ),
        ("T45 aud is missing", json!({ "drop": ["aud"] }), "aud"),
        (
            "T45 aud is empty",
            json!({ "claims": { "aud": [] } }),
            "aud",
        ),
        ("sub is missing", json!({ "drop": ["sub"] }), "sub"),
        (
            "T56 a token within",
            json!({ "header": { "cty": "JWT" } }),
            "cty",
        ),
        (
            "T48 a security event",
            json!({ "header": { "typ": "secevent+jwt" } }),
            "typ",
        ),
        (
            "T48 a logout token",
            json!({ "header": { "typ": "logout+jwt" } }),
            "typ",
        ),
        (
            "T48 a logout token without typ",
            json!({ "header": { "typ": "JWT" }, "claims": { "events": { "http://schemas.openid.net/event/backchannel-logout": {} } } }),
            "typ",
        ),
    ] {
        let token = bed().forge(what).await;
        assert_eq!(denied(bearer(&oauth, &token).await), rule, "{id}");
    }
}

#[tokio::test]
async fn t43_tokens_of_other_issuers_or_of_none_are_left_to_others() {
    let oauth = instance(bed().settings(json!({}))).await;
    let issuer = bed().issuer();
    for other in [
        "https://evil.example".to_owned(),
        format!("{issuer}/"),
        issuer.to_ascii_uppercase(),
        format!("{issuer}.evil.example"),
    ] {
        let token = bed().forge(json!({ "claims": { "iss": other } })).await;
        assert!(bearer(&oauth, &token).await.unwrap().is_none(), "{other}");
    }
    let nobodys = bed().forge(json!({ "drop": ["iss"] })).await;
    assert!(bearer(&oauth, &nobodys).await.unwrap().is_none());
}

#[tokio::test]
async fn forms_that_are_no_signed_compact_token_are_denied() {
    let liar = Liar::start().await;
    let oauth = instance(liar.settings(json!({}))).await;
    let good = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &good).await.unwrap().is_some());
    let (head, rest) = good.split_once('.').unwrap();
    let payload = rest.split('.').next().unwrap();
    let header = r#"{"alg":"EdDSA","kid":"k"}"#;
    let twice = format!(
        r#"{{"iss":"{0}","sub":"a","sub":"b","aud":"us","exp":9999999999}}"#,
        liar.issuer
    );
    let cut = good[..good.len() - 1].to_owned();
    for (id, token, rule) in [
        ("T31 two segments", format!("{head}.{payload}"), "segments"),
        ("T31 four segments", format!("{good}.AAAA"), "segments"),
        ("T31 a trailing dot", format!("{good}."), "segments"),
        ("T31 an empty payload", format!("{head}..AAAA"), "json"),
        ("T33 padding", format!("{good}="), "base64url"),
        ("T33 a plus", good.replacen('.', "+.", 1), "base64url"),
        ("T59 a signature cut short", cut, "base64url"),
        ("T26 sub twice", liar.sign(header, &twice), "duplicate"),
        ("T35 an array", liar.sign(header, "[]"), "json"),
        ("T35 a BOM", liar.sign(header, "\u{feff}{}"), "json"),
        ("T37 depth", liar.sign(header, &"[".repeat(20_000)), "json"),
        ("T03 alg is null", liar.sign(r#"{"alg":null}"#, "{}"), "alg"),
        (
            "T28 crit",
            liar.token(json!({ "crit": ["exp"] }), json!({})),
            "crit",
        ),
        (
            "T28 crit is empty",
            liar.token(json!({ "crit": [] }), json!({})),
            "crit",
        ),
    ] {
        let verdict = bearer(&oauth, &token).await;
        assert_eq!(denied(verdict), rule, "{id}: {token}");
    }
    for (id, token) in [
        (
            "T30 JSON serialisation",
            r#"{"protected":"e30","payload":"e30","signature":""}"#,
        ),
        ("T31 a leading dot", &format!(".{good}")),
        ("T31 whitespace within", &good.replacen('.', ". ", 1)),
    ] {
        let verdict = bearer(&oauth, token).await;
        assert!(!matches!(verdict, Ok(Some(_))), "{id}");
    }
}

#[tokio::test]
async fn t20_t21_no_request_ever_leaves_because_a_token_says_so() {
    let (ours, theirs) = (Liar::start().await, Liar::start().await);
    let oauth = instance(ours.settings(json!({}))).await;
    assert!(
        bearer(&oauth, &ours.token(json!({}), json!({})))
            .await
            .is_ok()
    );
    let before = ours.asked();
    let there = format!("{}/jwks", theirs.issuer);
    let jwk = theirs.jwk("k");
    for header in [
        json!({ "jku": there }),
        json!({ "x5u": there }),
        json!({ "jku": "file:///etc/passwd" }),
        json!({ "jku": "http://169.254.169.254/" }),
        json!({ "jwk": jwk }),
        json!({ "x5c": ["MIIB"], "x5t": "AAAA" }),
        json!({ "kid": there, "jku": there }),
    ] {
        // Signed by them, in our name.
        let forged = theirs.token(header.clone(), json!({ "iss": ours.issuer }));
        let rule = denied(bearer(&oauth, &forged).await);
        assert!(["signature", "kid"].contains(&rule.as_str()), "{header}");
    }
    // Signed by them, in their name: nobody's business here.
    let foreign = theirs.token(json!({ "jku": there }), json!({}));
    assert!(bearer(&oauth, &foreign).await.unwrap().is_none());
    assert_eq!(theirs.asked(), 0, "nobody ever went there");
    assert!(ours.asked() <= before + 1, "one look for an unknown kid");
}

#[tokio::test]
async fn t51_t53_two_providers_do_not_vouch_for_each_other() {
    let (one, two) = (Liar::start().await, Liar::start().await);
    let first = instance(one.settings(json!({}))).await;
    let second = instance(two.settings(json!({}))).await;
    let crossed = two.token(json!({}), json!({ "iss": one.issuer }));
    assert_eq!(denied(bearer(&first, &crossed).await), "signature");
    assert!(bearer(&second, &crossed).await.unwrap().is_none());
    let of = async |oauth, token: String| bearer(oauth, &token).await.unwrap().unwrap().id;
    let ada = of(&first, one.token(json!({}), json!({}))).await;
    let other = of(&second, two.token(json!({}), json!({}))).await;
    assert_ne!(ada, other, "the same sub of two issuers is two users");
}

#[tokio::test]
async fn token_that_is_bound_to_a_key_is_no_bearer_token() {
    let liar = Liar::start().await;
    let oauth = instance(liar.settings(json!({}))).await;
    for cnf in [json!({ "jkt": "x" }), json!({ "x5t#S256": "x" }), json!(1)] {
        let token = liar.token(json!({}), json!({ "cnf": cnf }));
        assert_eq!(denied(bearer(&oauth, &token).await), "kind");
    }
}

#[tokio::test]
async fn t57_token_anywhere_but_in_the_header_is_not_looked_at() {
    let liar = Liar::start().await;
    let oauth = instance(liar.settings(json!({}))).await;
    let token = liar.token(json!({}), json!({}));
    let bodies = [
        json!({ "access_token": token }),
        json!({ "subject_token": token }),
    ];
    for body in bodies.map(|body: Value| body.to_string()) {
        let request = countersign_sdk::testing::request(&[("x-token", &token)], body);
        assert!(oauth.create_token(request).await.unwrap().is_none());
    }
    assert_eq!(liar.asked(), 0);
}
