//! The backend's one TLS configuration: whom we trust, and how we show ourselves. Nothing
//! here is the process's: two backends may trust different authorities.

use std::path::Path;
use std::sync::Arc;

use countersign_sdk::{AuthError, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use super::verifier::Anyone;
use crate::config::Tls;

/// Reads the files that the settings name.
pub(super) fn open(settings: &Tls) -> Result<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = verifier(settings, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| AuthError::fault(format!("tls: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let config = match (&settings.certificate, &settings.private_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => {
            return Err(AuthError::invalid(
                "tls.private_key: expected the key of tls.certificate, as { file: … }",
            ));
        }
        (None, Some(_)) => {
            return Err(AuthError::invalid(
                "tls.certificate: expected the certificate of tls.private_key, a PEM file",
            ));
        }
        (Some(file), Some(key)) => {
            let chain = certificates("tls.certificate", file)?;
            let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes()).map_err(|_| {
                AuthError::invalid(
                    "tls.private_key: expected a private key in PEM without a passphrase",
                )
            })?;
            builder.with_client_auth_cert(chain, key).map_err(|error| {
                AuthError::invalid(format!(
                    "tls.private_key: it does not fit {}: {error}",
                    file.display()
                ))
            })?
        }
    };
    Ok(config)
}

fn verifier(
    settings: &Tls,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::client::danger::ServerCertVerifier>> {
    if !settings.verify {
        tracing::warn!(
            "tls.verify is false: any certificate of anybody is taken, and whoever is between us \
             and the directory reads every password"
        );
        return Ok(Arc::new(Anyone(Arc::clone(provider))));
    }
    let roots = match &settings.ca {
        Some(file) => own_roots(file)?,
        None => system_roots(),
    };
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    Ok(verifier.map_err(|error| {
        AuthError::invalid(format!(
            "tls.ca: no authority to trust ({error}); name a PEM file of the directory's"
        ))
    })?)
}

fn own_roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("tls.ca", file)? {
        roots.add(certificate).map_err(|error| {
            AuthError::invalid(format!(
                "tls.ca: {}: a certificate in it cannot be used: {error}",
                file.display()
            ))
        })?;
    }
    Ok(roots)
}

/// The system's, without those that cannot be read.
fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!("a certificate of the system's store is left out: {error}");
    }
    let mut roots = RootCertStore::empty();
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::warn!("{ignored} certificates of the system's store cannot be used");
    }
    roots
}

fn certificates(key: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let refuse = |why: String| AuthError::invalid(format!("{key}: {}: {why}", file.display()));
    let text = std::fs::read(file).map_err(|error| refuse(error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| refuse(error.to_string()))?;
    if found.is_empty() {
        return Err(refuse("expected certificates in PEM".to_owned()));
    }
    Ok(found)
}
