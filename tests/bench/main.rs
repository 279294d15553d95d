//! The figures: what Countersign costs beside what cannot be had for less. Each is
//! taken several times in turn with its reference, and the median is printed, so
//! that a busy machine slows both sides alike. Nothing is asserted: the table says
//! `ok` or `below`, and the program ends well either way.
//!
//! `tests/bench/run [signing] [abi] [mint] [logins] [timing] [jwks] [reload] [start] [memory] [ldap] [oauth]
//! [rotation] [verify] [store] [revocation]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod abi;
mod bare;
mod jwks;
mod ldap;
mod load;
mod logins;
mod memory;
mod mint;
mod oauth;
mod plugin;
mod reload;
mod revocation;
mod rotation;
mod sample;
mod signing;
mod start;
mod store;
mod table;
mod timing;
mod verify;

use table::{Row, Table};

type Figure = fn() -> Vec<Row>;

const FIGURES: &[(&str, Figure)] = &[
    ("signing", signing::measure),
    ("abi", abi::measure),
    ("mint", mint::measure),
    ("logins", logins::measure),
    ("timing", timing::measure),
    ("jwks", jwks::measure),
    ("reload", reload::measure),
    ("start", start::measure),
    ("memory", memory::measure),
    ("ldap", ldap::measure),
    ("oauth", oauth::measure),
    ("rotation", rotation::measure),
    ("verify", verify::measure),
    ("store", store::measure),
    ("revocation", revocation::measure),
];

fn main() {
    // cargo adds `--bench`.
    let asked: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    // The references run as processes of their own.
    match asked.first().map(String::as_str) {
        Some("bare") => return bare::serve(&asked[1..]),
        Some("bare-bearer") => return oauth::bare::serve(&asked[1..]),
        Some("bare-bytes") => return jwks::serve(&asked[1..]),
        Some("bare-verify") => return verify::serve(&asked[1..]),
        Some("hashes") => return jwks::hash_for_ever(),
        _ => {}
    }
    let known: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = asked.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!(
            "error: no figure {unknown}\nhelp: figures are {}",
            known.join(", ")
        );
        std::process::exit(64);
    }
    let mut table = Table::default();
    for (name, measure) in FIGURES {
        if asked.is_empty() || asked.iter().any(|asked| asked == name) {
            eprintln!("measuring {name} …");
            table.extend(measure());
        }
    }
    println!("{}\n{table}", table::machine());
}
