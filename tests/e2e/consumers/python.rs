//! Python services: PyJWT with its JWKS client, and joserfc, which Authlib stands on.

use std::process::Command;

use countersign_tests::peer::{installed, script};

use super::library::{Refusals, accepts_every_algorithm, refuses_what_it_must};

fn with(library: &str) -> Command {
    let mut command = Command::new(&installed("consumers/install.sh", "consumers")["PYTHON"]);
    command.arg(script("consumers/verify.py")).arg(library);
    command
}

#[test]
fn pyjwt_accepts_every_algorithm() {
    accepts_every_algorithm(&|| with("pyjwt"));
}

#[test]
fn pyjwt_refuses_what_it_must() {
    refuses_what_it_must(
        &|| with("pyjwt"),
        &Refusals {
            expired: "ExpiredSignatureError",
            audience: "InvalidAudienceError",
            issuer: "InvalidIssuerError",
            key_gone: "PyJWKClientError",
            no_key_id: "PyJWKClientError",
        },
    );
}

#[test]
fn joserfc_accepts_every_algorithm() {
    accepts_every_algorithm(&|| with("joserfc"));
}

#[test]
fn joserfc_refuses_what_it_must() {
    refuses_what_it_must(
        &|| with("joserfc"),
        &Refusals {
            expired: "ExpiredTokenError",
            audience: "InvalidClaimError",
            issuer: "InvalidClaimError",
            key_gone: "InvalidKeyIdError",
            no_key_id: "InvalidKeyIdError",
        },
    );
}
