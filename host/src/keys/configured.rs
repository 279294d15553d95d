//! The keys that the configuration names: the operator's own, which signs, and others', which are
//! published beside it.

use std::path::{Path, PathBuf};

use super::kind::Kind;
use super::{Jwk, KeyError, PublicKey, Signer, demo, files};
use crate::config::shapes::Keys;

/// The key of `keys.private_key`, if there is one.
pub(super) fn signing(
    settings: &Keys,
    exposed: bool,
    notices: &mut Vec<String>,
) -> Result<Option<(Signer, PathBuf)>, KeyError> {
    if settings.private_key.is_empty() {
        if !settings.kid.is_empty() {
            notices.push("keys.kid has no effect without keys.private_key".into());
        }
        return match settings.public_key.as_str() {
            "" => Ok(None),
            public => Err(KeyError::PublicAlone {
                public: public.into(),
            }),
        };
    }
    let file = PathBuf::from(&settings.private_key);
    notices.extend(demo::check(&settings.kid, &file, exposed)?);
    let (pair, notice) = files::read_private(&file)?;
    notices.extend(notice);

    let (expected, found) = (Kind::of(settings.algorithm), pair.kind());
    if expected != found {
        let (expected, found) = (expected.to_string(), found.to_string());
        return Err(KeyError::Algorithm {
            path: file,
            algorithm: settings.algorithm,
            expected,
            found,
        });
    }
    let public = pair
        .public()
        .ok_or_else(|| KeyError::crypto(settings.algorithm))?;
    if !settings.public_key.is_empty() {
        matches(&file, &public, Path::new(&settings.public_key))?;
    }
    let kid = match settings.kid.as_str() {
        "" => public.thumbprint(),
        kid => usable(kid)?.to_owned(),
    };
    let jwk = Jwk::new(public, kid, settings.algorithm);
    let signer = Signer::new(pair, jwk).map_err(|_| KeyError::crypto(settings.algorithm))?;
    Ok(Some((signer, file)))
}

/// Others' public keys, each with the algorithm that Airflow takes for its kind.
pub(super) fn extras(
    settings: &Keys,
    exposed: bool,
    notices: &mut Vec<String>,
) -> Result<Vec<(Jwk, PathBuf)>, KeyError> {
    let mut extras = Vec::with_capacity(settings.extra_public.len());
    for extra in &settings.extra_public {
        let kid = usable(&extra.kid)?;
        notices.extend(demo::check(kid, &extra.file, exposed)?);
        let key = files::read_public(&extra.file)?;
        let algorithm = key.kind().default_algorithm();
        let jwk = Jwk::new(key, kid, algorithm);
        extras.push((jwk, extra.file.clone()));
    }
    Ok(extras)
}

/// A key id ends up in headers, logs and tables.
pub(super) fn usable(kid: &str) -> Result<&str, KeyError> {
    let length = kid.chars().count();
    if length == 0 || length > 256 || kid.chars().any(char::is_control) {
        return Err(KeyError::Kid {
            kid: kid.chars().take(64).collect(),
        });
    }
    Ok(kid)
}

fn matches(private: &Path, of_private: &PublicKey, public: &Path) -> Result<(), KeyError> {
    let given = files::read_public(public)?;
    if given == *of_private {
        return Ok(());
    }
    Err(KeyError::Mismatch {
        private: private.to_owned(),
        private_thumbprint: of_private.thumbprint(),
        public: public.to_owned(),
        public_thumbprint: given.thumbprint(),
    })
}
