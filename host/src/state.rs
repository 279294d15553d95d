//! The state folder: private to the server's user, and held by one process at a
//! time that may change it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, access, flock};
use rustix::io::Errno;

/// What `sockaddr_un` holds, without its final NUL.
const LONGEST_SOCKET: usize = 107;

/// Held as long as this process may change the state folder.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Why the state folder cannot be had.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum StateError {
    #[error("the state folder {path} cannot be created or written: {error}", path = path.display())]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("the state folder {path} is in use by another countersign process", path = path.display())]
    InUse { path: PathBuf },
    #[error("the state folder {path} is open to others (mode {mode:04o})", path = path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{path}: this path is too long for a socket, which may have {LONGEST_SOCKET} bytes", path = path.display())]
    TooLong { path: PathBuf },
}

impl StateError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            StateError::Unwritable { .. } => {
                "set COUNTERSIGN_STATE (or `state:`) to a folder that this user can write".into()
            }
            StateError::InUse { .. } => {
                "stop the other one, or give this one a folder of its own with COUNTERSIGN_STATE"
                    .into()
            }
            StateError::Open { path, .. } => format!("chmod 700 {}", path.display()),
            StateError::TooLong { .. } => {
                "set COUNTERSIGN_STATE (or `state:`) to a folder with a shorter path".into()
            }
        }
    }
}

/// What `lock` would say, without making or taking anything.
pub fn inspect(state: &Path) -> Result<(), StateError> {
    let unwritable = |error: io::Error| StateError::Unwritable {
        path: state.to_path_buf(),
        error,
    };
    let socket = socket(state);
    if socket.as_os_str().len() > LONGEST_SOCKET {
        return Err(StateError::TooLong { path: socket });
    }
    // A folder that is missing would be made in the nearest one that is there.
    let there = |path: &&Path| path.symlink_metadata().is_ok();
    let nearest = state.ancestors().find(there).unwrap_or(state);
    let metadata = nearest.metadata().map_err(unwritable)?;
    if !metadata.is_dir() {
        return Err(unwritable(ErrorKind::NotADirectory.into()));
    }
    access(nearest, Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|error| unwritable(error.into()))?;
    let mode = metadata.permissions().mode() & 0o777;
    if nearest == state && mode & 0o027 != 0 {
        return Err(StateError::Open {
            path: state.to_path_buf(),
            mode,
        });
    }
    Ok(())
}

/// Makes the folder where it is missing and takes its lock.
pub fn lock(state: &Path) -> Result<Lock, StateError> {
    inspect(state)?;
    let unwritable = |error: io::Error| StateError::Unwritable {
        path: state.to_path_buf(),
        error,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state)
        .map_err(unwritable)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(state.join("lock"))
        .map_err(unwritable)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Lock { _file: file }),
        Err(Errno::WOULDBLOCK) => Err(StateError::InUse {
            path: state.to_path_buf(),
        }),
        Err(error) => Err(unwritable(error.into())),
    }
}

/// The socket over which the command line talks to a running server.
pub fn socket(state: &Path) -> PathBuf {
    state.join("admin.sock")
}
