//! Who could have written this file? A plugin runs with all of the host's rights,
//! so its file must be one that only the host's own user or root can change.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use rustix::fs::OFlags;
use rustix::process::{getegid, geteuid};

use super::discover::Found;

/// A file of a trusted owner, open; what is checked is what will be read.
#[derive(Debug)]
pub struct Verified {
    /// The name in the configuration.
    pub name: String,
    /// Where it was found.
    pub path: PathBuf,
    /// The file.
    pub file: File,
    /// What is allowed but should not be.
    pub warning: Option<String>,
}

/// Why a file is not trusted.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum Untrusted {
    #[error("{path}: a symbolic link; plugins are loaded from regular files only")]
    Symlink { path: PathBuf },
    #[error("{path}: not a regular file")]
    NotRegular { path: PathBuf },
    #[error("{path}: owned by user {owner}, expected user {expected} or root")]
    Owner {
        path: PathBuf,
        owner: u32,
        expected: u32,
    },
    #[error("{path}: writable by {who} (mode {mode:04o})")]
    Writable {
        path: PathBuf,
        who: String,
        mode: u32,
    },
    #[error("{path}: cannot be opened: {error}")]
    Open { path: PathBuf, error: io::Error },
}

impl Untrusted {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Untrusted::Symlink { .. } => {
                "copy the file there, or name its own folder in plugins.directories".into()
            }
            Untrusted::NotRegular { .. } => "put the plugin's `.so` file there".into(),
            Untrusted::Owner { path, .. } => format!(
                "chown it to the user that runs the server, or to root: chown root {}",
                path.display()
            ),
            Untrusted::Writable { path, .. } => format!("chmod go-w {}", path.display()),
            Untrusted::Open { .. } => "check the file's and its folder's permissions".into(),
        }
    }
}

/// Opens the file and checks file and folder.
pub fn verify(found: Found) -> Result<Verified, Untrusted> {
    let Found { name, path } = found;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(
            (OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK)
                .bits()
                .cast_signed(),
        )
        .open(&path)
        .map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => {
                Untrusted::Symlink { path: path.clone() }
            }
            _ => Untrusted::Open {
                path: path.clone(),
                error,
            },
        })?;
    let metadata = file.metadata().map_err(|error| Untrusted::Open {
        path: path.clone(),
        error,
    })?;
    if !metadata.is_file() {
        return Err(Untrusted::NotRegular { path });
    }
    let mut warning = trusted(&path, &metadata)?;
    if let Some(folder) = path.parent() {
        let metadata = folder.metadata().map_err(|error| Untrusted::Open {
            path: folder.to_path_buf(),
            error,
        })?;
        warning = warning.or(trusted(folder, &metadata)?);
    }
    Ok(Verified {
        name,
        path,
        file,
        warning,
    })
}

/// Owner self or root; writable by nobody else. The process's own group only warns.
fn trusted(path: &std::path::Path, metadata: &Metadata) -> Result<Option<String>, Untrusted> {
    let (owner, group, mode) = (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
    let expected = geteuid().as_raw();
    if owner != expected && owner != 0 {
        return Err(Untrusted::Owner {
            path: path.to_path_buf(),
            owner,
            expected,
        });
    }
    if mode & 0o002 != 0 {
        return Err(Untrusted::Writable {
            path: path.to_path_buf(),
            who: "everybody".into(),
            mode,
        });
    }
    if mode & 0o020 != 0 {
        if group != getegid().as_raw() {
            return Err(Untrusted::Writable {
                path: path.to_path_buf(),
                who: format!("group {group}"),
                mode,
            });
        }
        return Ok(Some(format!(
            "{} is writable by the server's own group (mode {mode:04o}); chmod g-w it",
            path.display()
        )));
    }
    Ok(None)
}
