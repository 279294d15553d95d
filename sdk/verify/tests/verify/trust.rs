//! Several issuers side by side.

use countersign_verify::{Algorithm, Issuer, KeySet, Refusal, Rules, Trust, TrustError};
use serde_json::json;

use crate::support::{Good, NOW, Pair, set, with};

const A: &str = "https://a.example";
const B: &str = "https://b.example";

fn trust(pairs: &[(&str, &Pair)]) -> Trust {
    let issuers = pairs.iter().map(|(name, pair)| {
        let keys = KeySet::parse(&set(&[with(pair.jwk(), json!({ "kid": "k" }))])).unwrap();
        Issuer::new(Rules::new(*name, ["us"], [Algorithm::EdDSA]).unwrap(), keys)
    });
    Trust::new(issuers).unwrap()
}

fn token(pair: &Pair, issuer: &str) -> String {
    pair.token(
        &Good::header(),
        &with(Good::claims(), json!({ "iss": issuer })),
    )
}

#[tokio::test]
async fn t51_key_of_one_issuer_never_verifies_anothers_token() {
    let (a, b) = (Pair::ed25519(), Pair::ed25519());
    let trust = trust(&[(A, &a), (B, &b)]);
    assert!(trust.verify(&token(&a, A), NOW).await.is_ok());
    assert!(trust.verify(&token(&b, B), NOW).await.is_ok());
    assert_eq!(
        trust.verify(&token(&b, A), NOW).await,
        Err(Refusal::Signature)
    );
    assert_eq!(
        trust.verify(&token(&a, B), NOW).await,
        Err(Refusal::Signature)
    );
}

#[tokio::test]
async fn t53_same_subject_of_two_issuers_is_two_principals() {
    let (a, b) = (Pair::ed25519(), Pair::ed25519());
    let trust = trust(&[(A, &a), (B, &b)]);
    let one = trust.verify(&token(&a, A), NOW).await.unwrap();
    let other = trust.verify(&token(&b, B), NOW).await.unwrap();
    assert_eq!(
        (one.principal(), other.principal()),
        ((A, "ada"), (B, "ada"))
    );
}

#[tokio::test]
async fn issuer_that_is_not_on_the_list_is_refused() {
    let a = Pair::ed25519();
    let trust = trust(&[(A, &a)]);
    assert_eq!(trust.verify(&token(&a, B), NOW).await, Err(Refusal::Issuer));
    let nameless = a.token(&Good::header(), &json!({ "sub": "ada" }));
    assert_eq!(
        trust.verify(&nameless, NOW).await,
        Err(Refusal::ClaimMissing("iss"))
    );
    assert_eq!(
        Trust::default().verify(&token(&a, A), NOW).await,
        Err(Refusal::Issuer)
    );
}

#[test]
fn issuer_named_twice_is_a_mistake() {
    let keys = || KeySet::parse(&set(&[Pair::ed25519().jwk()])).unwrap();
    let issuer = || Issuer::new(Rules::new(A, ["us"], [Algorithm::EdDSA]).unwrap(), keys());
    assert_eq!(
        Trust::new([issuer(), issuer()]).unwrap_err(),
        TrustError::Twice(A.into())
    );
}
