//! Certificates of a made-up authority, and a client that believes it.

use std::fs::File;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto};

use crate::artifacts::repository;
use crate::folder::Folder;
use crate::wire::Wire;

pub type Encrypted = StreamOwned<ClientConnection, TcpStream>;

/// Makes an authority and its certificates in `<name>/`, as `testbed/tls/make_ca.sh` says.
pub fn certificates(folder: &Folder, name: &str) -> PathBuf {
    let made = folder.join(name);
    let script = repository().join("tests/testbed/tls/make_ca.sh");
    assert!(Command::new(script).arg(&made).status().unwrap().success());
    made
}

/// A connection to `localhost` after its handshake, offering `protocols`; believes `authority` alone.
pub fn connect(
    address: SocketAddr,
    authority: &Path,
    name: &str,
    protocols: &[&str],
) -> Wire<Encrypted> {
    let mut roots = RootCertStore::empty();
    let file = BufReader::new(File::open(authority).unwrap());
    for certificate in CertificateDer::pem_reader_iter(file) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    Wire::over(StreamOwned::new(
        client,
        TcpStream::connect(address).unwrap(),
    ))
}
