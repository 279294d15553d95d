//! What Countersign is held against: a bare axum server that does the same inline,
//! with the same libraries and nothing else. This program starts itself as one.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// `bare ALGORITHM KEYFILE`: serves until killed; prints its address.
pub(crate) fn serve(arguments: &[String]) {
    let [algorithm, file] = arguments else {
        panic!("bare ALGORITHM KEYFILE")
    };
    let router = Router::new()
        .route("/auth/token", post(token))
        .route("/.well-known/jwks.json", get(jwks))
        .with_state(Arc::new(Signer::open(algorithm, file)));
    listen(router);
}

/// Prints the address of a server, and serves until killed.
pub(crate) fn listen(router: Router) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

/// A key, ready to sign.
pub(crate) struct Signer {
    key: Key,
    header: String,
    random: SystemRandom,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Signer {
    /// The key in this file.
    pub(crate) fn open(algorithm: &str, file: &str) -> Self {
        let der = std::fs::read(file).unwrap();
        let key = match algorithm {
            "RS256" => Key::Rsa(RsaKeyPair::from_pkcs8(&der).unwrap()),
            _ => Key::Ed(Ed25519KeyPair::from_pkcs8(&der).unwrap()),
        };
        let header = json!({ "alg": algorithm, "kid": "bare", "typ": "JWT" });
        Signer {
            key,
            header: BASE64_URL_SAFE_NO_PAD.encode(header.to_string()),
            random: SystemRandom::new(),
        }
    }

    /// The body of an answer with a token for this subject.
    pub(crate) fn answer(&self, subject: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut jti = [0; 16];
        aws_lc_rs::rand::fill(&mut jti).unwrap();
        let jti: String = jti.iter().map(|byte| format!("{byte:02x}")).collect();
        let claims = json!({
            "sub": subject, "jti": jti, "iss": "http://127.0.0.1:8090", "aud": "apache-airflow",
            "nbf": now, "exp": now + 86_400, "iat": now,
        });
        let mut token = format!(
            "{}.{}",
            self.header,
            BASE64_URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = match &self.key {
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(
                    &RSA_PKCS1_SHA256,
                    &self.random,
                    token.as_bytes(),
                    &mut signature,
                )
                .unwrap();
                signature
            }
            Key::Ed(key) => key.sign(token.as_bytes()).as_ref().to_vec(),
        };
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        json!({ "access_token": token }).to_string()
    }
}

/// As large as a set of two RSA keys.
const JWKS: &str = include_str!("jwks.json");

async fn jwks() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], JWKS)
}

async fn token(State(shared): State<Arc<Signer>>, body: axum::body::Bytes) -> impl IntoResponse {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let (Some(username), Some("door")) = (body["username"].as_str(), body["password"].as_str())
    else {
        return (
            StatusCode::UNAUTHORIZED,
            [(header::CONTENT_TYPE, "application/json")],
            String::new(),
        );
    };
    (
        StatusCode::CREATED,
        [(header::CONTENT_TYPE, "application/json")],
        shared.answer(username),
    )
}

/// A bare server as a process of its own.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Bare {
    /// On one core.
    pub(crate) fn start(algorithm: &str, key: &Path, core: usize) -> Self {
        Bare::on(core, &["bare", algorithm, key.to_str().unwrap()])
    }

    /// On one core; the arguments are this program's.
    pub(crate) fn on(core: usize, arguments: &[&str]) -> Self {
        let mut taskset = Command::new("taskset");
        taskset.args(["-c", &core.to_string()]);
        taskset.arg(std::env::current_exe().unwrap());
        taskset.args(arguments);
        Bare::spawn(taskset)
    }

    /// On all cores.
    pub(crate) fn anywhere(algorithm: &str, key: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["bare", algorithm]).arg(key);
        Bare::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        Bare {
            address: line.trim().parse().unwrap(),
            child,
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
