//! From claims to a JWT, against the bare signature over the same bytes with the same
//! key: what is left for encoding, and for not parsing the key again.

use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use countersign::accounts::Principal;
use countersign::config::Config;
use countersign::config::shapes::Algorithm;
use countersign::keys::{KeySet, Mode, Opening};
use countersign::token::{Holder, Issuer, Lifetime};
use countersign_abi::User;
use countersign_tests::Folder;

use crate::sample::median;
use crate::table::{Row, Target};

const ROUNDS: usize = 30;
/// A multiple of 32: aws-lc blinds a key anew at every 32nd signature, which takes
/// about twice as long, so that each side has its share of those.
const SIGNATURES: u32 = 64;

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let rsa_der = AsDer::<Pkcs8V1Der>::as_der(&rsa).unwrap();
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let edwards = Ed25519KeyPair::generate().unwrap();
    let edwards_der = AsDer::<Pkcs8V1Der>::as_der(&edwards).unwrap();

    let mut rows = Vec::new();
    let schemes: [(_, _, &'static dyn RsaEncoding); 4] = [
        (Algorithm::RS256, "RS256", &RSA_PKCS1_SHA256),
        (Algorithm::RS384, "RS384", &RSA_PKCS1_SHA384),
        (Algorithm::RS512, "RS512", &RSA_PKCS1_SHA512),
        (Algorithm::PS256, "PS256", &RSA_PSS_SHA256),
    ];
    let mut signature = vec![0; rsa.public_modulus_len()];
    for (algorithm, name, scheme) in schemes {
        let keys = key_set(&folder, algorithm, rsa_der.as_ref());
        rows.extend(of(name, &keys, 0.95, |message| {
            rsa.sign(scheme, &random, message, &mut signature).unwrap();
        }));
    }
    for (algorithm, name, pair) in [
        (Algorithm::ES256, "ES256", &p256),
        (Algorithm::ES384, "ES384", &p384),
    ] {
        let keys = key_set(&folder, algorithm, pair.to_pkcs8v1().unwrap().as_ref());
        rows.extend(of(name, &keys, 0.80, |message| {
            black_box(pair.sign(&random, message).unwrap());
        }));
    }
    let keys = key_set(&folder, Algorithm::EdDSA, edwards_der.as_ref());
    rows.extend(of("EdDSA", &keys, 0.80, |message| {
        black_box(edwards.sign(message));
    }));
    rows
}

/// Both rows of one algorithm; the figure proper is the first.
fn of(algorithm: &str, keys: &KeySet, target: f64, mut raw: impl FnMut(&[u8])) -> Vec<Row> {
    let issuer = Issuer::new(&Config::default(), "http://127.0.0.1:8090".into());
    let admin = Principal {
        backend: "users".into(),
        home: "users".into(),
        user: User {
            id: "1".into(),
            username: "admin".into(),
            roles: vec!["Admin".into()],
            ..User::default()
        },
    };
    let audience = issuer.audience(None).unwrap();
    let claims = || {
        issuer.claims(
            audience,
            &admin,
            Lifetime::Api,
            1_790_000_000,
            Holder::default(),
        )
    };
    let json = claims().unwrap().json;
    let signer = keys.active();
    let token = signer.sign(&json).unwrap();
    let message = token.rsplit_once('.').unwrap().0.as_bytes();
    let mut raw = || raw(message);
    let mut rows = vec![row(
        algorithm,
        "claims as JSON to JWT",
        target,
        &mut raw,
        || {
            drop(black_box(signer.sign(&json).unwrap()));
        },
    )];
    if algorithm == "RS256" {
        rows.push(row(
            algorithm,
            "user to claims to JWT",
            target,
            &mut raw,
            || {
                drop(black_box(signer.sign(&claims().unwrap().json).unwrap()));
            },
        ));
    }
    rows
}

/// Signs by turns, so that whatever disturbs, disturbs both sides.
fn row(
    algorithm: &str,
    what: &str,
    target: f64,
    mut raw: impl FnMut(),
    mut ours: impl FnMut(),
) -> Row {
    let (mut references, mut measured) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (mut theirs, mut own) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..SIGNATURES {
            theirs += timed(&mut raw);
            own += timed(&mut ours);
        }
        let [theirs, own] =
            [theirs, own].map(|time| time.as_secs_f64() * 1e6 / f64::from(SIGNATURES));
        references.push(theirs);
        measured.push(own);
    }
    let ratios = references.iter().zip(&measured).map(|(raw, own)| raw / own);
    Row {
        name: format!("signing {algorithm}, {what}").into(),
        value: median(ratios.collect()),
        measured: format!("{:.1} µs", median(measured)),
        reference: format!("{:.1} µs raw {algorithm}", median(references)),
        unit: "",
        target: Target::AtLeast(target),
        note: String::new(),
    }
}

fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The host's key set over this very key, from a file of the operator.
fn key_set(folder: &Folder, algorithm: Algorithm, der: &[u8]) -> KeySet {
    let file = folder.write("private_key.der", der);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut settings = Config::default().keys;
    settings.algorithm = algorithm;
    settings.private_key = file.to_str().unwrap().to_owned();
    let opening = Opening {
        mode: Mode::Check,
        exposed: false,
        now: SystemTime::now(),
        progress: &|_| {},
    };
    KeySet::open(&settings, &[], folder.path(), &opening).unwrap()
}
