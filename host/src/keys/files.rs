//! Key files of operators, in every form that openssl writes, and who may touch them.
//!
//! Symbolic links are followed (projected volumes of Kubernetes are made of them); what counts is
//! the file behind them.

use std::fs::{File, Metadata, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
};
use zeroize::Zeroizing;

use super::KeyError;
use super::jwk::{Curve, PublicKey};
use super::pair::{Pair, Rejected};
use super::pem;

/// The largest key file that is read: an RSA key of 8192 bits takes 7 kB.
const LIMIT: u64 = 65_536;

/// Reads the private key in a file: PKCS#8, PKCS#1 or SEC1, PEM (the last private key block) or
/// DER. With it comes a notice if the process's group has access too.
pub(super) fn read_private(path: &Path) -> Result<(Pair, Option<String>), KeyError> {
    let (der, notice) = private_der(path)?;
    match Pair::from_der(&der) {
        Ok(pair) => Ok((pair, notice)),
        Err(Rejected::TooSmall) => Err(KeyError::TooSmall {
            path: path.to_owned(),
        }),
        Err(Rejected::Unknown) => Err(refused(path, "private", &der)),
    }
}

/// The DER of the private key in a file, whatever kind of key it is, under the same rules:
/// for the key of the server's certificate, too.
pub(crate) fn private_der(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Option<String>), KeyError> {
    let (bytes, metadata) = read(path, LIMIT)?;
    let notice = check_access(path, &metadata)?;
    let der = match pem::blocks(&bytes) {
        Some(blocks) => private_block(path, blocks)?,
        None => bytes,
    };
    if ENCRYPTION.iter().any(|oid| holds(&der, oid)) {
        return Err(KeyError::Encrypted {
            path: path.to_owned(),
        });
    }
    Ok((der, notice))
}

/// Reads the public key in a file: SPKI or (RSA) PKCS#1, PEM or DER.
pub(super) fn read_public(path: &Path) -> Result<PublicKey, KeyError> {
    let (bytes, _) = read(path, LIMIT)?;
    let der = match pem::blocks(&bytes) {
        Some(blocks) => public_block(path, blocks)?,
        None => bytes,
    };
    let key = public_from_der(&der).ok_or_else(|| refused(path, "public", &der))?;
    match &key {
        // 2048 bits are 256 bytes, 342 characters.
        PublicKey::Rsa { n, .. } if n.len() < 342 => Err(KeyError::TooSmall {
            path: path.to_owned(),
        }),
        _ => Ok(key),
    }
}

/// Reads a regular file of at most `limit` bytes into memory that is wiped afterwards.
pub(super) fn read(path: &Path, limit: u64) -> Result<(Zeroizing<Vec<u8>>, Metadata), KeyError> {
    let failed = |source| KeyError::Read {
        path: path.to_owned(),
        source,
    };
    // Without NONBLOCK, opening a pipe would wait for a writer.
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(nonblock)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile {
            path: path.to_owned(),
        });
    }
    // Capacity for all at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(metadata.len().min(limit) as usize + 1));
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > limit {
        return Err(KeyError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok((bytes, metadata))
}

/// Others may not touch a private key or its folder. A group of the process may (Kubernetes'
/// `fsGroup`, Debian's `ssl-cert`), and then the operator is told.
pub(super) fn check_access(path: &Path, metadata: &Metadata) -> Result<Option<String>, KeyError> {
    let mode = metadata.mode() & 0o777;
    let shared = mode & 0o070 != 0;
    if mode & 0o007 != 0 || (shared && !in_group(metadata.gid())) {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    Ok(shared.then(|| {
        format!(
            "{} is open to group {} (mode {mode:04o})",
            path.display(),
            metadata.gid()
        )
    }))
}

fn in_group(gid: u32) -> bool {
    rustix::process::getegid().as_raw() == gid
        || rustix::process::getgroups()
            .is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

fn private_block(path: &Path, blocks: Vec<pem::Block>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let labels = labels(&blocks);
    // The last one: `openssl ecparam -genkey` writes its parameters first.
    let block = blocks
        .into_iter()
        .rfind(|block| block.label.ends_with("PRIVATE KEY"));
    let Some(block) = block else {
        return Err(KeyError::NoKey {
            path: path.to_owned(),
            expected: "private",
            found: labels,
        });
    };
    if block.encrypted {
        return Err(KeyError::Encrypted {
            path: path.to_owned(),
        });
    }
    if block.label.starts_with("OPENSSH") {
        return Err(KeyError::Unsupported {
            path: path.to_owned(),
            found: "a key in OpenSSH's own format",
        });
    }
    Ok(block.der)
}

fn public_block(path: &Path, blocks: Vec<pem::Block>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let labels = labels(&blocks);
    let block = blocks
        .into_iter()
        .rfind(|block| block.label.ends_with("PUBLIC KEY"));
    let found = || KeyError::NoKey {
        path: path.to_owned(),
        expected: "public",
        found: labels,
    };
    block.map(|block| block.der).ok_or_else(found)
}

fn labels(blocks: &[pem::Block]) -> String {
    match blocks {
        [] => "PEM without a complete block".into(),
        blocks => {
            let labels: Vec<String> = blocks
                .iter()
                .map(|block| format!("a PEM block {:?}", shortened(&block.label)))
                .collect();
            labels.join(" and ")
        }
    }
}

fn shortened(label: &str) -> String {
    label.chars().take(40).collect()
}

/// SubjectPublicKeyInfo up to the key itself, as openssl writes it for a named curve and an
/// uncompressed point; the crypto library then checks that the point is on the curve.
const SPKI_P256: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const SPKI_P384: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00";
const SPKI_ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

fn public_from_der(der: &[u8]) -> Option<PublicKey> {
    if let Some(point) = der.strip_prefix(SPKI_P256) {
        ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
        return PublicKey::ec(Curve::P256, point);
    }
    if let Some(point) = der.strip_prefix(SPKI_P384) {
        ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).ok()?;
        return PublicKey::ec(Curve::P384, point);
    }
    if let Some(key) = der.strip_prefix(SPKI_ED25519) {
        ParsedPublicKey::new(&ED25519, key).ok()?;
        return key.try_into().ok().map(PublicKey::ed25519);
    }
    let key = rsa::PublicKey::from_der(der).ok()?;
    Some(PublicKey::rsa(
        key.modulus().big_endian_without_leading_zero(),
        key.exponent().big_endian_without_leading_zero(),
    ))
}

/// The arcs of password-based encryption: PKCS#5 and PKCS#12.
const ENCRYPTION: [&[u8]; 2] = [
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x05",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01",
];

/// Keys that people do have and that we do not take, by their object identifiers.
const UNSUPPORTED: [(&[u8], &str); 7] = [
    (
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",
        "an RSA-PSS key (an RSA key that is bound to one padding)",
    ),
    (b"\x2b\x81\x04\x00\x23", "an EC P-521 key"),
    (b"\x2b\x81\x04\x00\x0a", "an EC secp256k1 key"),
    (b"\x06\x03\x2b\x65\x6e", "an X25519 key"),
    (b"\x06\x03\x2b\x65\x71", "an Ed448 key"),
    (b"\x2a\x86\x48\xce\x38\x04\x01", "a DSA key"),
    (
        b"\x2a\x86\x48\xce\x3d\x02\x01",
        "an EC key on another curve or in an unusual form",
    ),
];

/// Says what a DER file is that could not be taken as a key of the `expected` half.
fn refused(path: &Path, expected: &'static str, der: &[u8]) -> KeyError {
    let path = path.to_owned();
    let found = if der.is_empty() {
        "no content"
    } else if expected == "private" && public_from_der(der).is_some() {
        "a public key"
    } else if expected == "public" && Pair::from_der(der).is_ok() {
        "a private key"
    } else if let Some((_, found)) = UNSUPPORTED.iter().find(|(oid, _)| holds(der, oid)) {
        return KeyError::Unsupported { path, found };
    } else {
        "something else"
    };
    KeyError::NoKey {
        path,
        expected,
        found: found.into(),
    }
}

/// Whether an object identifier stands in the first bytes, where algorithms do.
fn holds(der: &[u8], oid: &[u8]) -> bool {
    der.get(..der.len().min(96))
        .is_some_and(|head| head.windows(oid.len()).any(|window| window == oid))
}
