//! Keys that sign, tokens made part by part, and an HTTP server that says what it is told.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_verify::{Algorithm, KeySet, Refusal, Rules, Verified};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://good.example";

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of hexadecimal digits.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

/// A key pair that signs with whatever algorithm of its kind it is asked for.
pub(crate) enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

impl Pair {
    pub(crate) fn rsa() -> Pair {
        Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn p256() -> Pair {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Pair::Ec(pair, "P-256")
    }

    pub(crate) fn p384() -> Pair {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        Pair::Ec(pair, "P-384")
    }

    pub(crate) fn ed25519() -> Pair {
        Pair::Ed(Ed25519KeyPair::generate().unwrap())
    }

    /// The public key as JWK, without kid and alg.
    pub(crate) fn jwk(&self) -> Value {
        match self {
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let (n, e) = (key.modulus(), key.exponent());
                json!({ "kty": "RSA", "n": b64(n.big_endian_without_leading_zero()),
                    "e": b64(e.big_endian_without_leading_zero()) })
            }
            Pair::Ec(pair, crv) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": crv, "x": b64(x), "y": b64(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": b64(pair.public_key()) })
            }
        }
    }

    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Pair::Rsa(pair) => {
                let padding: &dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
            Pair::Ec(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token of these parts, signed as the header says.
    pub(crate) fn token(&self, header: &Value, claims: &Value) -> String {
        let algorithm = header["alg"].as_str().unwrap_or_default();
        self.raw(algorithm, &header.to_string(), &claims.to_string())
    }

    pub(crate) fn raw(&self, algorithm: &str, header: &str, payload: &str) -> String {
        let signed = format!("{}.{}", b64(header), b64(payload));
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", b64(signature))
    }
}

/// A JWK with further members.
pub(crate) fn with(mut jwk: Value, members: Value) -> Value {
    let members = members.as_object().unwrap().clone();
    jwk.as_object_mut().unwrap().extend(members);
    jwk
}

pub(crate) fn set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

/// An Ed25519 issuer whose tokens are good until a test spoils them.
pub(crate) struct Good {
    pub(crate) pair: Pair,
    pub(crate) keys: KeySet,
    pub(crate) rules: Rules,
}

impl Good {
    pub(crate) fn new() -> Good {
        let pair = Pair::ed25519();
        let keys = KeySet::parse(&set(&[with(pair.jwk(), json!({ "kid": "k" }))])).unwrap();
        let rules = Rules::new(ISSUER, ["us"], [Algorithm::EdDSA]).unwrap();
        Good { pair, keys, rules }
    }

    pub(crate) fn header() -> Value {
        json!({ "alg": "EdDSA", "kid": "k", "typ": "JWT" })
    }

    pub(crate) fn claims() -> Value {
        json!({ "iss": ISSUER, "aud": "us", "sub": "ada", "jti": "1", "iat": NOW, "nbf": NOW, "exp": NOW + 60 })
    }

    pub(crate) fn verify(&self, token: &str) -> Result<Verified, Refusal> {
        self.rules.verify(token, &self.keys, NOW)
    }

    /// The verdict on a good token with one header member changed; `null` takes it away.
    pub(crate) fn header_with(&self, name: &str, value: Value) -> Result<Verified, Refusal> {
        let header = changed(Good::header(), name, value);
        self.verify(
            &self
                .pair
                .raw("EdDSA", &header.to_string(), &Good::claims().to_string()),
        )
    }

    /// The same with one claim changed.
    pub(crate) fn claim_with(&self, name: &str, value: Value) -> Result<Verified, Refusal> {
        let claims = changed(Good::claims(), name, value);
        self.verify(&self.pair.token(&Good::header(), &claims))
    }
}

fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.into(), value)),
    }
    object
}

/// The rule of a refusal that must be.
pub(crate) fn rule(verdict: Result<Verified, Refusal>) -> &'static str {
    verdict.unwrap_err().rule()
}

/// An answer whose rest never comes.
pub(crate) const UNFINISHED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\":";

/// A server on loopback that answers every request with the same bytes.
pub(crate) struct Web {
    pub(crate) url: String,
    asked: Arc<AtomicUsize>,
    answer: Arc<std::sync::Mutex<Vec<u8>>>,
}

impl Web {
    pub(crate) async fn start(answer: impl Into<Vec<u8>>) -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Web {
            url: format!("http://{}/jwks", listener.local_addr().unwrap()),
            asked: Arc::default(),
            answer: Arc::new(std::sync::Mutex::new(answer.into())),
        };
        let (asked, answer) = (Arc::clone(&web.asked), Arc::clone(&web.answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = answer.lock().unwrap().clone();
                tokio::spawn(async move {
                    read_head(&mut stream).await?;
                    stream.write_all(&answer).await?;
                    // An answer without an end: the connection stays open.
                    if answer.is_empty() || answer == UNFINISHED {
                        read_head(&mut stream).await?;
                    }
                    stream.shutdown().await
                });
            }
        });
        web
    }

    pub(crate) fn answer(&self, answer: impl Into<Vec<u8>>) {
        *self.answer.lock().unwrap() = answer.into();
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

/// An HTTP answer.
pub(crate) fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
