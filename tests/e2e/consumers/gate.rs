//! A web server as consumer: it lets a request through to a page, or it does not.

use std::fs::{Permissions, set_permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, SystemTime};

use countersign_tests::peer::{Peer, script};
use countersign_tests::{Answer, Folder, get, send, token};

use super::issuers::{AUDIENCE, ISSUER, Issuer, Three};
use super::library::without_key_id;

/// A running web server; it ends with this value.
struct Gate {
    peer: Peer,
    _folder: Folder,
}

impl Gate {
    /// Runs the script of this name; it reads the keys of `keys`.
    fn start(name: &str, keys: &Issuer, issuer: &str) -> Gate {
        let folder = Folder::new();
        // Apache's workers are another user when the tests run as root.
        set_permissions(folder.path(), Permissions::from_mode(0o711)).unwrap();
        let mut command = Command::new(script(&format!("{name}/{name}.sh")));
        command
            .arg("run")
            .arg(folder.join(name))
            .arg(keys.server.address.to_string())
            .args([issuer, AUDIENCE]);
        Gate {
            peer: Peer::start(command, "LOG"),
            _folder: folder,
        }
    }

    fn address(&self) -> SocketAddr {
        self.peer.facts["ADDRESS"].parse().unwrap()
    }

    fn ask(&self, jwt: &str) -> Answer {
        let bearer = format!("Bearer {jwt}");
        let headers = [("authorization", bearer.as_str())];
        send(self.address(), "GET", "/page", &headers, b"")
    }

    fn refuses(&self, jwt: &str, case: &str) {
        let answer = self.ask(jwt);
        assert_eq!(answer.status, 401, "{case}: {answer:?}");
    }

    fn accepts(&self, jwt: &str, case: &str) {
        let answer = self.ask(jwt);
        let log = || std::fs::read_to_string(&self.peer.facts["LOG"]);
        assert_eq!(answer.status, 200, "{case}: {answer:?}\n{:?}", log());
        assert_eq!(answer.header("x-remote-user"), Some("ada"), "{case}");
        assert_eq!(answer.body, "page\n");
    }
}

/// Each algorithm passes, but for those in `unknown`.
pub(super) fn accepts_every_algorithm_but(name: &str, unknown: &[&str]) {
    for issuer in Issuer::of_each_algorithm() {
        let gate = Gate::start(name, &issuer, ISSUER);
        match unknown.contains(&issuer.algorithm) {
            true => gate.refuses(&issuer.token(), issuer.algorithm),
            false => gate.accepts(&issuer.token(), issuer.algorithm),
        }
    }
}

/// What must be refused is, beside tokens of the same server that pass.
pub(super) fn refuses_what_it_must(name: &str) {
    let Three {
        current,
        retired,
        other,
    } = Three::start();
    let short = current.short_token();
    let (jwt, before) = (current.token(), retired.token());
    let gate = Gate::start(name, &current, ISSUER);
    gate.accepts(&jwt, "its own key");
    gate.accepts(&before, "a published key");
    gate.refuses(&other.token(), "another audience");
    gate.refuses(&without_key_id(&jwt), "no key id");
    gate.refuses("nonsense", "no token");
    let bare = get(gate.address(), "/page");
    let challenge = bare.header("www-authenticate").unwrap_or_default();
    assert!(
        bare.status == 401 && challenge.starts_with("Bearer"),
        "{bare:?}"
    );

    let later = Gate::start(name, &other, ISSUER);
    later.accepts(&jwt, "the key that stayed");
    later.refuses(&before, "the key that is gone");

    let elsewhere = Gate::start(name, &current, "https://elsewhere.example.org");
    elsewhere.refuses(&jwt, "another issuer");
    expires(&gate, &short);
}

/// It may pass until it expires, and not after: asked again and again, no pause is guessed.
fn expires(gate: &Gate, jwt: &str) {
    let expires = token::claims(jwt)["exp"].as_u64().unwrap();
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(expires);
    while gate.ask(jwt).status == 200 {
        let late = end + Duration::from_secs(10);
        assert!(SystemTime::now() < late, "still accepted after {expires}");
    }
    assert!(SystemTime::now() >= end, "refused before {expires}");
    gate.refuses(jwt, "expired");
}
