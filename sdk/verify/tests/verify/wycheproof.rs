//! The published vectors of project Wycheproof: `tests/vectors/wycheproof.md` says which.

use std::fs;
use std::path::Path;

use countersign_verify::{Algorithm, Jws, Key, KeySet, Refusal};
use serde_json::{Value, json};

use crate::support::{b64, hex, set};

fn vectors(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors");
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let mut vectors: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(vectors["groups"].take()).unwrap()
}

/// The signature's verdict: payloads of the vectors are no claims.
fn accepted(key: &Value, jws: &str) -> Result<(), String> {
    let keys = KeySet::parse(&set(std::slice::from_ref(key))).map_err(|error| error.to_string())?;
    let jws = Jws::parse(jws).map_err(|error| error.to_string())?;
    let verdict = jws.verify(&keys, &Algorithm::ALL);
    verdict.map_err(|error| error.to_string())
}

#[test]
fn t17_jws_vectors_get_the_verdict_of_their_labels() {
    let (mut valid, mut invalid) = (0, 0);
    for group in vectors("wycheproof_jws.json") {
        // Symmetric keys are not verified with, whatever the label: the next test.
        if group["key"]["kty"] == "oct" {
            continue;
        }
        for test in group["tests"].as_array().unwrap() {
            let verdict = accepted(&group["key"], test["jws"].as_str().unwrap());
            let label = test["result"] == "valid";
            assert_eq!(
                verdict.is_ok(),
                label,
                "tcId {} {}: {verdict:?}",
                test["tcId"],
                test["comment"]
            );
            *(if label { &mut valid } else { &mut invalid }) += 1;
        }
    }
    assert_eq!((valid, invalid), (11, 154));
}

#[test]
fn t33_symmetric_jws_vectors_are_refused_each_by_its_rule() {
    let mut refused = 0;
    let ours = json!({ "kty": "OKP", "crv": "Ed25519", "x": b64([9; 32]) });
    let keys = KeySet::parse(&set(&[ours])).unwrap();
    for group in vectors("wycheproof_jws.json") {
        let oct = group["key"]["kty"] == "oct";
        for test in group["tests"].as_array().unwrap().iter().filter(|_| oct) {
            refused += 1;
            let id = test["tcId"].as_u64().unwrap();
            let parsed = Jws::parse(test["jws"].as_str().unwrap());
            // What is wrong in the text is told before HS256 is.
            let malformed = matches!(id, 4 | 10..=14 | 360..=368 | 372..=374);
            assert_eq!(parsed.is_err(), malformed, "tcId {id}: {parsed:?}");
            if let Ok(jws) = parsed {
                let verdict = jws.verify(&keys, &Algorithm::ALL);
                assert_eq!(verdict, Err(Refusal::AlgorithmUnknown), "tcId {id}");
            }
        }
    }
    assert_eq!(refused, 8 + 1 + 1 + 10);
}

#[test]
fn t14_ed25519_vectors_get_the_verdict_of_their_labels() {
    let bytes = |text: &Value| hex(text.as_str().unwrap());
    let mut count = 0;
    for group in vectors("wycheproof_ed25519.json") {
        let key =
            Key::parse(&json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(bytes(&group["pk"])) }));
        for test in group["tests"].as_array().unwrap() {
            count += 1;
            let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
            let accepted = key
                .as_ref()
                .is_ok_and(|key| key.verifies(Algorithm::EdDSA, &message, &signature));
            assert_eq!(
                accepted,
                test["result"] == "valid",
                "tcId {} {}",
                test["tcId"],
                test["comment"]
            );
        }
    }
    assert_eq!(count, 151);
}
