//! Signatures that are nearly right (cases T by id), and tokens that come twice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::bed::{bearer, bed, denied, instance};

/// A token without its signature, and that signature.
fn parts(token: &str) -> (&str, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed, URL_SAFE_NO_PAD.decode(signature).unwrap())
}

fn with(signed: &str, signature: &[u8]) -> String {
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn t59_every_byte_of_a_signature_counts() {
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let oauth = instance(bed().settings(json!({ "algorithms": [alg] }))).await;
        let token = bed().forge(json!({ "alg": alg })).await;
        let (signed, signature) = parts(&token);
        assert!(bearer(&oauth, &with(signed, &signature)).await.is_ok());
        for index in 0..signature.len() {
            let mut flipped = signature.clone();
            flipped[index] ^= 1 << (index % 8);
            let verdict = bearer(&oauth, &with(signed, &flipped)).await;
            assert_eq!(denied(verdict), "signature", "{alg}, byte {index}");
        }
    }
}

#[tokio::test]
async fn t10_t12_t18_signatures_of_zeros_and_of_other_lengths_are_denied() {
    for alg in ["RS256", "ES256", "EdDSA"] {
        let oauth = instance(bed().settings(json!({ "algorithms": [alg] }))).await;
        let token = bed().forge(json!({ "alg": alg })).await;
        let (signed, signature) = parts(&token);
        let length = signature.len();
        let (first, second) = signature.split_at(length / 2);
        let zeros = vec![0; length / 2];
        for (what, forged) in [
            ("nothing", vec![]),
            ("zeros", vec![0; length]),
            ("the first half is zero", [&zeros, second].concat()),
            ("the second half is zero", [first, &zeros].concat()),
            ("a byte less", signature[1..].to_vec()),
            ("a byte more", [&signature[..], &[0]].concat()),
            ("a zero before it", [&[0], &signature[..]].concat()),
            ("686 bytes", vec![1; 686]),
        ] {
            let verdict = bearer(&oauth, &with(signed, &forged)).await;
            assert!(
                ["signature", "base64url", "segments"].contains(&&*denied(verdict)),
                "{alg}: {what}"
            );
        }
    }
}

/// Not one of them is an assertion for one use: a bearer token is good until it ends, however often it is shown.
#[tokio::test]
async fn t54_bearer_token_may_come_again_with_the_same_jti() {
    let oauth = instance(bed().settings(json!({}))).await;
    let token = bed().forge(json!({ "claims": { "jti": "one" } })).await;
    for _ in 0..2 {
        assert!(bearer(&oauth, &token).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn t54_opaque_token_that_was_revoked_is_denied_the_next_time() {
    let oauth = instance(bed().introspecting(json!({}))).await;
    let tokens = bed().login("bob", &[]);
    let token = tokens["access_token"].as_str().unwrap();
    assert!(bearer(&oauth, token).await.unwrap().is_some());
    let revoke = format!("{}/token/revocation", bed().issuer());
    let form = reqwest::Client::new()
        .post(revoke)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("client_id=native&token={token}"));
    assert_eq!(form.send().await.unwrap().status(), 200);
    denied(bearer(&oauth, token).await);
}
