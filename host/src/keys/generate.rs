//! `countersign keys generate` with files: keys for others, or to be configured.

use std::fs;
use std::path::{Path, PathBuf};

use super::configured::usable;
use super::ring::make_pair;
use super::{KeyError, atomic, pem};
use crate::config::shapes::Algorithm;

/// How key files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// PKCS#8 and SubjectPublicKeyInfo, binary: what OpenMetadata loads.
    #[default]
    Der,
    /// The same in base64 with labels: what Airflow loads.
    Pem,
}

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Its id, for `keys.kid`: as given, else the thumbprint.
    pub kid: String,
    /// RFC 7638 thumbprint.
    pub thumbprint: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The private key file.
    pub private_key: PathBuf,
    /// The public key file.
    pub public_key: PathBuf,
}

/// Makes a key pair and writes it to two new files: PKCS#8 for the owner alone (0600), and
/// SubjectPublicKeyInfo. Neither is written over an existing file; both are written, or none.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Write`], [`KeyError::Kid`], [`KeyError::Crypto`].
pub fn into_files(
    algorithm: Algorithm,
    kid: Option<&str>,
    private_key: &Path,
    public_key: &Path,
    format: Format,
    progress: &dyn Fn(&str),
) -> Result<Generated, KeyError> {
    kid.map(usable).transpose()?;
    for path in [private_key, public_key] {
        // Said before the key is made; `create` looks again.
        if fs::symlink_metadata(path).is_ok() {
            return Err(KeyError::Exists {
                path: path.to_owned(),
            });
        }
    }
    let (pair, public) = make_pair(algorithm, progress)?;
    let failed = |_| KeyError::crypto(algorithm);
    let (private_der, public_der) = (
        pair.to_pkcs8().map_err(failed)?,
        pair.to_spki().map_err(failed)?,
    );
    match format {
        Format::Der => write_both(private_key, &private_der, public_key, &public_der)?,
        Format::Pem => {
            let private_pem = pem::encode("PRIVATE KEY", &private_der);
            let public_pem = pem::encode("PUBLIC KEY", &public_der);
            write_both(
                private_key,
                private_pem.as_bytes(),
                public_key,
                public_pem.as_bytes(),
            )?;
        }
    }
    let thumbprint = public.thumbprint();
    Ok(Generated {
        kid: kid.map_or_else(|| thumbprint.clone(), str::to_owned),
        thumbprint,
        algorithm,
        private_key: private_key.to_owned(),
        public_key: public_key.to_owned(),
    })
}

fn write_both(
    private_key: &Path,
    private: &[u8],
    public_key: &Path,
    public: &[u8],
) -> Result<(), KeyError> {
    atomic::create(private_key, private, 0o600)?;
    atomic::create(public_key, public, 0o644).inspect_err(|_| {
        // A private key whose public half could not be written is of no use to anyone.
        if let Err(error) = atomic::remove(private_key) {
            tracing::warn!(%error, file = %private_key.display(), "half a key pair is left");
        }
    })
}
