//! Keys that the configuration names, and what it gets wrong.

use super::*;
use crate::config::shapes::ExtraPublic;
use crate::keys::KeyState;

#[test]
fn configured_key_signs_and_keys_of_the_state_folder_stay_published() {
    let folder = Folder::new();
    let state = folder.join("state");
    let before = open(&in_state(), &state).unwrap();
    let key = folder.write("key.pem", rsa_pem());
    let configured = Keys {
        kid: "mine".into(),
        ..settings(&key, Algorithm::RS256)
    };
    let set = open(&configured, &state).unwrap();
    assert_eq!(set.active().kid(), "mine");
    assert_eq!(
        states(&set),
        [KeyState::Active, KeyState::Next, KeyState::Retiring]
    );
    assert_verifies(before.active(), set.jwks());

    // Without it the standby signs, and the tokens of both go on verifying.
    let back = open(&in_state(), &state).unwrap();
    assert_eq!(back.active().kid(), before.list()[1].kid);
    assert_verifies(set.active(), back.jwks());
    assert!(
        back.notices()[0].contains("keys.private_key is gone"),
        "{:?}",
        back.notices()
    );
}

#[test]
fn m08_key_of_another_kind_than_the_algorithm_is_refused() {
    let folder = Folder::new();
    folder.run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    let error = open(
        &settings(&folder.join("ec.pem"), Algorithm::RS256),
        folder.path(),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "RS256 needs an RSA key, but {} holds an EC P-256 key",
            folder.join("ec.pem").display()
        )
    );
    assert!(
        open(
            &settings(&folder.join("ec.pem"), Algorithm::ES256),
            folder.path()
        )
        .is_ok()
    );
    assert!(
        open(
            &settings(&folder.join("ec.pem"), Algorithm::ES384),
            folder.path()
        )
        .is_err()
    );
}

#[test]
fn m11_demonstration_key_of_openmetadata_is_refused_off_loopback_and_noted_on_it() {
    let folder = Folder::new();
    let key = folder.write("key.pem", rsa_pem());
    let demo = Keys {
        kid: "Gb389a-9f76-gdjs-a92j-0242bk94356".into(),
        ..settings(&key, Algorithm::RS256)
    };
    let error = open_as(&demo, &folder.join("state"), Mode::Serve, true).unwrap_err();
    assert!(
        matches!(error, KeyError::Demo { .. }) && error.help().contains("keys.kid"),
        "{error}"
    );
    let set = open_as(&demo, &folder.join("state"), Mode::Serve, false).unwrap();
    assert!(
        set.notices()[0].contains("demonstration key"),
        "{:?}",
        set.notices()
    );

    folder.run("openssl rsa -in key.pem -pubout -out public.pem");
    let extra = ExtraPublic {
        file: folder.join("public.pem"),
        kid: demo.kid.clone(),
    };
    let extra = Keys {
        extra_public: vec![extra],
        ..in_state()
    };
    assert!(matches!(
        open_as(&extra, &folder.join("other"), Mode::Serve, true),
        Err(KeyError::Demo { .. })
    ));
}

#[test]
fn public_key_of_another_private_key_is_refused_with_both_names() {
    let folder = Folder::new();
    let key = folder.write("key.pem", rsa_pem());
    folder.run("openssl genpkey -algorithm ed25519 -out other.pem");
    folder.run("openssl pkey -in other.pem -pubout -out other_public.pem");
    let public_key = folder.join("other_public.pem").display().to_string();
    let wrong = Keys {
        public_key: public_key.clone(),
        ..settings(&key, Algorithm::RS256)
    };
    let text = open(&wrong, &folder.join("state")).unwrap_err().to_string();
    assert!(
        text.contains(&public_key) && text.contains(&key.display().to_string()),
        "{text}"
    );
    assert_eq!(text.matches("thumbprint ").count(), 2, "{text}");

    let alone = Keys {
        public_key,
        ..in_state()
    };
    assert!(matches!(
        open(&alone, &folder.join("state")),
        Err(KeyError::PublicAlone { .. })
    ));
    assert!(!folder.join("state").exists());
}

#[test]
fn known_kid_with_another_key_is_refused_and_nothing_forgotten() {
    let folder = Folder::new();
    let state = folder.join("state");
    let first = folder.write("first.pem", rsa_pem());
    folder.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out second.pem");
    let named = |path: &Path| Keys {
        kid: "k".into(),
        ..settings(path, Algorithm::RS256)
    };
    open(&named(&first), &state).unwrap();
    for mode in [Mode::Serve, Mode::Check] {
        let error = open_as(&named(&folder.join("second.pem")), &state, mode, false).unwrap_err();
        assert!(matches!(error, KeyError::KidReused { .. }), "{error}");
        assert!(error.to_string().contains("second.pem") && error.help().contains("new id"));
    }
    open(&named(&first), &state).unwrap();
}

#[test]
fn two_keys_with_one_kid_are_refused() {
    let folder = Folder::new();
    let key = folder.write("key.pem", rsa_pem());
    folder.run("openssl rsa -in key.pem -pubout -out public.pem");
    let extra = ExtraPublic {
        file: folder.join("public.pem"),
        kid: "k".into(),
    };
    let twice = Keys {
        kid: "k".into(),
        extra_public: vec![extra],
        ..settings(&key, Algorithm::RS256)
    };
    let error = open(&twice, &folder.join("state")).unwrap_err();
    assert!(matches!(error, KeyError::DuplicateKid { .. }), "{error}");
    assert!(error.to_string().contains("key.pem") && error.to_string().contains("public.pem"));
}

#[test]
fn kid_that_no_header_should_carry_is_refused() {
    let folder = Folder::new();
    let key = folder.write("key.pem", rsa_pem());
    for kid in ["a\nb", "\u{0}", &"x".repeat(257)] {
        let odd = Keys {
            kid: kid.into(),
            ..settings(&key, Algorithm::RS256)
        };
        assert!(
            matches!(open(&odd, &folder.join("state")), Err(KeyError::Kid { .. })),
            "{kid:?}"
        );
    }
}

#[test]
fn kid_without_a_private_key_is_said_to_have_no_effect() {
    let folder = Folder::new();
    let keys = Keys {
        kid: "mine".into(),
        ..in_state()
    };
    let set = open(&keys, folder.path()).unwrap();
    assert_ne!(set.active().kid(), "mine");
    assert_eq!(
        set.notices(),
        ["keys.kid has no effect without keys.private_key"]
    );
}
