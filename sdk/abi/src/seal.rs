//! A private, unchangeable copy of a plugin file, hashed while it is made.
//!
//! What is hashed is what is mapped: nobody can change a sealed memfd, and the
//! file that the operator replaces later is no longer ours. The copy is streamed;
//! a whole plugin in one buffer would raise malloc's thresholds for ever.

use std::collections::hash_map::RandomState;
use std::fs::{DirBuilder, File, OpenOptions, remove_file};
use std::hash::BuildHasher;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags, fcntl_add_seals, memfd_create, open};
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
    /// memfds (vm.memfd_noexec, SELinux), into a file without a name in the folder
    /// `fallback`, which is made if it is missing.
    pub fn of(source: &File, name: &str, fallback: &Path) -> io::Result<Self> {
        match memfd(name) {
            Ok(file) => {
                let (file, sha256) = copy(source, file)?;
                fcntl_add_seals(
                    &file,
                    SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL,
                )?;
                Ok(Sealed::new(file, sha256))
            }
            Err(Errno::ACCESS | Errno::PERM | Errno::NOSYS) => Sealed::in_folder(source, fallback),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies `source` into a file that no other process can open by a name.
    fn in_folder(source: &File, folder: &Path) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let (file, sha256) = copy(source, nameless(folder)?)?;
        Ok(Sealed::new(file, sha256))
    }

    fn new(file: File, sha256: [u8; 32]) -> Self {
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        Sealed {
            path: path.into(),
            file,
            sha256,
        }
    }

    /// SHA-256 of the bytes, in hexadecimal.
    pub fn sha256(&self) -> String {
        self.sha256
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

fn memfd(name: &str) -> Result<File, Errno> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know MFD_EXEC and need no permission to execute.
    let made = memfd_create(name, flags | MemfdFlags::EXEC).or_else(|error| match error {
        Errno::INVAL => memfd_create(name, flags),
        other => Err(other),
    });
    Ok(File::from(made?))
}

fn nameless(folder: &Path) -> io::Result<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    match open(folder, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => Ok(file.into()),
        // A file system without it: a name that nobody guesses, for a moment.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => named_for_a_moment(folder),
        Err(error) => Err(error.into()),
    }
}

fn named_for_a_moment(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".{:016x}", RandomState::new().hash_one(())));
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    remove_file(&path)?;
    Ok(file)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let unique = format!("countersign-seal-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(unique);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn source(&self) -> File {
            let path = self.0.join("source");
            fs::write(&path, "the plugin's bytes").unwrap();
            File::open(path).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn copy_in_a_folder_has_the_same_hash_and_no_name() {
        let folder = Folder::new("folder");
        let copies = folder.0.join("state/copies");
        let sealed = Sealed::in_folder(&folder.source(), &copies).unwrap();
        let memory = Sealed::of(&folder.source(), "x", &copies).unwrap();
        assert_eq!(sealed.sha256(), memory.sha256());
        assert_eq!(fs::read(&sealed.path).unwrap(), b"the plugin's bytes");
        assert_eq!(fs::read_dir(&copies).unwrap().count(), 0);
        let mode = fs::metadata(&copies).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn copy_named_for_a_moment_has_lost_its_name() {
        let folder = Folder::new("named");
        let mut file = named_for_a_moment(&folder.0).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 0);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn copy_in_memory_makes_no_folder_and_cannot_be_changed() {
        let folder = Folder::new("memory");
        let copies = folder.0.join("copies");
        let sealed = Sealed::of(&folder.source(), "x", &copies).unwrap();
        assert!(!copies.exists());
        assert!((&sealed.file).write_all(b"y").is_err());
    }
}
