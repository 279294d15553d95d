//! From a plugin's name to a checked library: all stages in a row, and the
//! memory of what was loaded. The same bytes are the same library; a file that
//! nobody has touched since is not even read again.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_abi::{Library, LoadError, Sealed};
use serde_json::Value;

use super::discover::{NotFound, discover};
use super::verify::{Untrusted, verify};
use crate::config::PluginSchemas;
use crate::config::shapes::Plugins;

/// A checked library and where it came from.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// The file.
    pub path: PathBuf,
    /// The library.
    pub library: Library,
    /// What is allowed about the file but should not be.
    pub warnings: Vec<String>,
}

/// Why a plugin could not be loaded, by stage.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum PluginError {
    #[error(transparent)]
    Discover(#[from] NotFound),
    #[error("plugin \"{name}\" is not trusted: {error}")]
    Verify { name: String, error: Untrusted },
    #[error("plugin \"{name}\": {path} could not be copied: {error}", path = path.display())]
    Seal {
        name: String,
        path: PathBuf,
        error: io::Error,
    },
    #[error("plugin \"{name}\": {path} has sha256 {found}, but plugins.sha256.{name} pins {expected}", path = path.display())]
    Pin {
        name: String,
        path: PathBuf,
        found: String,
        expected: String,
    },
    #[error("plugin \"{name}\": {path}: {error}", path = path.display())]
    Load {
        name: String,
        path: PathBuf,
        error: Arc<LoadError>,
    },
}

impl PluginError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            PluginError::Discover(error) => error.help(),
            PluginError::Verify { error, .. } => error.help(),
            PluginError::Seal { .. } => {
                "check the file, and that the state folder can be written".into()
            }
            PluginError::Pin { name, found, .. } => {
                format!(
                    "if you replaced the file on purpose, set plugins.sha256.{name}: {found}; otherwise find out who did"
                )
            }
            PluginError::Load { error, .. } => error.help(),
        }
    }
}

/// The libraries of this process. They are never unloaded.
#[derive(Debug)]
pub struct Libraries {
    /// Where private copies go on systems that forbid executable memfds.
    copies: PathBuf,
    loaded: Mutex<Loaded>,
}

#[derive(Debug, Default)]
struct Loaded {
    /// Failures of what was mapped, too: the same bad bytes are not mapped, and their
    /// constructors not run, again. What the linker refused may go the next time, with a
    /// library that was missing.
    by_hash: HashMap<String, Result<Library, Arc<LoadError>>>,
    by_file: HashMap<Identity, Library>,
    mapped: Mapped,
}

/// What of this process's memory plugins hold for ever.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Libraries, each version of each plugin.
    pub libraries: usize,
    /// The sizes of their files: as much memory, at least.
    pub bytes: u64,
}

/// Tells a file from every other, and from itself before it was changed: only the
/// kernel sets the time of the last change (`ctime`).
#[derive(Debug, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Libraries {
    /// No libraries yet; `copies` is used only where executable memfds are forbidden.
    pub fn new(copies: PathBuf) -> Self {
        Libraries {
            copies,
            loaded: Mutex::default(),
        }
    }

    /// Takes a plugin through all stages up to a checked library.
    pub fn load(&self, name: &str, settings: &Plugins) -> Result<Plugin, PluginError> {
        let found = discover(name, settings)?;
        let verified = verify(found).map_err(|error| PluginError::Verify {
            name: name.to_owned(),
            error,
        })?;
        let path = verified.path;
        let pin = Pin {
            name,
            path: &path,
            expected: settings.sha256.get(name),
        };
        let library = self.library(&verified.file, &pin)?;
        let warnings = [verified.warning, misnamed(name, &path, &library)];
        Ok(Plugin {
            warnings: warnings.into_iter().flatten().collect(),
            path,
            library,
        })
    }

    /// What is mapped, and stays so to the end of the process.
    pub fn mapped(&self) -> Mapped {
        self.loaded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .mapped
    }

    fn library(&self, file: &File, pin: &Pin<'_>) -> Result<Library, PluginError> {
        let failed = |error| PluginError::Seal {
            name: pin.name.to_owned(),
            path: pin.path.to_owned(),
            error,
        };
        // Taken before the file is read: what is written meanwhile makes it another one.
        let identity = Identity::of(file).map_err(failed)?;
        let mut guard = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = &mut *guard;
        if let Some(library) = loaded.by_file.get(&identity) {
            pin.check(library.sha256())?;
            return Ok(library.clone());
        }
        let sealed = Sealed::of(file, pin.name, &self.copies).map_err(failed)?;
        let hash = sealed.sha256();
        pin.check(&hash)?;
        let refused = |error| PluginError::Load {
            name: pin.name.to_owned(),
            path: pin.path.to_owned(),
            error,
        };
        let checked = match loaded.by_hash.entry(hash) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let inspected = sealed.inspect().map_err(|error| refused(error.into()))?;
                let opened = inspected.open();
                if let Err(error @ LoadError::Open { .. }) = opened {
                    return Err(refused(error.into()));
                }
                loaded.mapped.libraries += 1;
                loaded.mapped.bytes += identity.size;
                let checked = opened.and_then(|opened| opened.check());
                new.insert(checked.map_err(Arc::new)).clone()
            }
        };
        let library = checked.map_err(refused)?;
        loaded.by_file.insert(identity, library.clone());
        Ok(library)
    }
}

/// The schemas of plugins, from the plugins.
impl PluginSchemas for Libraries {
    fn schema(&self, plugin: &str, settings: &Plugins) -> Result<Value, String> {
        let plugin = self
            .load(plugin, settings)
            .map_err(|error| format!("{error}\nhelp: {}", error.help()))?;
        let schema = plugin.library.schema().map_err(|failure| failure.detail)?;
        serde_json::from_str(&schema).map_err(|_| "its configuration schema is not JSON".to_owned())
    }
}

/// A file that calls itself otherwise may have been renamed by mistake. Cargo writes the
/// hyphens of a crate's name as underscores into the file's.
fn misnamed(name: &str, path: &Path, library: &Library) -> Option<String> {
    let own = &library.info().name;
    (own.replace('-', "_") != name).then(|| {
        let path = path.display();
        format!("{path} says that it is the plugin \"{own}\", but it is configured as \"{name}\"; is it the right file?")
    })
}

impl Identity {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Identity {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// The hash that the operator wants a file to have, if he has said one.
struct Pin<'a> {
    name: &'a str,
    path: &'a Path,
    expected: Option<&'a String>,
}

impl Pin<'_> {
    fn check(&self, found: &str) -> Result<(), PluginError> {
        match self.expected {
            Some(expected) if !expected.eq_ignore_ascii_case(found) => Err(PluginError::Pin {
                name: self.name.to_owned(),
                path: self.path.to_owned(),
                found: found.to_owned(),
                expected: expected.clone(),
            }),
            _ => Ok(()),
        }
    }
}
