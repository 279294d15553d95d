//! The commands of OpenMetadata's and Airflow's guides, word for word.

use super::*;

#[test]
fn openmetadata_key_files_made_as_in_its_guide_sign_and_verify() {
    let folder = Folder::new();
    folder.run("openssl genrsa -out private_key.pem 2048");
    folder.run("openssl pkcs8 -topk8 -inform PEM -outform DER -in private_key.pem -out private_key.der -nocrypt");
    folder.run("openssl rsa -in private_key.pem -pubout -outform DER -out public_key.der");
    let settings = Keys {
        public_key: folder.join("public_key.der").display().to_string(),
        kid: "om-key".into(),
        ..settings(&folder.join("private_key.der"), Algorithm::RS256)
    };
    let set = open(&settings, &folder.join("state")).unwrap();
    assert_eq!(set.active().kid(), "om-key");
    assert_eq!(set.notices(), [] as [String; 0]);
    assert_verifies(set.active(), set.jwks());
}

#[test]
fn airflow_public_key_beside_ours_is_published_under_its_kid() {
    let folder = Folder::new();
    folder.run("openssl genrsa -out airflow.pem 2048");
    folder.run("openssl rsa -in airflow.pem -pubout -out airflow_public.pem");
    let extra = crate::config::shapes::ExtraPublic {
        file: folder.join("airflow_public.pem"),
        kid: "airflow".into(),
    };
    let set = open(
        &Keys {
            extra_public: vec![extra],
            ..in_state()
        },
        &folder.join("state"),
    )
    .unwrap();

    // Airflow signs with its own key; whoever reads our document can verify that.
    let theirs = open(
        &Keys {
            kid: "airflow".into(),
            ..settings(&folder.join("airflow.pem"), Algorithm::RS256)
        },
        &folder.join("other"),
    );
    assert_verifies(theirs.unwrap().active(), set.jwks());
    assert_verifies(set.active(), set.jwks());
    let jwk = &set.jwks().keys()[2];
    assert_eq!((jwk.kid.as_str(), jwk.alg), ("airflow", Algorithm::RS256));
}

#[test]
fn k01_k05_published_rsa_key_is_canonical() {
    let folder = Folder::new();
    let file = folder.write("key.pem", rsa_pem());
    let set = open(&settings(&file, Algorithm::RS384), &folder.join("state")).unwrap();
    let document: Value = serde_json::from_slice(&set.jwks().body()).unwrap();
    let key = &document["keys"][0];
    let n = key["n"].as_str().unwrap();
    // 256 bytes are 342 characters; a leading zero octet would make it 343, and begin with "A".
    assert_eq!(n.len(), 342);
    assert!(!n.contains('='));
    assert_eq!(key["e"], "AQAB");
    assert_eq!(
        (&key["use"], &key["alg"], &key["kty"]),
        (&json!("sig"), &json!("RS384"), &json!("RSA"))
    );
    assert_eq!(document["keys"].as_array().unwrap().len(), 2);
}

#[test]
fn k04_kid_without_setting_is_the_thumbprint_in_every_replica() {
    let folder = Folder::new();
    let file = folder.write("key.pem", rsa_pem());
    let one = open(&settings(&file, Algorithm::RS256), &folder.join("one")).unwrap();
    let two = open(&settings(&file, Algorithm::RS256), &folder.join("two")).unwrap();
    assert_eq!(one.active().kid(), one.jwks().keys()[0].key.thumbprint());
    assert_eq!(one.active().kid(), two.active().kid());
    assert_eq!(one.jwks().keys()[0], two.jwks().keys()[0]);
}
