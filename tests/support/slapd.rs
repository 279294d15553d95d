//! An OpenLDAP server of its own, through `testbed/slapd/`; what is in it is said there.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::peer::{Peer, script};

/// A running server; it ends with this value, or with this process.
pub struct Slapd {
    /// `ldap://127.0.0.1:PORT`, which knows StartTLS.
    pub url: String,
    /// `ldaps://127.0.0.1:PORT`.
    pub secure_url: String,
    /// The certificate of the authority that signed its own; beside it lie the others of `tls/make_ca.sh`.
    pub ca: PathBuf,
    folder: PathBuf,
    environment: Vec<(String, String)>,
    _peer: Peer,
}

impl Slapd {
    /// Where its people, groups and accounts are.
    pub const BASE: &str = "dc=example,dc=test";
    /// The account that may look everybody up, and its password.
    pub const SERVICE: [&str; 2] = ["cn=svc,ou=system,dc=example,dc=test", "svc-pw"];

    /// Starts it on free ports.
    pub fn start() -> Self {
        Slapd::with(&[])
    }

    /// The same with variables of `slapd.sh`, such as `CERT=expired`.
    pub fn with(environment: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-e2e-slapd-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let mut command = Command::new(script("slapd/slapd.sh"));
        command.arg("run").arg(&folder);
        command.envs(environment.iter().copied());
        let peer = Peer::start(command, "LDAP_PID");
        let fact = |key: &str| peer.facts[key].clone();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Slapd {
            url: fact("LDAP_URI"),
            secure_url: fact("LDAPS_URI"),
            ca: fact("LDAP_CA").into(),
            folder,
            environment: environment.iter().map(owned).collect(),
            _peer: peer,
        }
    }

    /// Of plain LDAP and StartTLS.
    pub fn address(&self) -> SocketAddr {
        self.url["ldap://".len()..].parse().unwrap()
    }

    /// Of LDAPS.
    pub fn secure_address(&self) -> SocketAddr {
        self.secure_url["ldaps://".len()..].parse().unwrap()
    }

    /// Ends it at once, as in a crash.
    pub fn stop(&self) {
        self.now("stop", &[]);
    }

    /// Starts it again on the same ports, with what was in it.
    pub fn again(&self) {
        let ports = [self.address(), self.secure_address()].map(|address| address.port());
        let [plain, secure] = ports.map(|port| port.to_string());
        self.now("start", &[&plain, &secure]);
    }

    /// Users `u0` … with the password `alice-pw`, and the group `big` of them all.
    pub fn bulk(&self, users: usize) {
        self.now("bulk", &[&users.to_string()]);
    }

    fn now(&self, command: &str, more: &[&str]) {
        let mut script = Command::new(script("slapd/slapd.sh"));
        let script = script.arg(command).arg(&self.folder).args(more);
        let variables = self.environment.iter().map(|(name, value)| (name, value));
        let done = script.envs(variables).output().unwrap();
        assert!(done.status.success(), "slapd.sh {command}: {done:?}");
    }

    /// Adds entries, as LDIF.
    pub fn add(&self, ldif: &str) {
        self.ldif("ldapadd", ldif);
    }

    /// Changes entries, as LDIF with `changetype`.
    pub fn modify(&self, ldif: &str) {
        self.ldif("ldapmodify", ldif);
    }

    /// As the root of its tree, which the socket makes us; panics if an entry is not taken.
    fn ldif(&self, program: &str, ldif: &str) {
        let socket = self.folder.join("ldapi");
        let socket = socket.to_str().unwrap().replace('/', "%2F");
        let mut child = Command::new(program)
            .args(["-Q", "-Y", "EXTERNAL", "-H", &format!("ldapi://{socket}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(ldif.as_bytes())
            .unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{program}: {done:?}");
    }

    /// Its log so far: each operation with its result.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("slapd.log")).unwrap()
    }

    /// How many lines of the log hold this text, such as ` BIND dn="uid=alice,` or ` SRCH base=`.
    pub fn count(&self, what: &str) -> usize {
        let log = self.log();
        log.lines().filter(|line| line.contains(what)).count()
    }
}
