//! Every form of key file that openssl writes is taken.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;

use super::*;
use crate::keys::files::read_public;

#[test]
fn rsa_private_key_in_every_form_is_the_same_key() {
    let folder = Folder::new();
    let original = folder.write("rsa.pem", rsa_pem());
    let expected = public_of(&original);
    for (file, command) in [
        (
            "pkcs8.der",
            "openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER",
        ),
        ("pkcs1.pem", "openssl rsa -in rsa.pem -traditional"),
        (
            "pkcs1.der",
            "openssl rsa -in rsa.pem -traditional -outform DER",
        ),
        ("pkey.der", "openssl pkey -in rsa.pem -outform DER"),
    ] {
        assert_eq!(
            public_of(&make(&folder, file, command)),
            expected,
            "{command}"
        );
    }
    for (file, command) in [
        ("spki.pem", "openssl rsa -in rsa.pem -pubout"),
        ("spki.der", "openssl rsa -in rsa.pem -pubout -outform DER"),
        ("public1.pem", "openssl rsa -in rsa.pem -RSAPublicKey_out"),
        (
            "public1.der",
            "openssl rsa -in rsa.pem -RSAPublicKey_out -outform DER",
        ),
    ] {
        assert_eq!(
            read_public(&make(&folder, file, command)).unwrap(),
            expected,
            "{command}"
        );
    }
}

#[test]
fn ec_private_key_in_every_form_is_the_same_key() {
    for curve in ["prime256v1", "secp384r1"] {
        let folder = Folder::new();
        // Parameters first, then SEC1.
        let original = make(
            &folder,
            "ec.pem",
            &format!("openssl ecparam -name {curve} -genkey"),
        );
        assert!(
            fs::read_to_string(&original)
                .unwrap()
                .contains("EC PARAMETERS")
        );
        let expected = public_of(&original);
        for (file, command) in [
            ("pkcs8.pem", "openssl pkcs8 -topk8 -nocrypt -in ec.pem"),
            (
                "pkcs8.der",
                "openssl pkcs8 -topk8 -nocrypt -in ec.pem -outform DER",
            ),
            ("sec1.der", "openssl ec -in ec.pem -outform DER"),
            ("bare.pem", "openssl ec -in ec.pem -no_public"),
            ("bare.der", "openssl ec -in ec.pem -no_public -outform DER"),
            (
                "bare8.der",
                "openssl pkcs8 -topk8 -nocrypt -in bare.pem -outform DER",
            ),
            ("explicit.pem", "openssl ec -in ec.pem -param_enc explicit"),
            (
                "explicit.der",
                "openssl ec -in ec.pem -param_enc explicit -outform DER",
            ),
        ] {
            assert_eq!(
                public_of(&make(&folder, file, command)),
                expected,
                "{curve}: {command}"
            );
        }
        for (file, command) in [
            ("spki.pem", "openssl ec -in ec.pem -pubout"),
            ("spki.der", "openssl ec -in ec.pem -pubout -outform DER"),
        ] {
            assert_eq!(
                read_public(&make(&folder, file, command)).unwrap(),
                expected,
                "{curve}: {command}"
            );
        }
    }
}

#[test]
fn ec_private_key_as_genpkey_writes_it_in_der_is_taken() {
    let folder = Folder::new();
    for curve in ["P-256", "P-384"] {
        let command = format!(
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{curve} -outform DER"
        );
        public_of(&make(&folder, &format!("{curve}.der"), &command));
    }
}

#[test]
fn ed25519_private_key_in_every_form_is_the_same_key() {
    let folder = Folder::new();
    let expected = public_of(&make(
        &folder,
        "ed.pem",
        "openssl genpkey -algorithm ed25519",
    ));
    assert_eq!(
        public_of(&make(
            &folder,
            "v1.der",
            "openssl pkey -in ed.pem -outform DER"
        )),
        expected
    );
    assert_eq!(
        read_public(&make(
            &folder,
            "spki.pem",
            "openssl pkey -in ed.pem -pubout"
        ))
        .unwrap(),
        expected
    );
    assert_eq!(
        read_public(&make(
            &folder,
            "spki.der",
            "openssl pkey -in ed.pem -pubout -outform DER"
        ))
        .unwrap(),
        expected
    );

    let second_version = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    assert_eq!(second_version.as_ref().len(), 83);
    public_of(&folder.write("v2.der", second_version.as_ref()));
}
