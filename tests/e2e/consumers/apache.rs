//! Apache with mod_auth_openidc as an OAuth 2.0 resource server. It has no Ed25519.

use super::gate;

#[test]
fn apache_accepts_every_algorithm_but_eddsa() {
    gate::accepts_every_algorithm_but("apache", &["EdDSA"]);
}

#[test]
fn apache_refuses_what_it_must() {
    gate::refuses_what_it_must("apache");
}
