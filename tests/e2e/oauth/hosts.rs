//! Two servers with the same keys behind one address: a login begins at one and ends at the other.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Answer, Folder, Server, send};

use super::*;

#[test]
fn login_begun_at_one_host_ends_at_another_with_the_same_keys() {
    let provider = Oidc::start();
    let [id, secret] = Oidc::WEB;
    let config = format!(
        "server: {{ public_url: \"http://sso.example.test:8090\" }}\nbackends:\n  sso: {{ plugin: oauth, config: {} }}\n",
        settings(
            &provider,
            &format!(", client_id: {id}, client_secret: {secret}")
        )
    );
    let folders = [Folder::new(), Folder::new()];
    let first = Server::start(&folders[0], &config);
    copy(&first.state, &folders[1].join("state"));
    let second = Server::start(&folders[1], &config);
    provider.allow(&["http://sso.example.test:8090/callback/sso"], &[]);

    let begun = send(first.address, "GET", "/login/sso", &[], b"");
    let way = begun.header("location").unwrap().to_owned();
    let back = provider.follow(&way, "amelia");
    let path = back.strip_prefix("http://sso.example.test:8090").unwrap();
    let mut cookies = set(&begun);
    let finished = send(second.address, "GET", path, &[("cookie", &cookies)], b"");
    assert_eq!(finished.status, 303, "{finished:?}\n{}", second.log());
    cookies = set(&finished);
    for host in [&first, &second] {
        let page = send(host.address, "GET", "/login", &[("cookie", &cookies)], b"");
        assert!(page.body.contains("You are signed in"), "{page:?}");
    }
    // A stranger's host, with keys of its own, sees nobody.
    let folder = Folder::new();
    let third = Server::start(&folder, &config);
    let page = send(third.address, "GET", "/login", &[("cookie", &cookies)], b"");
    assert!(!page.body.contains("You are signed in"), "{page:?}");
}

/// The cookies of an answer, as a browser sends them back.
fn set(answer: &Answer) -> String {
    let cookies = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    let cookies = cookies.map(|(_, cookie)| cookie.split(';').next().unwrap());
    cookies.collect::<Vec<_>>().join("; ")
}

/// All keys of a state folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_name().to_str().unwrap() {
            "keys" => copy(&entry.path(), &target),
            _ if entry.path().is_file() => drop(fs::copy(entry.path(), target).unwrap()),
            _ => {} // sockets and the like are each host's own
        }
    }
}
