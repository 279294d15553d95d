//! TLS on the public listener: what it speaks, what it refuses to start with, and how
//! a renewed certificate is taken up.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use countersign_tests::tls::{Encrypted, certificates, connect};
use countersign_tests::wire::{Wire, login};
use countersign_tests::{Folder, Server, artifacts, token};

use crate::{TEMPLATE, run};

const TLS: &str =
    "\nserver: { tls: { certificate: tls/server.pem, private_key: tls/server.key } }\n";

/// A folder with certificates and a configuration that uses them.
fn prepared() -> Folder {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    certificates(&folder, "tls");
    folder.write("config.yaml", format!("{TEMPLATE}{TLS}"));
    folder
}

fn served(folder: &Folder) -> Server {
    Server::start(folder, &format!("{TEMPLATE}{TLS}"))
}

fn client(server: &Server, folder: &Folder) -> Wire<Encrypted> {
    connect(
        server.address,
        &folder.join("tls/ca.pem"),
        "localhost",
        &["http/1.1"],
    )
}

fn status(wire: &mut Wire<Encrypted>) -> Option<u16> {
    wire.send(login("door"))
        .answer()
        .map(|answer| answer.status)
}

/// Replaces the pair in use by files of `from`, the names moved at once.
fn renew(folder: &Folder, from: &Path) {
    for file in ["server.pem", "server.key"] {
        let new = folder.join("tls").join(format!("{file}.new"));
        fs::copy(from.join(file), &new).unwrap();
        fs::rename(new, folder.join("tls").join(file)).unwrap();
    }
}

/// `openssl s_client` with these arguments: did the handshake succeed?
fn handshake(server: &Server, arguments: &[&str]) -> bool {
    let mut client = Command::new("openssl");
    client
        .args(["s_client", "-connect", &server.address.to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    client.status().unwrap().success()
}

#[test]
fn h17_tls_12_and_13_are_spoken_and_nothing_older() {
    let folder = prepared();
    let server = served(&folder);
    assert!(handshake(&server, &["-tls1_3"]));
    assert!(handshake(&server, &["-tls1_2"]));
    let weak = ["-cipher", "ALL:@SECLEVEL=0"];
    for old in ["-tls1_1", "-tls1"] {
        assert!(!handshake(&server, &[&[old], &weak[..]].concat()), "{old}");
    }
    assert!(
        !handshake(&server, &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"]),
        "no forward secrecy"
    );
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        !log.contains("handshake failed"),
        "scanners are no news: {log}"
    );
}

#[test]
fn tokens_over_tls_name_an_https_issuer() {
    let folder = prepared();
    let server = served(&folder);
    let answer = client(&server, &folder)
        .send(login("door"))
        .answer()
        .unwrap();
    assert_eq!(answer.status, 201);
    let claims = token::claims(answer.json()["access_token"].as_str().unwrap());
    assert_eq!(claims["iss"], format!("https://{}", server.address));
}

#[test]
fn h17_name_and_protocol_of_the_client_do_not_matter_but_http_1_1_must_be_offered() {
    let folder = prepared();
    let server = served(&folder);
    let authority = folder.join("tls/ca.pem");
    for protocols in [&["http/1.1"][..], &["h2", "http/1.1"], &[]] {
        let mut wire = connect(server.address, &authority, "localhost", protocols);
        assert_eq!(status(&mut wire), Some(201), "{protocols:?}");
    }
    let mut wire = connect(server.address, &authority, "localhost", &["h2"]);
    assert_eq!(status(&mut wire), None, "h2 alone");
    // The certificate is served; that it is not for this name is the client's to notice.
    assert!(handshake(&server, &["-servername", "elsewhere.example"]));
    let mut wire = connect(server.address, &authority, "elsewhere.example", &[]);
    assert_eq!(status(&mut wire), None);
}

#[test]
fn plain_http_on_the_tls_port_gets_no_answer_and_harms_nobody() {
    let folder = prepared();
    let server = served(&folder);
    let mut plain = Wire::to(server.address);
    assert!(plain.send(login("door")).answer().is_none());
    assert_eq!(status(&mut client(&server, &folder)), Some(201));
}

#[test]
fn handshake_that_never_ends_is_cut_off() {
    let folder = prepared();
    let limited = TLS.replace("tls: {", "limits: { header_timeout: 1s }, tls: {");
    let server = Server::start(&folder, &format!("{TEMPLATE}{limited}"));
    let mut silent = Wire::to(server.address);
    assert!(silent.send([0x16, 3, 1]).is_closed());
}

#[test]
fn h17_renewed_certificate_serves_new_connections_while_old_ones_go_on() {
    let folder = prepared();
    let server = served(&folder);
    let mut old = client(&server, &folder);
    assert_eq!(status(&mut old), Some(201));

    let next = certificates(&folder, "next");
    renew(&folder, &next);
    assert_eq!(
        status(&mut client(&server, &folder)),
        Some(201),
        "not yet taken up"
    );
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 0, "{done:?}");

    let new = || connect(server.address, &next.join("ca.pem"), "localhost", &[]);
    assert_eq!(status(&mut new()), Some(201), "the new authority");
    assert_eq!(status(&mut client(&server, &folder)), None, "the old one");
    assert_eq!(status(&mut old), Some(201), "a connection from before");

    fs::write(folder.join("tls/server.pem"), "nonsense").unwrap();
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(done.stderr.contains("server.pem"), "{}", done.stderr);
    assert_eq!(status(&mut new()), Some(201), "the last good one");
}

#[test]
fn check_refuses_pairs_that_cannot_serve() {
    let folder = prepared();
    let tls = folder.join("tls");
    let told = |expected: &[&str]| {
        let done = run(&folder, &["check"], &[]);
        assert_eq!(done.code, 74, "{done:?}");
        for text in expected {
            assert!(done.stderr.contains(text), "{text}: {}", done.stderr);
        }
    };
    assert_eq!(run(&folder, &["check"], &[]).code, 0);

    let key = fs::read(tls.join("server.key")).unwrap();
    fs::set_permissions(tls.join("server.key"), fs::Permissions::from_mode(0o644)).unwrap();
    told(&["server.key", "open to others", "chmod 600"]);
    fs::set_permissions(tls.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();

    fs::copy(tls.join("client.key"), tls.join("server.key")).unwrap();
    told(&[
        "is not the private key of the first certificate",
        "server.key",
    ]);

    let encrypt = Command::new("openssl")
        .args(["pkcs8", "-topk8", "-passout", "pass:secret", "-in"])
        .arg(tls.join("client.key"))
        .arg("-out")
        .arg(tls.join("server.key"))
        .status();
    assert!(encrypt.unwrap().success());
    told(&["is encrypted", "openssl pkcs8"]);

    fs::write(tls.join("server.key"), &key).unwrap();
    fs::write(tls.join("server.pem"), &key).unwrap();
    told(&["expected PEM certificates", "server.pem"]);
    fs::remove_file(tls.join("server.pem")).unwrap();
    told(&["cannot read", "server.pem"]);
}

#[test]
fn expired_certificate_is_a_warning_and_serves() {
    let folder = prepared();
    for file in ["pem", "key"] {
        let from = folder.join(&format!("tls/expired.{file}"));
        fs::copy(from, folder.join(&format!("tls/server.{file}"))).unwrap();
    }
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("expired at 2020-01-02T00:00:00Z"),
        "{}",
        done.stdout
    );
    let server = served(&folder);
    assert!(handshake(&server, &[]));
    let (_, log) = server.stop();
    assert!(log.contains("expired at 2020-01-02"), "{log}");
}

#[test]
fn tls_stands_for_plain_http_off_loopback_and_needs_both_files() {
    let folder = prepared();
    let open = ("COUNTERSIGN_SERVER__LISTEN", "0.0.0.0:0");
    let done = run(&folder, &["check"], &[open]);
    assert_eq!(done.code, 0, "{done:?}");
    folder.write(
        "config.yaml",
        format!("{TEMPLATE}\nserver: {{ tls: {{ certificate: tls/server.pem }} }}\n"),
    );
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(
        done.stderr.contains("server.tls.private_key"),
        "{}",
        done.stderr
    );
}
