//! A certificate chain and its key, as operators keep them: PEM files, links followed.

use std::fs::{File, metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use time::OffsetDateTime;

use super::TlsError;
use super::validity::{Validity, validity};
use crate::config::shapes::Tls;
use crate::keys::private_der;

/// The longest certificate file that is read: chains take a few kilobytes.
const LIMIT: u64 = 1 << 20;

/// A certificate chain with its key, checked.
#[derive(Debug)]
pub struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) settings: Tls,
    pub(super) stamp: Stamp,
    validity: Option<Validity>,
    notices: Vec<String>,
}

/// What the two files look like from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp([Option<[i64; 5]>; 2]);

impl Pair {
    /// Reads and checks both files.
    ///
    /// # Errors
    /// [`TlsError`]. An expired certificate is none: clients refuse it by themselves, and
    /// where they do not, no service is worse than a warning.
    pub fn read(settings: &Tls) -> Result<Self, TlsError> {
        // Before reading: a change in between is then seen as one later.
        let stamp = Stamp::of(settings);
        let (certificate, key) = paths(settings);
        let chain = chain(&certificate)?;
        let (der, notice) = private_der(&key)?;
        let unusable = |source| TlsError::Unusable {
            certificate: certificate.clone(),
            key: key.clone(),
            source,
        };
        let private = PrivateKeyDer::try_from(der.as_slice())
            .map_err(|reason| unusable(rustls::Error::General(reason.into())))?
            .clone_key();
        let validity = chain.first().and_then(|first| validity(first));
        let provider = crypto::aws_lc_rs::default_provider();
        let certified =
            CertifiedKey::from_der(chain, private, &provider).map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => TlsError::Mismatch {
                    certificate: certificate.clone(),
                    key: key.clone(),
                },
                other => unusable(other),
            })?;
        let mut notices = Vec::from_iter(notice);
        let now = OffsetDateTime::from(SystemTime::now()).unix_timestamp();
        let problem = validity.and_then(|validity| validity.problem(now));
        notices.extend(problem.map(|problem| format!("{} {problem}", certificate.display())));
        Ok(Pair {
            certified: Arc::new(certified),
            settings: settings.clone(),
            stamp,
            validity,
            notices,
        })
    }

    /// What the operator should know.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Tells the log.
    pub(super) fn tell(&self) {
        for notice in &self.notices {
            tracing::warn!("TLS: {notice}");
        }
        let until = self.validity.map(|validity| validity.until());
        tracing::info!(
            certificate = self.settings.certificate,
            until,
            "TLS certificate in use"
        );
    }
}

impl Stamp {
    /// Links are followed: what counts are the files behind them.
    pub(super) fn of(settings: &Tls) -> Self {
        let (certificate, key) = paths(settings);
        Stamp([certificate, key].map(|path| {
            let found = metadata(path).ok()?;
            Some([
                found.dev().cast_signed(),
                found.ino().cast_signed(),
                found.size().cast_signed(),
                // A tool may keep the time of modification, but not this one.
                found.ctime(),
                found.ctime_nsec(),
            ])
        }))
    }
}

fn paths(settings: &Tls) -> (PathBuf, PathBuf) {
    (
        PathBuf::from(&settings.certificate),
        PathBuf::from(&settings.private_key),
    )
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LIMIT).read_to_end(&mut bytes))
        .map_err(|source| TlsError::Read {
            path: path.to_owned(),
            source,
        })?;
    let none = |found: String| TlsError::NoCertificate {
        path: path.to_owned(),
        found,
    };
    let chain = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| none(format!("broken PEM ({error})")))?;
    if chain.is_empty() {
        return Err(none("none".into()));
    }
    Ok(chain)
}
