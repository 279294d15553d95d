//! What can be wrong with a certificate and its key.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use crate::keys::KeyError;

/// Why TLS cannot be served; the process ends with exit code 74.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The private key's file.
    #[error("server.tls.private_key cannot be used")]
    Key(#[from] KeyError),
    /// The certificate's file cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds no certificate.
    #[error("expected PEM certificates in {}, found {found}", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// Its first certificate is not one, or its key is of no kind that TLS signs with.
    #[error("{} and {} cannot be used", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// The key belongs to another certificate.
    #[error("{} is not the private key of the first certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The TLS library does not work at all.
    #[error("the TLS library cannot be set up")]
    Library(#[source] rustls::Error),
}

impl TlsError {
    /// What the operator can do about it.
    pub fn help(&self) -> String {
        match self {
            TlsError::Key(error) => error.help(),
            TlsError::Read { .. } => {
                "check the path and that the user of this process may read the file".into()
            }
            TlsError::NoCertificate { .. } => {
                "give the server's certificate and then its issuers', each between BEGIN CERTIFICATE and END CERTIFICATE".into()
            }
            TlsError::Unusable { .. } => {
                "use an X.509 certificate of an RSA (2048 bits or more), EC P-256, P-384 or Ed25519 key".into()
            }
            TlsError::Mismatch { .. } => {
                "the server's own certificate comes first in the chain; check that certificate and key were made together".into()
            }
            TlsError::Library(_) => "please report it".into(),
        }
    }

    /// The error and its causes, in one line.
    pub fn in_full(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        text
    }
}
