//! The directory that the tests share: OpenLDAP with TLS, groups, a password policy and
//! scripted faults, as `tests/testbed/slapd` sets it up. It ends with the tests' process.
#![allow(dead_code, reason = "each area of the tests takes what it needs")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use countersign_ldap::{Config, Ldap};
use countersign_sdk::prelude::*;
use countersign_sdk::testing;
use serde_json::{Value, json};

/// The entry that the test bed's people and groups are below.
pub(crate) const BASE: &str = "dc=example,dc=test";
/// The service account, and its password.
pub(crate) const SERVICE: (&str, &str) = ("cn=svc,ou=system,dc=example,dc=test", "svc-pw");

/// One private slapd.
pub(crate) struct Bed {
    facts: BTreeMap<String, String>,
    folder: PathBuf,
    /// It ends when its standard input does: with this process.
    child: Child,
}

/// The server that the tests share. What a test changes there has a name of its own.
pub(crate) fn bed() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(|| Bed::start(&[]))
}

impl Bed {
    /// A server of a test's own, with these variables of `slapd.sh`, such as `("CERT", "expired")`.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testbed/slapd/slapd.sh");
        let name = format!(
            "countersign-slapd-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder = std::env::temp_dir().join(name);
        let life = r#""$0" start "$1" </dev/null && echo READY=1 && cat >/dev/null; "$0" stop "$1"; rm -rf "$1""#;
        let mut child = Command::new("bash")
            .args(["-c", life])
            .args([&script, &folder])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut facts = BTreeMap::new();
        while !facts.contains_key("READY") {
            let line = lines.next().expect("slapd did not start").unwrap();
            let (key, value) = line.split_once('=').unwrap();
            facts.insert(key.to_owned(), value.to_owned());
        }
        Bed {
            facts,
            folder,
            child,
        }
    }

    /// `ldap://127.0.0.1:…`, where StartTLS is offered, too.
    pub(crate) fn url(&self) -> &str {
        &self.facts["LDAP_URI"]
    }

    /// `ldaps://127.0.0.1:…`
    pub(crate) fn ldaps(&self) -> &str {
        &self.facts["LDAPS_URI"]
    }

    /// `ldapi://…`; whoever comes by it with SASL EXTERNAL is the directory's administrator.
    pub(crate) fn ldapi(&self) -> &str {
        &self.facts["LDAPI_URI"]
    }

    /// The authority that signed its certificate.
    pub(crate) fn ca(&self) -> &str {
        &self.facts["LDAP_CA"]
    }

    /// A file of its certificates: `client.pem`, `client.key`, `other-ca.pem`.
    pub(crate) fn certificate(&self, name: &str) -> PathBuf {
        self.folder.join("tls").join(name)
    }

    /// Everything that slapd has logged: each operation with its result.
    pub(crate) fn log(&self) -> String {
        let log = std::fs::read(self.folder.join("slapd.log")).unwrap();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Adds the entries of this LDIF, or makes the changes that it names, as administrator.
    pub(crate) fn change(&self, ldif: &str) {
        self.modify(&["-Q", "-Y", "EXTERNAL", "-H", self.ldapi()], ldif);
    }

    /// The same in `dc=nested,dc=test`, where everybody may read everything.
    pub(crate) fn change_nested(&self, ldif: &str) {
        let administrator = ["-D", "cn=admin,dc=nested,dc=test", "-w", "admin-pw"];
        self.modify(
            &[&["-x", "-H", self.url()], &administrator[..]].concat(),
            ldif,
        );
    }

    fn modify(&self, by: &[&str], ldif: &str) {
        let mut child = Command::new("ldapmodify")
            .arg("-a")
            .args(by)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(ldif.as_bytes()).unwrap();
        drop(input);
        assert!(child.wait().unwrap().success(), "{ldif}");
    }

    /// A person below `ou=people` with the password `NAME-pw`; `more` are further lines of LDIF.
    pub(crate) fn add_person(&self, name: &str, more: &str) {
        let more = more.trim();
        let end = if more.is_empty() { "" } else { "\n" };
        self.change(&format!(
            "dn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\n\
             sn: {name}\nuserPassword: {name}-pw\n{more}{end}\n"
        ));
    }

    /// Settings of the indirect flow over `ldap://`; `more` is put over them, key by key.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings = json!({
            "url": self.url(),
            "bind_dn": SERVICE.0,
            "bind_password": SERVICE.1,
            "search": { "base": BASE },
        });
        put_over(&mut settings, more);
        settings
    }

    /// Settings of the direct flow over `ldap://`, likewise.
    pub(crate) fn direct(&self, more: Value) -> Value {
        let mut settings = json!({
            "url": self.url(),
            "username_format": format!("uid={{username}},ou=people,{BASE}"),
        });
        put_over(&mut settings, more);
        settings
    }

    /// Ends it and waits.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

/// Objects are merged, everything else is replaced; `null` takes a key away.
pub(crate) fn put_over(settings: &mut Value, more: Value) {
    match (settings, more) {
        (Value::Object(settings), Value::Object(more)) => {
            for (key, value) in more {
                if value.is_null() {
                    settings.remove(&key);
                } else {
                    put_over(settings.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (settings, more) => *settings = more,
    }
}

/// An instance with these settings.
pub(crate) async fn instance(settings: Value) -> Ldap {
    open(settings).await.unwrap()
}

/// An instance with these settings, or why there is none.
pub(crate) async fn open(settings: Value) -> Result<Ldap> {
    let config: Config = serde_json::from_value(settings).unwrap();
    Ldap::configure(config, testing::cx(&std::env::temp_dir())).await
}

/// A login with these credentials.
pub(crate) async fn login(ldap: &Ldap, username: &str, password: &str) -> Result<Option<User>> {
    ldap.create_token(testing::login(username, password)).await
}

/// What this thread logs meanwhile, at every level. For tests whose runtime is this thread.
pub(crate) async fn logged<T>(work: impl Future<Output = T>) -> (T, String) {
    let heard = Heard::default();
    let writer = heard.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || writer.clone())
        .finish();
    // What no other subscriber of the process wants is not even asked for: one wants everything.
    static EVERYTHING: OnceLock<()> = OnceLock::new();
    EVERYTHING.get_or_init(|| {
        let sink = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        let _ = sink.with_writer(std::io::sink).try_init();
    });
    let done = {
        let _here = tracing::subscriber::set_default(subscriber);
        work.await
    };
    let text = String::from_utf8(heard.0.lock().unwrap().clone()).unwrap();
    (done, text)
}

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
