//! Rings in the store: sealed, versioned, taken over from a folder.

use std::sync::Arc;

use super::*;
use crate::keys::{Home, Kek, KeyState, Row};

fn kek(first: char) -> Arc<Kek> {
    let text = format!("{first}AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    Arc::new(Kek::parse(&text).unwrap())
}

fn home(name: &str, first: char) -> Home {
    Home::Stored {
        name: name.into(),
        kek: kek(first),
    }
}

fn opened(ring: &mut Ring) -> KeySet {
    let settings = in_state();
    let terms = Terms::of(&settings, settings.algorithm, Vec::new());
    let opening = Opening {
        mode: Mode::Serve,
        exposed: true,
        now: UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        progress: &|_| {},
    };
    KeySet::of(ring, &terms, &settings, &opening, &Holding::new()).unwrap()
}

fn first_row() -> (KeySet, Row) {
    let mut ring = Ring::in_store(home("shared", 'A'), None).unwrap();
    let set = opened(&mut ring);
    (set, ring.row().unwrap().unwrap())
}

#[test]
fn ring_in_the_store_is_the_same_for_every_host() {
    let (set, row) = first_row();
    assert_eq!(row.version, 1);
    let mut other = Ring::in_store(home("shared", 'A'), Some(&row)).unwrap();
    let same = opened(&mut other);
    assert_eq!(same.list(), set.list());
    assert_verifies(same.active(), set.jwks());
    assert_eq!(other.row().unwrap(), None, "nothing has changed");
}

#[test]
fn row_opens_under_its_key_name_and_version_alone_and_unchanged() {
    let (set, row) = first_row();
    let refused = |home: Home, row: &Row| {
        let error = Ring::in_store(home, Some(row)).unwrap_err();
        assert!(matches!(error, KeyError::Sealed { .. }), "{error}");
        assert!(error.help().contains("store.kek"));
    };
    refused(home("shared", 'B'), &row);
    refused(home("audience x", 'A'), &row);
    let with = |version, content: String| Row { version, content };
    refused(home("shared", 'A'), &with(2, row.content.clone()));
    let kid = set.list()[1].kid.clone();
    let changed = row.content.replace("\"next\"", "\"retiring\"");
    assert_ne!(changed, row.content);
    refused(home("shared", 'A'), &with(1, changed));
    refused(home("shared", 'A'), &with(1, kid));
}

#[test]
fn k03_row_shows_nothing_of_a_private_key() {
    let folder = Folder::new();
    let file = make(&folder, "key.pem", "openssl genpkey -algorithm ed25519");
    let (der, _) = crate::keys::private_der(&file).unwrap();
    let mut ring = Ring::in_store(home("shared", 'A'), None).unwrap();
    let settings = in_state();
    let terms = Terms::of(&settings, settings.algorithm, Vec::new());
    let at = Circumstances {
        terms: &terms,
        now: 0,
        exposed: true,
        holding: &Holding::new(),
        progress: &|_| {},
    };
    let import = Order::Import {
        algorithm: None,
        kid: None,
        private_key: file,
    };
    ring.obey(&import, &at).unwrap();
    let content = ring.row().unwrap().unwrap().content;
    // The seed is the last 32 bytes: as text of any part of it in base64 it would show.
    use base64::Engine;
    let seed = &der[der.len() - 32..];
    for skip in 0..3 {
        let part = &seed[skip..];
        let part = &part[..part.len() / 3 * 3];
        let url = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(part);
        let standard = base64::engine::general_purpose::STANDARD.encode(part);
        for text in [url, standard] {
            assert!(!content.contains(&text[4..text.len() - 4]));
        }
    }
    assert!(content.contains("sealed"));
}

#[test]
fn first_host_brings_the_keys_of_its_folder_and_the_next_ones_what_has_signed() {
    let (one, two) = (Folder::new(), Folder::new());
    let first = open(&in_state(), one.path()).unwrap();
    let second = open(&in_state(), two.path()).unwrap();
    let folder = |folder: &Folder| Ring::in_folder(folder.join("keys")).unwrap();

    let mut ring = Ring::in_store(home("shared", 'A'), None).unwrap();
    ring.take_over(&folder(&one), 7).unwrap();
    let set = opened(&mut ring);
    let kids =
        |set: &KeySet| -> Vec<String> { set.list().iter().map(|key| key.kid.clone()).collect() };
    assert_eq!(kids(&set), kids(&first));
    assert_verifies(set.active(), first.jwks());

    let row = ring.row().unwrap().unwrap();
    let mut ring = Ring::in_store(home("shared", 'A'), Some(&row)).unwrap();
    ring.take_over(&folder(&two), 7).unwrap();
    let set = opened(&mut ring);
    assert_eq!(set.active().kid(), first.active().kid());
    assert_verifies(second.active(), set.jwks());
    assert_eq!(
        states(&set),
        [KeyState::Active, KeyState::Next, KeyState::Retiring]
    );
    // A second time nothing is new, though a key be gone.
    let row = ring.row().unwrap().unwrap();
    let mut ring = Ring::in_store(home("shared", 'A'), Some(&row)).unwrap();
    ring.take_over(&folder(&two), 7).unwrap();
    assert_eq!(ring.row().unwrap(), None);
}

#[test]
fn r06_key_that_is_revoked_in_its_folder_leaves_the_store_as_well() {
    let folder = Folder::new();
    let old = open(&in_state(), folder.path()).unwrap();
    let old = old.active().kid();
    let there = || Ring::in_folder(folder.join("keys")).unwrap();
    let mut ring = Ring::in_store(home("shared", 'A'), None).unwrap();
    ring.take_over(&there(), 7).unwrap();
    assert_eq!(opened(&mut ring).active().kid(), old);

    let settings = in_state();
    let at = Circumstances {
        terms: &Terms::of(&settings, settings.algorithm, Vec::new()),
        now: 8,
        exposed: true,
        holding: &Holding::new(),
        progress: &|_| {},
    };
    let revoke = Order::Retire {
        kid: old.to_owned(),
        now: true,
    };
    let mut revoked = there();
    revoked.obey(&revoke, &at).unwrap();
    revoked.save().unwrap();

    ring.take_over(&there(), 9).unwrap();
    let set = opened(&mut ring);
    assert!(set.list().iter().all(|key| key.kid != old));
    assert_ne!(set.active().kid(), old);
}
