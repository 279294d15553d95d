//! Files that are there whole or not at all, and folders that only their owner enters.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::KeyError;

/// Writes a file beside its place and moves it there, durably: after a crash the old content or
/// the new one is there, never a part. What an earlier crash left beside it is removed.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".tmp");
    let beside = path.with_file_name(name);
    let work = || {
        remove(&beside)?;
        write_new(&beside, bytes, 0o600)?;
        fs::rename(&beside, path)?;
        sync_folder(path)
    };
    work().map_err(|source| KeyError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Writes a file that is not there yet, durably; one that exists is left alone.
pub(super) fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    let written = write_new(path, bytes, mode).and_then(|()| sync_folder(path));
    written.map_err(|source| match source.kind() {
        ErrorKind::AlreadyExists => KeyError::Exists {
            path: path.to_owned(),
        },
        _ => KeyError::Write {
            path: path.to_owned(),
            source,
        },
    })
}

/// Makes a folder and its parents where they are missing, for the owner alone.
pub(super) fn create_folder(path: &Path) -> Result<(), KeyError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| KeyError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Removes a file if it is there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        remove(path)?;
    }
    written
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
