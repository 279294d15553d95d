//! What the tests of this module share: a folder of their own, openssl, and one RSA key per run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod configured;
mod forms;
mod generate;
mod life;
mod openssl;
mod orders;
mod refused;
mod secrets;
mod signer;
mod start;
mod state;
mod stored;
mod world;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::files::read_private;
use super::kind::for_header;
use super::{
    Circumstances, Holding, Jwks, KeyError, KeySet, Mode, Opening, Order, OrderError, PublicKey,
    Ring, Signer, Terms,
};
use crate::config::shapes::{Algorithm, Keys};

/// A folder that is removed at the end of the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "countersign-keys-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
        Folder(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file that only its owner reads.
    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Runs a command line as an operator types it, in this folder; no quoting.
    fn run(&self, line: &str) {
        let mut words = line.split_whitespace();
        let output = Command::new(words.next().unwrap())
            .args(words)
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Every file below, with its content: to see that nothing has changed.
    fn snapshot(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.0, &mut files);
        files.sort();
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.push((path.clone(), Vec::new()));
            collect(&path, files);
        } else {
            let content = fs::read(&path).unwrap();
            files.push((path, content));
        }
    }
}

/// One RSA private key as PKCS#8 PEM, made once: making it is slow.
fn rsa_pem() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let folder = Folder::new();
        folder.run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem");
        fs::read_to_string(folder.join("key.pem")).unwrap()
    })
}

/// Settings with a private key file.
fn settings(private_key: &Path, algorithm: Algorithm) -> Keys {
    Keys {
        private_key: private_key.display().to_string(),
        algorithm,
        ..Keys::default()
    }
}

/// Settings for keys in the state folder; EdDSA, because its keys are made at once.
fn in_state() -> Keys {
    Keys {
        algorithm: Algorithm::EdDSA,
        ..Keys::default()
    }
}

/// Opens keys as a server on loopback does.
fn open(settings: &Keys, state: &Path) -> Result<KeySet, KeyError> {
    open_as(settings, state, Mode::Serve, false)
}

fn open_as(settings: &Keys, state: &Path, mode: Mode, exposed: bool) -> Result<KeySet, KeyError> {
    open_with(settings, &[], state, mode, exposed)
}

/// Opens keys for audiences that ask for algorithms by name.
fn open_for(
    settings: &Keys,
    named: &[Algorithm],
    state: &Path,
    mode: Mode,
) -> Result<KeySet, KeyError> {
    open_with(settings, named, state, mode, false)
}

fn open_with(
    settings: &Keys,
    named: &[Algorithm],
    state: &Path,
    mode: Mode,
    exposed: bool,
) -> Result<KeySet, KeyError> {
    let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    KeySet::open(
        settings,
        named,
        state,
        &Opening {
            mode,
            exposed,
            now,
            progress: &|_| {},
        },
    )
}

/// What `countersign keys generate` does without files, once the ring has been served.
fn into_state(
    algorithm: Algorithm,
    named: &[Algorithm],
    kid: Option<&str>,
    state: &Path,
) -> Result<String, OrderError> {
    let terms = Terms::of(&in_state(), in_state().algorithm, named.to_vec());
    let at = Circumstances {
        terms: &terms,
        now: 0,
        exposed: false,
        holding: &Holding::new(),
        progress: &|_| {},
    };
    let mut ring = Ring::in_folder(state.join("keys"))?;
    let kid = kid.map(str::to_owned);
    let algorithm = Some(algorithm);
    let done = ring.obey(&Order::Generate { algorithm, kid }, &at)?;
    ring.save()?;
    Ok(done.told[0].trim_start_matches("kid").trim().to_owned())
}

/// Signs a claim and verifies the token with jsonwebtoken against the published document.
fn assert_verifies(signer: &Signer, jwks: &Jwks) {
    let token = signer.sign(br#"{"sub":"1"}"#).unwrap();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.kid.as_deref(), Some(signer.kid()));
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_slice(&jwks.body()).unwrap();
    let jwk = set.find(signer.kid()).unwrap();
    let mut rules = jsonwebtoken::Validation::new(for_header(signer.algorithm()));
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
    let decoded = jsonwebtoken::decode::<Value>(&token, &key, &rules).unwrap();
    assert_eq!(decoded.claims, json!({ "sub": "1" }));
}

/// Runs a command that writes `file`, and closes the file to others.
fn make(folder: &Folder, file: &str, command: &str) -> PathBuf {
    folder.run(&format!("{command} -out {file}"));
    close(&folder.join(file))
}

fn close(path: &Path) -> PathBuf {
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    path.to_owned()
}

fn public_of(path: &Path) -> PublicKey {
    let (pair, _) =
        read_private(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    pair.public().unwrap()
}

fn refusal(path: &Path) -> KeyError {
    let error = read_private(path).expect_err("a refusal");
    assert!(!error.help().is_empty());
    assert!(
        error.to_string().contains(&path.display().to_string()),
        "{error}"
    );
    error
}

fn states(set: &KeySet) -> Vec<super::KeyState> {
    set.list().iter().map(|key| key.state).collect()
}
