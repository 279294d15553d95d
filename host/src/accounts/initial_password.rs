//! The file with the first administrator's random password: private, and gone as
//! soon as he has a password of his own.

use std::fs::{OpenOptions, remove_file};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Whose password it is.
pub const NAME: &str = "admin";

/// The file, in the state folder.
pub fn file(state: &Path) -> PathBuf {
    state.join("initial-admin-password")
}

/// Makes a password and writes it; what stood there before is replaced.
pub(super) fn make(state: &Path) -> io::Result<String> {
    let password = random().ok_or_else(|| io::Error::other("the system has no random numbers"))?;
    remove(state)?;
    let path = file(state);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{password}")?;
    file.sync_all()?;
    Ok(password)
}

/// Removes the file; that there is none is no error.
pub(super) fn remove(state: &Path) -> io::Result<()> {
    match remove_file(file(state)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// 24 of 62 characters, 142 bits; none that a shell or JSON would mind.
fn random() -> Option<String> {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut password = String::new();
    while password.len() < 24 {
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        // Bytes past the largest multiple of 62 would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        password.extend(fair.map(|byte| char::from(ALPHABET[usize::from(*byte) % 62])));
    }
    password.truncate(24);
    Some(password)
}
