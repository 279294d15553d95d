//! Who may touch a private key file.

use std::os::unix::fs::symlink;

use super::*;

#[test]
fn private_key_open_to_others_is_refused_and_to_our_group_noted() {
    let folder = Folder::new();
    let path = folder.write("key.pem", rsa_pem());
    for mode in [0o644, 0o604, 0o602, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, KeyError::Exposed { .. }), "{error}");
        assert!(
            error.to_string().contains(&format!("{mode:04o}"))
                && error.help().contains("chmod 600")
        );
    }
    std::os::unix::fs::chown(&path, None, Some(rustix::process::getegid().as_raw())).unwrap();
    for (mode, noted) in [(0o600, false), (0o400, false), (0o640, true), (0o440, true)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let (_, notice) = read_private(&path).unwrap();
        assert_eq!(notice.is_some(), noted, "{mode:o}");
    }
}

#[test]
fn private_key_behind_a_symbolic_link_is_taken_by_the_permissions_of_its_file() {
    let folder = Folder::new();
    let path = folder.write("real.pem", rsa_pem());
    symlink(&path, folder.join("link.pem")).unwrap();
    assert_eq!(public_of(&folder.join("link.pem")), public_of(&path));
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        refusal(&folder.join("link.pem")),
        KeyError::Exposed { .. }
    ));
}
