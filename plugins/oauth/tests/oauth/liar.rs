//! A server that answers what a test tells it to, counts who asks, and signs as a provider
//! would: for everything that a real one never does.
#![allow(dead_code, reason = "each area of the tests takes what it needs")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bed::put_over;

/// The server.
pub(crate) struct Liar {
    pub(crate) issuer: String,
    state: Arc<Mutex<State>>,
    key: Ed25519KeyPair,
}

#[derive(Default)]
struct State {
    /// Path → answer; what is not here hangs.
    answers: HashMap<String, Vec<u8>>,
    /// Every request, head and body.
    asked: Vec<String>,
}

impl Liar {
    /// It has a discovery document and a key set.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let liar = Liar {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            state: Arc::default(),
            key: Ed25519KeyPair::generate().unwrap(),
        };
        let state = Arc::clone(&liar.state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        liar.json(
            "/.well-known/openid-configuration",
            liar.document(json!({})),
        );
        liar.json("/jwks", json!({ "keys": [liar.jwk("k")] }));
        liar
    }

    /// Its discovery document, with changes.
    pub(crate) fn document(&self, more: Value) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut document = json!({
            "issuer": self.issuer, "jwks_uri": at("/jwks"), "userinfo_endpoint": at("/userinfo"),
            "introspection_endpoint": at("/introspect"),
        });
        put_over(&mut document, more);
        document
    }

    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x })
    }

    /// Answers with this JSON from now on.
    pub(crate) fn json(&self, path: &str, body: Value) {
        self.says(
            path,
            "200 OK",
            "application/json",
            body.to_string().as_bytes(),
        );
    }

    pub(crate) fn says(&self, path: &str, status: &str, content: &str, body: &[u8]) {
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\ncontent-type: {content}\r\n\r\n"
        );
        self.raw(path, [head.as_bytes(), body].concat());
    }

    /// Answers with these bytes, and leaves the connection open.
    pub(crate) fn raw(&self, path: &str, answer: Vec<u8>) {
        let mut state = self.state.lock().unwrap();
        state.answers.insert(path.to_owned(), answer);
    }

    /// Hangs from now on.
    pub(crate) fn hang(&self, path: &str) {
        self.state.lock().unwrap().answers.remove(path);
    }

    /// The requests for a path.
    pub(crate) fn requests(&self, path: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let asked = state.asked.iter().filter(|head| path_of(head) == path);
        asked.cloned().collect()
    }

    /// How many requests there were.
    pub(crate) fn asked(&self) -> usize {
        self.state.lock().unwrap().asked.len()
    }

    /// Settings for it; `more` is put over them.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings = json!({
            "issuer": self.issuer, "audiences": ["us"], "algorithms": ["EdDSA"],
            "allow_http": true, "timeout": "500ms",
        });
        put_over(&mut settings, more);
        settings
    }

    /// A good token with changes; `null` takes a claim away.
    pub(crate) fn token(&self, header: Value, claims: Value) -> String {
        let mut whole = json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" });
        put_over(&mut whole, header);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.unwrap().as_secs();
        let mut good = json!({
            "iss": self.issuer, "sub": "ada", "aud": "us", "iat": now, "exp": now + 300,
        });
        put_over(&mut good, claims);
        self.sign(&whole.to_string(), &good.to_string())
    }

    /// Signs whatever it is.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encoded(header), encoded(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        request.extend_from_slice(&chunk[..read]);
        if is_whole(&request) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let answer = {
        let mut state = state.lock().unwrap();
        let answer = state.answers.get(path_of(&text)).cloned();
        state.asked.push(text);
        answer
    };
    if let Some(answer) = answer {
        let _ = stream.write_all(&answer).await;
    }
    // Who was answered closes; who was not waits.
    let _ = stream.read(&mut chunk).await;
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

fn path_of(head: &str) -> &str {
    let target = head.split(' ').nth(1).unwrap_or_default();
    target.split('?').next().unwrap_or_default()
}
