//! Files that are no usable key are refused in clear words.

use super::*;
use crate::keys::files::read_public;

#[test]
fn encrypted_private_key_in_every_form_is_called_encrypted() {
    let folder = Folder::new();
    folder.write("rsa.pem", rsa_pem());
    for (file, command) in [
        (
            "pkcs8.pem",
            "openssl pkcs8 -topk8 -in rsa.pem -passout pass:canary",
        ),
        (
            "pkcs8.der",
            "openssl pkcs8 -topk8 -in rsa.pem -passout pass:canary -outform DER",
        ),
        (
            "pbes1.der",
            "openssl pkcs8 -topk8 -in rsa.pem -passout pass:canary -v1 PBE-SHA1-3DES -outform DER",
        ),
        (
            "pkcs1.pem",
            "openssl rsa -in rsa.pem -aes256 -traditional -passout pass:canary",
        ),
    ] {
        let error = refusal(&make(&folder, file, command));
        assert!(
            matches!(error, KeyError::Encrypted { .. }),
            "{command}: {error}"
        );
        assert!(error.to_string().contains("encrypted") && error.help().contains("-nocrypt"));
    }
}

#[test]
fn m08_rsa_key_below_2048_bits_is_refused() {
    let folder = Folder::new();
    for (file, command) in [
        (
            "small.pem",
            "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
        ),
        (
            "small1.der",
            "openssl rsa -in small.pem -traditional -outform DER",
        ),
        (
            "small8.der",
            "openssl pkcs8 -topk8 -nocrypt -in small.pem -outform DER",
        ),
    ] {
        let error = refusal(&make(&folder, file, command));
        assert!(
            matches!(error, KeyError::TooSmall { .. }),
            "{command}: {error}"
        );
        assert!(error.to_string().contains("2048"));
    }
    let public = make(&folder, "public.pem", "openssl rsa -in small.pem -pubout");
    assert!(matches!(
        read_public(&public),
        Err(KeyError::TooSmall { .. })
    ));
}

#[test]
fn private_key_of_an_unsupported_kind_is_named() {
    let folder = Folder::new();
    for (file, command, name) in [
        (
            "pss.pem",
            "openssl genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
            "RSA-PSS",
        ),
        (
            "p521.pem",
            "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
            "P-521",
        ),
        (
            "k1.pem",
            "openssl ecparam -name secp256k1 -genkey",
            "secp256k1",
        ),
        ("ed448.pem", "openssl genpkey -algorithm ed448", "Ed448"),
        ("x25519.pem", "openssl genpkey -algorithm X25519", "X25519"),
    ] {
        let error = refusal(&make(&folder, file, command));
        assert!(
            matches!(error, KeyError::Unsupported { .. }) && error.to_string().contains(name),
            "{command}: {error}"
        );
    }
    // A public key on such a curve is named too.
    let public = make(
        &folder,
        "p521_public.pem",
        "openssl pkey -in p521.pem -pubout",
    );
    assert!(
        read_public(&public)
            .unwrap_err()
            .to_string()
            .contains("P-521")
    );
}

#[test]
fn wrong_half_of_a_key_is_called_so() {
    let folder = Folder::new();
    let private_pem = folder.write("rsa.pem", rsa_pem());
    let private_der = make(
        &folder,
        "rsa.der",
        "openssl pkcs8 -topk8 -nocrypt -in rsa.pem -outform DER",
    );
    let public_pem = make(&folder, "public.pem", "openssl rsa -in rsa.pem -pubout");
    let public_der = make(
        &folder,
        "public.der",
        "openssl rsa -in rsa.pem -pubout -outform DER",
    );
    assert!(
        refusal(&public_pem)
            .to_string()
            .contains(r#"found a PEM block "PUBLIC KEY""#)
    );
    assert!(
        refusal(&public_der)
            .to_string()
            .contains("found a public key")
    );
    assert!(
        read_public(&private_pem)
            .unwrap_err()
            .to_string()
            .contains(r#"found a PEM block "PRIVATE KEY""#)
    );
    assert!(
        read_public(&private_der)
            .unwrap_err()
            .to_string()
            .contains("found a private key")
    );
}

#[test]
fn file_that_is_no_key_is_refused() {
    let folder = Folder::new();
    assert!(
        refusal(&folder.write("empty", ""))
            .to_string()
            .contains("no content")
    );
    assert!(matches!(
        refusal(&folder.write("text", "hello")),
        KeyError::NoKey { .. }
    ));
    assert!(matches!(
        refusal(&folder.write("torn", "-----BEGIN PRIVATE KEY-----\nMII")),
        KeyError::NoKey { .. }
    ));
    assert!(matches!(
        refusal(&folder.write("huge", vec![b'x'; 70_000])),
        KeyError::TooLarge { .. }
    ));
    assert!(matches!(
        refusal(&folder.join("absent")),
        KeyError::Read { .. }
    ));
    assert!(matches!(refusal(folder.path()), KeyError::NotAFile { .. }));
    folder.run("mkfifo pipe");
    assert!(matches!(
        refusal(&folder.join("pipe")),
        KeyError::NotAFile { .. }
    ));
    let openssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
    assert!(
        refusal(&folder.write("ssh", openssh))
            .to_string()
            .contains("OpenSSH")
    );
}

#[test]
fn private_key_cut_anywhere_is_refused_without_panic() {
    let folder = Folder::new();
    let der = fs::read(make(
        &folder,
        "ec.der",
        "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER",
    ))
    .unwrap();
    for end in 0..der.len() {
        refusal(&folder.write("cut", &der[..end]));
    }
}

#[test]
fn public_key_off_its_curve_is_refused() {
    let folder = Folder::new();
    folder.run("openssl ecparam -name prime256v1 -genkey -out ec.pem");
    folder.run("openssl ec -in ec.pem -pubout -outform DER -out public.der");
    let mut der = fs::read(folder.join("public.der")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    assert!(matches!(
        read_public(&folder.write("off.der", der)),
        Err(KeyError::NoKey { .. } | KeyError::Unsupported { .. })
    ));
}
