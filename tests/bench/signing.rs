//! From claims to a JWT, against the bare RS256 signature over the same bytes with
//! the same key: what is left for encoding, and for not parsing the key again.

use std::hint::black_box;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use countersign::config::Config;
use countersign::keys::{KeySet, Mode, Opening};
use countersign::token::{Issuer, Lifetime};
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
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let keys = key_set(&folder, &pair);
    let issuer = Issuer::new(&Config::default(), "http://127.0.0.1:8090".into());
    let user = User {
        id: "1".into(),
        username: "admin".into(),
        roles: vec!["Admin".into()],
        ..User::default()
    };
    let claims = || issuer.claims("users", &user, &user.roles, Lifetime::Api, 1_790_000_000);

    let json = claims().unwrap().json;
    let token = keys.active().sign(&json).unwrap();
    let message = token.rsplit_once('.').unwrap().0;
    let mut signature = vec![0; pair.public_modulus_len()];

    let random = SystemRandom::new();
    let mut raw = || {
        pair.sign(
            &RSA_PKCS1_SHA256,
            &random,
            message.as_bytes(),
            &mut signature,
        )
        .unwrap();
    };
    let signer = keys.active();
    vec![
        row("signing, claims as JSON to JWT", &mut raw, || {
            drop(black_box(signer.sign(&json).unwrap()));
        }),
        row("signing, user to claims to JWT", &mut raw, || {
            drop(black_box(signer.sign(&claims().unwrap().json).unwrap()));
        }),
    ]
}

/// Signs by turns, so that whatever disturbs, disturbs both sides.
fn row(name: &'static str, mut raw: impl FnMut(), mut ours: impl FnMut()) -> Row {
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
        name,
        value: median(ratios.collect()),
        measured: format!("{:.0} µs", median(measured)),
        reference: format!("{:.0} µs raw RS256", median(references)),
        unit: "",
        target: Target::AtLeast(0.95),
        note: String::new(),
    }
}

fn timed(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// The host's key set over this very key, from a file of the operator.
fn key_set(folder: &Folder, pair: &RsaKeyPair) -> KeySet {
    let der = AsDer::<Pkcs8V1Der>::as_der(pair).unwrap();
    let file = folder.write("private_key.der", der.as_ref());
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut settings = Config::default().keys;
    settings.private_key = file.to_str().unwrap().to_owned();
    let opening = Opening {
        mode: Mode::Check,
        exposed: false,
        now: SystemTime::now(),
        progress: &|_| {},
    };
    KeySet::open(&settings, folder.path(), &opening).unwrap()
}
