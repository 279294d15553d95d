//! nginx with njs and the module that we ship for it. Its WebCrypto has no Ed25519.

use super::gate;

#[test]
fn nginx_accepts_every_algorithm_but_eddsa() {
    gate::accepts_every_algorithm_but("nginx", &["EdDSA"]);
}

#[test]
fn nginx_refuses_what_it_must() {
    gate::refuses_what_it_must("nginx");
}
