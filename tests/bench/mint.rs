//! `POST /auth/token` with the template plugin against a bare axum handler that
//! parses the same body and signs the same claims inline; each server on one core,
//! the client on another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use countersign_tests::{Folder, Server, artifacts};

use crate::bare::Bare;
use crate::load;
use crate::sample::median;
use crate::table::{Row, Target};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 32;
/// The servers' core; the client takes the other ones.
const CORE: usize = 0;

pub(crate) fn measure() -> Vec<Row> {
    vec![row("RS256", 0.90), row("EdDSA", 0.60)]
}

fn row(algorithm: &'static str, target: f64) -> Row {
    let folder = Folder::new();
    let key = key(&folder, algorithm);
    let ours = Server::start(&folder, &config(algorithm, &key));
    pin(ours.pid(), CORE);
    let bare = Bare::start(algorithm, &key, CORE);
    pin(std::process::id(), 1 - CORE);

    let request = load::login("ada", "door");
    let (mut own, mut theirs, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(load::throughput(
            bare.address,
            &request,
            201,
            CONNECTIONS,
            ROUND,
        ));
        let before = processor_time(ours.pid());
        own.push(load::throughput(
            ours.address,
            &request,
            201,
            CONNECTIONS,
            ROUND,
        ));
        busy.push((processor_time(ours.pid()) - before) / ROUND.as_secs_f64());
    }
    unpin(std::process::id());
    let ratios = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs);
    Row {
        name: format!("POST /auth/token, template, {algorithm}, one core").into(),
        value: median(ratios.collect()),
        measured: format!("{:.0} a second", median(own)),
        reference: format!("{:.0} bare axum", median(theirs)),
        unit: "",
        target: Target::AtLeast(target),
        note: format!("our core was {:.0} % busy", 100.0 * median(busy)),
    }
}

/// A server that signs with this key, and lets in who knows the word.
pub(crate) fn config(algorithm: &str, key: &Path) -> String {
    format!(
        "plugins: {{ directories: [\"{}\"] }}\nkeys: {{ algorithm: {algorithm}, private_key: \"{}\" }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        artifacts::built().display(),
        key.display()
    )
}

/// PKCS#8 in DER, as both sides read it.
pub(crate) fn key(folder: &Folder, algorithm: &str) -> std::path::PathBuf {
    let file = folder.join("key.der");
    let name = match algorithm {
        "RS256" => "RSA",
        _ => "ED25519",
    };
    openssl(
        &["genpkey", "-algorithm", name, "-out"],
        &folder.join("key.pem"),
    );
    let pem = folder.join("key.pem");
    let arguments = [
        "pkcs8",
        "-topk8",
        "-nocrypt",
        "-outform",
        "DER",
        "-in",
        pem.to_str().unwrap(),
        "-out",
    ];
    openssl(&arguments, &file);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn openssl(arguments: &[&str], file: &Path) {
    let done = Command::new("openssl")
        .args(arguments)
        .arg(file)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Puts all threads of a process on one core.
pub(crate) fn pin(process: u32, core: usize) {
    taskset(process, &core.to_string());
}

/// Lets them run on all.
pub(crate) fn unpin(process: u32) {
    let cores = fs::read_to_string("/sys/devices/system/cpu/online").unwrap();
    taskset(process, cores.trim());
}

fn taskset(process: u32, cores: &str) {
    let done = Command::new("taskset")
        .args(["-a", "-p", "-c", cores, &process.to_string()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Seconds that a process has run, user and system.
pub(crate) fn processor_time(process: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
