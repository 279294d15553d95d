//! Node services: `jose` with its remote key set.

use std::process::Command;

use countersign_tests::peer::{installed, script};

use super::library::{
    Refusals, accepts_every_algorithm, refuses_what_it_must, tells_access_tokens_from_others,
};

fn verify() -> Command {
    let installed = installed("consumers/install.sh", "consumers");
    let mut command = Command::new("node");
    command
        .arg("--experimental-global-webcrypto")
        .arg("--no-warnings")
        .arg(script("consumers/verify.mjs"))
        .arg(&installed["NODE_FOLDER"]);
    command
}

#[test]
fn jose_accepts_every_algorithm() {
    accepts_every_algorithm(&verify);
}

#[test]
fn jose_refuses_what_it_must() {
    refuses_what_it_must(
        &verify,
        &Refusals {
            expired: "ERR_JWT_EXPIRED",
            audience: "ERR_JWT_CLAIM_VALIDATION_FAILED",
            issuer: "ERR_JWT_CLAIM_VALIDATION_FAILED",
            key_gone: "ERR_JWKS_NO_MATCHING_KEY",
            no_key_id: "ERR_JWKS_MULTIPLE_MATCHING_KEYS",
        },
    );
}

#[test]
fn jose_tells_access_tokens_from_others() {
    tells_access_tokens_from_others(&verify, "ERR_JWT_CLAIM_VALIDATION_FAILED");
}
