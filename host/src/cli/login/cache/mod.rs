//! The token's file: in a folder that only its owner enters, written whole or not at all. One
//! that others could have read, or written, is not handed out.

mod key;

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use super::held::Held;
use crate::cli::failure::{Failure, REFUSED};
pub(super) use key::Key;

/// A larger file is none of ours.
const LIMIT: u64 = 256 * 1024;

/// Where the token of one key is kept.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    file: PathBuf,
    key: Key,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(flatten)]
    key: Key,
    access_token: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    refresh_token: String,
}

impl Cache {
    /// `${XDG_CACHE_HOME:-~/.cache}/countersign/tokens`; none where neither is a folder's
    /// absolute path (XDG Base Directory Specification: others are ignored).
    pub(super) fn find(environment: &BTreeMap<String, String>, key: &Key) -> Option<Cache> {
        let absolute = |name: &str| {
            let path = PathBuf::from(environment.get(name)?);
            path.is_absolute().then_some(path)
        };
        let home = || Some(absolute("HOME")?.join(".cache"));
        let base = absolute("XDG_CACHE_HOME").or_else(home)?;
        let folder = base.join("countersign/tokens");
        Some(Cache {
            file: folder.join(format!("{}.json", key.name())),
            folder,
            key: key.clone(),
        })
    }

    /// The token, if there is one, whether it has any time left or not.
    pub(super) fn read(&self) -> Result<Option<Held>, Failure> {
        let Some(written) = self.written()? else {
            return Ok(None);
        };
        let written: Option<Written> = serde_json::from_slice(&written).ok();
        let written = written.filter(|written| written.key == self.key);
        Ok(written.and_then(|written| {
            let held = Held::of(&written.access_token)?;
            Some(held.renewed_by(Some(&written.refresh_token)))
        }))
    }

    /// Keeps a token in place of the one before.
    pub(super) fn write(&self, held: &Held) -> Result<(), Failure> {
        let written = Written {
            key: self.key.clone(),
            access_token: held.token.clone(),
            refresh_token: held.refresh.as_deref().cloned().unwrap_or_default(),
        };
        let text = serde_json::to_vec_pretty(&written).map_err(|error| self.broken(&error))?;
        self.private_folder()?;
        let beside = self.folder.join(format!(".{}.tmp", std::process::id()));
        let work = || {
            remove(&beside)?;
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(&text)?;
            fs::rename(&beside, &self.file)
        };
        work().map_err(|error| {
            // It may hold the token.
            let _ = remove(&beside);
            self.broken(&error)
        })
    }

    /// Removes the token; was there one?
    pub(super) fn forget(&self) -> Result<bool, Failure> {
        remove(&self.file).map_err(|error| self.broken(&error))
    }

    /// The file's content, if nobody else can have had a hand in it.
    fn written(&self) -> Result<Option<Vec<u8>>, Failure> {
        let work = || {
            let folder = fs::symlink_metadata(&self.folder)?;
            let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
            let mut options = OpenOptions::new();
            let file = options.read(true).custom_flags(nofollow).open(&self.file)?;
            let metadata = file.metadata()?;
            Ok((folder, file, metadata))
        };
        let (folder, file, metadata): (_, File, _) = match work() {
            Ok(found) => found,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.broken(&error)),
        };
        self.check(&self.folder, &folder)?;
        self.check(&self.file, &metadata)?;
        let mut bytes = Vec::new();
        let read = file.take(LIMIT).read_to_end(&mut bytes);
        read.map_err(|error| self.broken(&error))?;
        Ok(Some(bytes))
    }

    fn private_folder(&self) -> Result<(), Failure> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.folder);
        let made = made.and_then(|()| fs::symlink_metadata(&self.folder));
        let metadata = made.map_err(|error| self.broken(&error))?;
        self.check(&self.folder, &metadata)
    }

    fn check(&self, path: &Path, metadata: &Metadata) -> Result<(), Failure> {
        let open = metadata.mode() & 0o077 != 0;
        if !open && metadata.uid() == geteuid().as_raw() {
            return Ok(());
        }
        let (shown, mode) = (path.display(), metadata.mode() & 0o7777);
        let error = match open {
            true => format!("{shown} is open to others (mode {mode:o}): they may have the token"),
            false => format!("{shown} belongs to another user"),
        };
        let help = format!(
            "`countersign login --forget`, then make {} your own: chmod 700",
            self.folder.display()
        );
        Err(Failure::new(REFUSED, error, help))
    }

    fn broken(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::new(
            REFUSED,
            format!("{}: {error}", self.file.display()),
            "check that the folder is yours, or name another one with XDG_CACHE_HOME",
        )
    }
}

/// Removes a file; was it there?
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::json;

    use super::key::tests::key;
    use super::*;
    use crate::cli::login::held::tests::token;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("countersign-login-{}-{count}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn cache(&self, audience: &str) -> Cache {
            let home = self.0.to_str().unwrap().to_owned();
            Cache::find(&[("HOME".to_owned(), home)].into(), &key(audience)).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn held() -> Held {
        let claims = json!({ "iss": "a", "iat": 1_000, "exp": 4_600 });
        Held::of(&token("JWT", &claims)).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn tokens_are_read_back_by_their_key_and_gone_when_forgotten() {
        let folder = Folder::new();
        let cache = folder.cache("");
        assert_eq!(cache.read().unwrap(), None);
        cache.write(&held()).unwrap();
        assert_eq!(cache.read().unwrap(), Some(held()));
        let renewable = held().renewed_by(Some("canary-7f3a"));
        cache.write(&renewable).unwrap();
        assert_eq!(cache.read().unwrap(), Some(renewable.clone()));
        assert!(!format!("{renewable:?}").contains("canary-7f3a"));
        assert_eq!(folder.cache("other").read().unwrap(), None);
        assert_eq!((mode(&cache.folder), mode(&cache.file)), (0o700, 0o600));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 1);
        assert!(cache.forget().unwrap() && !cache.forget().unwrap());
        assert_eq!(cache.read().unwrap(), None);
    }

    #[test]
    fn token_that_others_could_have_is_refused_until_forgotten() {
        let folder = Folder::new();
        let cache = folder.cache("");
        cache.write(&held()).unwrap();
        for open in [0o640, 0o604, 0o660] {
            set_mode(&cache.file, open);
            let failure = cache.read().unwrap_err();
            assert!(failure.to_string().contains("open to others"), "{failure}");
            assert!(!failure.to_string().contains(&held().token));
        }
        set_mode(&cache.file, 0o600);
        set_mode(&cache.folder, 0o750);
        assert!(cache.read().is_err() && cache.write(&held()).is_err());
        assert!(cache.forget().unwrap());
    }

    #[test]
    fn link_to_another_file_is_not_followed() {
        let folder = Folder::new();
        let (cache, other) = (folder.cache(""), folder.cache("other"));
        other.write(&held()).unwrap();
        symlink(&other.file, &cache.file).unwrap();
        assert!(cache.read().is_err());
        cache.write(&held()).unwrap();
        assert!(!fs::symlink_metadata(&cache.file).unwrap().is_symlink());
    }

    #[test]
    fn file_that_is_not_of_this_key_or_nonsense_counts_as_none() {
        let folder = Folder::new();
        let (cache, other) = (folder.cache(""), folder.cache("other"));
        other.write(&held()).unwrap();
        fs::rename(&other.file, &cache.file).unwrap();
        assert_eq!(cache.read().unwrap(), None);
        for text in ["", "{}", "[1]", "{\"access_token\":1}"] {
            fs::write(&cache.file, text).unwrap();
            assert_eq!(cache.read().unwrap(), None);
        }
    }

    #[test]
    fn folder_is_that_of_the_xdg_specification() {
        let find = |variables: &[(&str, &str)]| {
            let variables = variables.iter();
            let environment = variables.map(|(name, value)| (name.to_string(), value.to_string()));
            let cache = Cache::find(&environment.collect(), &key(""))?;
            Some(cache.folder.display().to_string())
        };
        let (home, xdg) = (("HOME", "/home/ada"), ("XDG_CACHE_HOME", "/var/c"));
        let usual = "/home/ada/.cache/countersign/tokens";
        assert_eq!(find(&[home]).as_deref(), Some(usual));
        assert_eq!(
            find(&[home, ("XDG_CACHE_HOME", "c")]).as_deref(),
            Some(usual)
        );
        let own = find(&[home, xdg]);
        assert_eq!(own.as_deref(), Some("/var/c/countersign/tokens"));
        assert_eq!(find(&[]), None);
    }
}
