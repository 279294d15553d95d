//! Which addresses the key set client goes to, and which authorities it believes.

use std::process::Command;
use std::sync::Arc;

use countersign_verify::{JwksClient, JwksError, JwksOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::{document, kids, ok};
use crate::support::*;

#[test]
fn o12_addresses_that_cannot_be_trusted_are_refused() {
    let refused = |url: &str| JwksClient::new(url, JwksOptions::default()).err();
    assert_eq!(
        refused("http://login.example/jwks"),
        Some(JwksError::PlainHttp)
    );
    assert_eq!(
        refused("http://127.0.0.1.example/jwks"),
        Some(JwksError::PlainHttp)
    );
    for url in [
        "",
        "login.example",
        "file:///etc/jwks",
        "ftp://login.example/",
        "https://",
    ] {
        assert_eq!(refused(url), Some(JwksError::Url), "{url}");
    }
    for url in [
        "https://login.example/jwks",
        "http://127.0.0.1:1/",
        "http://[::1]/",
        "http://localhost/",
    ] {
        assert_eq!(refused(url), None, "{url}");
    }
    let mut options = JwksOptions::default();
    options.plain_http = true;
    assert!(JwksClient::new("http://login.example/jwks", options.clone()).is_ok());
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        options.authorities = Some(pem.into());
        let error = JwksClient::new("https://login.example/jwks", options.clone()).err();
        assert!(
            matches!(error, Some(JwksError::Authorities | JwksError::Client(_))),
            "{pem}: {error:?}"
        );
    }
}

#[tokio::test]
async fn o11_own_authority_is_believed_where_it_is_named_and_nowhere_else() {
    let folder = std::env::temp_dir().join(format!("countersign-verify-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let mut openssl = Command::new("openssl");
    openssl.current_dir(&folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        "key.pem",
        "-out",
        "cert.pem",
    ]);
    assert!(openssl.output().unwrap().status.success());
    let (cert, key) = (
        std::fs::read(folder.join("cert.pem")).unwrap(),
        std::fs::read(folder.join("key.pem")).unwrap(),
    );
    std::fs::remove_dir_all(&folder).unwrap();
    let pair = Pair::ed25519();
    let port = serve_tls(&cert, &key, ok(&document(&pair, "a"))).await;

    let with_authority = |authorities: Option<Vec<u8>>, host: &str| {
        let mut options = JwksOptions::default();
        options.authorities = authorities;
        JwksClient::new(&format!("https://{host}:{port}/jwks"), options).unwrap()
    };
    let own = with_authority(Some(cert.clone()), "localhost");
    assert_eq!(kids(&own.keys(Some("a"), NOW).await.unwrap()), ["a"]);
    let other_name = with_authority(Some(cert), "127.0.0.1");
    let system = with_authority(None, "localhost");
    for client in [other_name, system] {
        assert!(matches!(
            client.keys(Some("a"), NOW).await,
            Err(JwksError::Unreachable(_))
        ));
    }
}

async fn serve_tls(cert: &[u8], key: &[u8], answer: Vec<u8>) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(cert).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        );
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(&answer).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}
