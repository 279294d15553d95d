//! A private, unchangeable copy of a plugin file, hashed while it is made.
//!
//! What is hashed is what is mapped: nobody can change a sealed memfd, and the
//! file that the operator replaces later is no longer ours. The copy is streamed;
//! a whole plugin in one buffer would raise malloc's thresholds for ever.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

/// Larger files are refused: no plugin needs that, and the copy is memory.
const LARGEST: u64 = 512 << 20;

/// A private copy of a plugin file.
#[derive(Debug)]
pub struct Sealed {
    pub(crate) file: File,
    /// What dlopen is given. Through the process id and not `self`: debuggers open
    /// the same path in their own process and would hang on their own descriptor.
    pub(crate) path: PathBuf,
    sha256: [u8; 32],
}

impl Sealed {
    /// Copies `source` into a sealed memfd; where the system forbids executable
    /// memfds (vm.memfd_noexec, SELinux), into a new file in `fallback`.
    pub fn of(source: &File, name: &str, fallback: &Path) -> io::Result<Self> {
        match memfd(name) {
            Ok(file) => {
                let (file, sha256) = copy(source, file)?;
                fcntl_add_seals(
                    &file,
                    SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
                )?;
                let path = PathBuf::from(format!(
                    "/proc/{}/fd/{}",
                    std::process::id(),
                    file.as_raw_fd()
                ));
                Ok(Sealed { file, path, sha256 })
            }
            Err(_) => Sealed::in_folder(source, name, fallback),
        }
    }

    /// Copies `source` into a new file of a unique name: the dynamic linker takes
    /// a path that it has seen before for the library that it has loaded before.
    fn in_folder(source: &File, name: &str, folder: &Path) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let unique = format!(
            "{name}.{}.{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let path = folder.join(unique);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let (file, sha256) = copy(source, file)?;
        Ok(Sealed { file, path, sha256 })
    }

    /// SHA-256 of the bytes, in hexadecimal.
    pub fn sha256(&self) -> String {
        self.sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn memfd(name: &str) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know MFD_EXEC and need no permission to execute.
    let made = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|error| match error {
        Errno::INVAL => memfd_create(name, flags),
        other => Err(other),
    });
    Ok(File::from(made?))
}

fn copy(mut source: &File, mut target: File) -> io::Result<(File, [u8; 32])> {
    source.rewind()?;
    let mut hash = Sha256::new();
    let mut buffer = [0; 1 << 16];
    let mut total = 0;
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        total += count as u64;
        if total > LARGEST {
            return Err(io::Error::other("the file is larger than 512 MiB"));
        }
        hash.update(&buffer[..count]);
        target.write_all(&buffer[..count])?;
    }
    Ok((target, hash.finalize().into()))
}
