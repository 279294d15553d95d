//! `keys generate`: files that others load, and standbys that this server uses.

use super::*;
use crate::keys::KeyState;
use crate::keys::generate::{Format, into_files};

#[test]
fn generated_files_are_pkcs8_and_spki_that_openssl_and_we_read() {
    for (algorithm, format, form) in [
        (Algorithm::RS256, Format::Der, "DER"),
        (Algorithm::RS256, Format::Pem, "PEM"),
        (Algorithm::ES256, Format::Der, "DER"),
        (Algorithm::ES384, Format::Pem, "PEM"),
        (Algorithm::EdDSA, Format::Der, "DER"),
    ] {
        let folder = Folder::new();
        let (private, public) = (folder.join("private"), folder.join("public"));
        let made = into_files(algorithm, None, &private, &public, format, &|_| {}).unwrap();
        assert_eq!(made.kid, made.thumbprint);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&private), 0o600);
        assert_eq!(mode(&public) & 0o600, 0o600);

        // PKCS#8 and nothing else: what Java's PKCS8EncodedKeySpec takes.
        folder.run(&format!(
            "openssl pkcs8 -nocrypt -inform {form} -in private -out checked"
        ));
        folder.run(&format!(
            "openssl pkey -pubin -inform {form} -in public -noout"
        ));
        if format == Format::Pem {
            assert!(
                fs::read_to_string(&private)
                    .unwrap()
                    .starts_with("-----BEGIN PRIVATE KEY-----\n")
            );
            assert!(
                fs::read_to_string(&public)
                    .unwrap()
                    .starts_with("-----BEGIN PUBLIC KEY-----\n")
            );
        }

        let keys = Keys {
            public_key: public.display().to_string(),
            ..settings(&private, algorithm)
        };
        let set = open(&keys, &folder.join("state")).unwrap();
        assert_eq!(set.active().kid(), made.thumbprint);
        assert_verifies(set.active(), set.jwks());
    }
}

#[test]
fn generate_never_overwrites_and_leaves_no_half() {
    let folder = Folder::new();
    let existing = folder.write("existing", "precious");
    let new = folder.join("new");
    for (private, public) in [(&existing, &new), (&new, &existing), (&new, &new)] {
        let error = into_files(
            Algorithm::EdDSA,
            None,
            private,
            public,
            Format::Der,
            &|_| {},
        )
        .unwrap_err();
        assert!(matches!(error, KeyError::Exists { .. }), "{error}");
        assert_eq!(
            folder.snapshot(),
            [(existing.clone(), b"precious".to_vec())]
        );
    }
    let nowhere = folder.join("absent/public");
    let error =
        into_files(Algorithm::EdDSA, None, &new, &nowhere, Format::Der, &|_| {}).unwrap_err();
    assert!(matches!(error, KeyError::Write { .. }), "{error}");
    assert!(!new.exists());
}

#[test]
fn generate_into_state_replaces_the_standby_and_keeps_the_active_key() {
    let folder = Folder::new();
    let before = open(&in_state(), folder.path()).unwrap();
    into_state(Algorithm::ES256, &[], Some("fresh"), folder.path()).unwrap();
    assert!(!before.list()[1].file.exists());
    let after = open(&in_state(), folder.path()).unwrap();
    assert_eq!(after.active().kid(), before.active().kid());
    assert_eq!(after.list().len(), 2);
    let standby = &after.list()[1];
    assert_eq!(
        (standby.kid.as_str(), standby.alg, standby.state),
        ("fresh", Algorithm::ES256, KeyState::Next)
    );
    assert!(standby.file.is_file());

    // The name of a key that is gone is not free.
    let taken = Some(before.list()[1].kid.as_str());
    let error = into_state(Algorithm::ES256, &[], taken, folder.path()).unwrap_err();
    assert!(
        matches!(error, OrderError::Key(KeyError::KidReused { .. })),
        "{error}"
    );
    assert_eq!(
        open(&in_state(), folder.path()).unwrap().list(),
        after.list()
    );
}

#[test]
fn key_generated_before_the_first_start_becomes_the_active_one() {
    let folder = Folder::new();
    let made = into_state(Algorithm::EdDSA, &[], None, folder.path()).unwrap();
    let set = open(&in_state(), folder.path()).unwrap();
    assert_eq!(set.active().kid(), made);
    assert_eq!(set.list().len(), 2);
    assert_eq!(set.notices(), [] as [String; 0]);
}

#[test]
fn generate_into_state_replaces_the_standby_of_its_own_audience_alone() {
    let folder = Folder::new();
    let named = [Algorithm::ES256];
    let before = open_for(&in_state(), &named, folder.path(), Mode::Serve).unwrap();
    let standby = |set: &KeySet, alg| {
        let next = |key: &&crate::keys::KeyView| key.alg == alg && key.state == KeyState::Next;
        set.list().iter().find(next).map(|key| key.kid.clone())
    };
    for (algorithm, changed, kept) in [
        (Algorithm::ES256, Algorithm::ES256, Algorithm::EdDSA),
        (Algorithm::EdDSA, Algorithm::EdDSA, Algorithm::ES256),
    ] {
        let folder = folder.path();
        let before = open_for(&in_state(), &named, folder, Mode::Serve).unwrap();
        let made = into_state(algorithm, &named, None, folder).unwrap();
        let after = open_for(&in_state(), &named, folder, Mode::Serve).unwrap();
        assert_eq!(standby(&after, changed), Some(made));
        assert_eq!(standby(&after, kept), standby(&before, kept));
    }
    let after = open_for(&in_state(), &named, folder.path(), Mode::Serve).unwrap();
    assert_eq!(after.list().len(), before.list().len());
}
