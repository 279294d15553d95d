//! Hashes against the programs that made them, and against whoever mutilates them.
#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::Value;

/// One method of each kind at next to no cost.
const CHEAP: [&str; 6] = [
    "scrypt:16:1:1",
    "pbkdf2:sha1:10",
    "bcrypt:4",
    "argon2id:64:1:1",
    "sha256-crypt:1000",
    "sha512-crypt:1000",
];

fn verifies(hash: &str, password: &str) -> bool {
    StoredHash::parse(hash).is_some_and(|stored| stored.verify(password))
}

#[test]
fn d01_verify_of_werkzeugs_vectors_agrees_with_werkzeug_3() {
    let text = include_str!("../../../../tests/vectors/werkzeug_hashes.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 47);
    for vector in vectors {
        let (hash, password) = (&vector["hash"], &vector["password"]);
        assert_eq!(
            verifies(hash.as_str().unwrap(), password.as_str().unwrap()),
            vector["valid"].as_bool().unwrap(),
            "{}",
            vector["id"]
        );
    }
}

#[test]
fn verify_of_airflows_own_hashes_is_true() {
    for (password, hash) in [
        (
            "correct horse",
            "scrypt:1024:8:1$Wfhhfv0zDVEVVu7N$8b251e1108e8ec37fb5ff42a10cb36abb8ac205c17f2925538252f21ba2bf9e8c0c50c7f1f9a1a3926e63e18f0e69070986af8d3dd4b821b52aee1c5504e975b",
        ),
        (
            "pässwörd-1",
            "scrypt:32768:8:1$v9JDdeDPa41NxaAh$6f47ad80ade806133b692fdf989585a4d2c4404d8ec989d49c77d358faf623244e07114d81e1c4c97a4179857879f86bab231361b24cb27df2c98d99856df61f",
        ),
    ] {
        assert!(verifies(hash, password), "{hash}");
    }
}

#[test]
fn d01_verify_of_other_programs_hashes_agrees_with_them() {
    let text = include_str!("../../../../tests/vectors/foreign_hashes.json");
    let file: Value = serde_json::from_str(text).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert!(vectors.len() > 60, "{}", vectors.len());
    for vector in vectors {
        let (hash, password) = (&vector["hash"], &vector["password"]);
        assert_eq!(
            verifies(hash.as_str().unwrap(), password.as_str().unwrap()),
            vector["valid"].as_bool().unwrap(),
            "{}",
            vector["id"]
        );
    }
}

#[test]
fn verify_of_a_new_hash_is_true_for_its_password_alone() {
    for method in CHEAP.map(|text| Method::parse(text).unwrap()) {
        if !method.makes_hashes() {
            continue;
        }
        let first = StoredHash::create(method, "correct horse").unwrap();
        let second = StoredHash::create(method, "correct horse").unwrap();
        assert_ne!(first, second, "each has its own salt");
        assert!(verifies(&first, "correct horse"), "{first}");
        for other in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!verifies(&first, other), "{other}");
        }
        let nobodys = StoredHash::nobodys(method).unwrap();
        assert_eq!(nobodys.len(), first.len(), "{nobodys} and {first}");
        assert!(!verifies(&nobodys, "") && !verifies(&nobodys, "correct horse"));
        let stored = StoredHash::parse(&nobodys).unwrap();
        assert!(stored.is_nobodys(), "{nobodys}");
        assert!(
            !StoredHash::parse(&first).unwrap().is_nobodys(),
            "{first} is somebody's"
        );
        assert!(!stored.differs_from(method), "{method}");
        assert!(stored.differs_from(Method::parse("scrypt:32:1:1").unwrap()));
    }
}

#[test]
fn verify_of_a_decoy_is_false() {
    for method in CHEAP.map(|text| Method::parse(text).unwrap()) {
        let decoy = StoredHash::decoy(method);
        for password in ["", "password", &"x".repeat(300)] {
            assert!(!decoy.verify(password), "{method}");
        }
    }
}

/// A decoy that is refused before it is computed would tell who exists.
#[test]
fn decoy_of_every_method_is_computed_at_its_methods_cost() {
    for method in CHEAP.map(|text| Method::parse(text).unwrap()) {
        let decoy = StoredHash::decoy(method);
        assert!(!decoy.differs_from(method), "{method}");
        match &decoy.proof {
            Proof::Derived { salt, digest } => {
                let computed = method.derive(b"password", salt, digest.len()).unwrap();
                assert!(!computed.is_empty(), "{method}");
            }
            Proof::Verbatim(text) => {
                // The crates read the cost from the text, and find no fault with it.
                assert!(!StoredHash::parse(text).unwrap().differs_from(method));
                let answer = if method.is_bcrypt() {
                    bcrypt::verify("password", text).map_err(|error| error.to_string())
                } else {
                    match ShaCrypt::default().verify_password(b"password", text.as_str()) {
                        Err(sha_crypt::password_hash::Error::PasswordInvalid) => Ok(false),
                        other => Err(format!("{other:?}")),
                    }
                };
                assert_eq!(answer, Ok(false), "{method}");
            }
        }
    }
}

#[test]
fn d02_new_bcrypt_hash_of_more_than_72_bytes_is_refused_not_cut() {
    let method = Method::parse("bcrypt:4").unwrap();
    assert!(StoredHash::create(method, &"x".repeat(72)).is_ok());
    assert!(StoredHash::create(method, &"x".repeat(73)).is_err());
}

#[test]
fn d05_parse_of_a_hash_of_absurd_cost_is_none() {
    for text in [
        "$2b$31$C6UzMDM.H6dfI/f/IKcEeO5z1Y8p8cX7W0q8z0G8ZVZC0mG0jJm2W",
        "$2b$03$C6UzMDM.H6dfI/f/IKcEeO5z1Y8p8cX7W0q8z0G8ZVZC0mG0jJm2W",
        "$argon2id$v=19$m=4194304,t=3,p=4$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=65536,t=4294967295,p=4$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=19$m=64,t=1,p=4294967295$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$argon2id$v=18$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "$6$rounds=999999999$saltstring$5SGcyyk2OtVMqRKNTs7gX5A2yrVZCVXNKoXKIZBGfN8vGKYHaTCbDyiYfoW.hVTsYEIK6WrMJk0lYyxcRPGc0/",
        "$pbkdf2-sha256$4294967295$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "pbkdf2_sha256$4294967295$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "pbkdf2_sha256$0$salt$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "scrypt:1048576:8:1$salt$00",
        "{SSHA}",
        "{SSHA}AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "{noop}password",
        "{sha256}password",
        "*",
        "!",
        "",
        "!$6$saltstring$5SGcyyk2OtVMqRKNTs7gX5A2yrVZCVXNKoXKIZBGfN8vGKYHaTCbDyiYfoW.hVTsYEIK6WrMJk0lYyxcRPGc0/",
        "{bcrypt}{bcrypt}{bcrypt}",
    ] {
        assert!(StoredHash::parse(text).is_none(), "{text}");
    }
}

#[test]
fn parse_of_any_mutilated_hash_answers_without_a_panic() {
    let pieces = [
        "{SSHA}",
        "{bcrypt}",
        "{CRYPT}",
        "$2b$04$",
        "$5$",
        "$6$rounds=1000$",
        "$argon2id$v=19$m=8,t=1,p=1$",
        "$pbkdf2-sha256$1$",
        "pbkdf2_sha256$1$",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ".....................................................",
        "=",
        ",",
        "scrypt",
        "pbkdf2",
        "sha256",
        "md5",
        ":",
        "$",
        "$$",
        "16",
        "1",
        "0",
        "-1",
        "8",
        "é",
        "\u{0}",
        " ",
        "99999999999999999999",
        "18446744073709551615",
        "4294967295",
        "ab",
        "",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..20_000 {
        let text: String = (0..next() % 12)
            .map(|_| pieces[next() % pieces.len()])
            .collect();
        if StoredHash::parse(&text).is_some_and(|stored| is_cheap(&stored) && stored.verify("x")) {
            panic!("{text:?} lets x in");
        }
    }
}

/// What the test above can afford to compute.
fn is_cheap(stored: &StoredHash) -> bool {
    match stored.method {
        Method::Scrypt { n, r, p } => n * r * p < 1000,
        Method::Pbkdf2 { iterations, .. } => iterations < 1000,
        _ => true,
    }
}

#[test]
fn debug_shows_no_hash() {
    let stored = StoredHash::decoy(Method::parse("bcrypt:4").unwrap());
    assert_eq!(format!("{stored:?}"), "[hash]");
}
