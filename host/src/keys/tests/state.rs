//! The state folder after a crash, damaged, or open to others.

use super::*;
use crate::keys::KeyState;

#[test]
fn file_torn_by_a_crash_is_ignored_and_removed() {
    let folder = Folder::new();
    let first = open(&in_state(), folder.path()).unwrap();
    folder.write("keys/.index.json.tmp", r#"{"version":1,"ke"#);
    folder.write("keys/orphan.pem", "-----BEGIN PRIVATE");
    let second = open(&in_state(), folder.path()).unwrap();
    assert_eq!(first.list(), second.list());
    // The next change of the index goes through.
    let key = folder.write("key.pem", rsa_pem());
    open(&settings(&key, Algorithm::RS256), folder.path()).unwrap();
    assert!(!folder.join("keys/.index.json.tmp").exists());
}

#[test]
fn crash_before_the_first_index_starts_anew() {
    let folder = Folder::new();
    open(&in_state(), folder.path()).unwrap();
    fs::remove_file(folder.join("keys/index.json")).unwrap();
    let set = open(&in_state(), folder.path()).unwrap();
    assert_eq!(states(&set), [KeyState::Active, KeyState::Next]);
}

#[test]
fn index_that_cannot_be_trusted_is_refused() {
    let folder = Folder::new();
    let set = open(&in_state(), folder.path()).unwrap();
    let path = folder.join("keys/index.json");
    let good = fs::read_to_string(&path).unwrap();
    let other = "A".repeat(43);
    for bad in [
        good[..good.len() / 2].to_owned(),
        String::new(),
        good.replace("\"version\": 1", "\"version\": 2"),
        good.replace("\"next\"", "\"active\""),
        good.replacen(set.active().kid(), &other, 1),
    ] {
        fs::write(&path, &bad).unwrap();
        let error = open(&in_state(), folder.path()).unwrap_err();
        assert!(matches!(error, KeyError::Index { .. }), "{error}");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            bad,
            "a broken index is left for its owner"
        );
    }
    // The file of another key under the active key's name.
    fs::write(&path, &good).unwrap();
    fs::copy(&set.list()[1].file, &set.list()[0].file).unwrap();
    assert!(
        open(&in_state(), folder.path())
            .unwrap_err()
            .to_string()
            .contains("is not the one in")
    );
}

#[test]
fn state_folder_open_to_others_is_refused() {
    let folder = Folder::new();
    let set = open(&in_state(), folder.path()).unwrap();
    let close =
        |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    close(&folder.join("keys"), 0o755);
    let error = open(&in_state(), folder.path()).unwrap_err();
    assert!(
        matches!(error, KeyError::Exposed { .. }) && error.help().contains("chmod 700"),
        "{error}"
    );
    close(&folder.join("keys"), 0o700);
    close(&set.list()[0].file, 0o644);
    assert!(matches!(
        open(&in_state(), folder.path()),
        Err(KeyError::Exposed { .. })
    ));
}
