//! From a sealed copy to a library that may be called, stage by stage; each
//! stage consumes the type of the one before and has one error.
//!
//! 1. [`Sealed`]: a private copy, hashed.
//! 2. [`Sealed::inspect`] → [`Inspected`]: its ELF tables are good, its ABI is ours.
//! 3. [`Inspected::open`] → [`Opened`]: mapped; its constructors have run.
//! 4. [`Opened::check`] → [`Library`]: version and layout agree; it may be called.
//!
//! A library is never unloaded, and its file descriptor never closed: the linker
//! matches by path, so that a descriptor number used again would bring back the
//! old library for new bytes.

use std::error::Error;
use std::mem::{self, ManuallyDrop};
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL, RootModule};
use abi_stable::sabi_types::VersionNumber;
use abi_stable::std_types::RResult;
use libloading::os::unix::{Library as Mapped, RTLD_LOCAL, RTLD_NOW};

use crate::elf::{InspectError, Inspection, inspect};
use crate::info::{ABI_VERSION, Info};
use crate::instance::{Instance, guarded};
use crate::layout;
use crate::root::RootRef;
use crate::schema::Schema;
use crate::seal::Sealed;
use crate::services::{self, Services};
use crate::types::Failure;

/// Why a plugin file could not be loaded, by stage.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum LoadError {
    #[error("{0}")]
    Inspect(#[from] InspectError),
    #[error("the dynamic linker refused it: {reason}")]
    Open { reason: String, needed: Vec<String> },
    #[error("it does not export a plugin: {0}")]
    Symbol(String),
    #[error("its ABI {found} does not fit this host's ABI {expected}:\n{difference}")]
    Layout {
        found: String,
        expected: &'static str,
        difference: String,
    },
    #[error("its root module failed: {0}")]
    Root(String),
}

/// A file whose tables are good.
#[derive(Debug)]
pub struct Inspected {
    sealed: Sealed,
    inspection: Inspection,
}

/// A mapped library, not yet checked.
#[derive(Debug)]
pub struct Opened {
    header: AbiHeaderRef,
    info: Info,
    sha256: String,
}

/// A checked plugin library. Copies of it are the same library.
#[derive(Clone)]
pub struct Library {
    root: RootRef,
    info: Arc<Info>,
    sha256: Arc<str>,
    schema: Arc<Schema>,
}

impl LoadError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            LoadError::Inspect(error) => error.help().into(),
            LoadError::Open { needed, .. } => {
                format!(
                    "it needs these libraries at run time: {}; install the missing one, or link it statically",
                    needed.join(", ")
                )
            }
            LoadError::Symbol(_) => "build it with the SDK's `export_plugin!`".into(),
            LoadError::Layout { .. } => {
                "build the plugin again with a released SDK of this host's ABI major".into()
            }
            LoadError::Root(_) => {
                "ask the plugin's author; the plugin's own start code failed".into()
            }
        }
    }
}

impl Sealed {
    /// Inspects the sealed bytes: what is inspected is what will be mapped.
    pub fn inspect(self) -> Result<Inspected, LoadError> {
        let inspection = inspect(&self.file)?;
        Ok(Inspected {
            sealed: self,
            inspection,
        })
    }
}

impl Inspected {
    /// What the file says of itself.
    pub fn info(&self) -> &Info {
        &self.inspection.info
    }

    /// What was found, for those who only wanted to look.
    pub fn into_inspection(self) -> Inspection {
        self.inspection
    }

    /// Maps the library. Its constructors run here, before any other code of it.
    pub fn open(self) -> Result<Opened, LoadError> {
        let Inspected { sealed, inspection } = self;
        let sha256 = sealed.sha256();
        // SAFETY: loading runs the file's constructors, which no check can make safe. The
        // file is trusted: its owner, mode and pin were verified, and the bytes are sealed.
        let opened = unsafe { Mapped::open(Some(&sealed.path), RTLD_NOW | RTLD_LOCAL) };
        // Never closed, whatever comes: its constructors may have left threads behind.
        let mapped = opened
            .map(ManuallyDrop::new)
            .map_err(|error| LoadError::Open {
                reason: cause(&error),
                needed: inspection.needed,
            })?;
        // The descriptor stays open for the life of the process; see the module's head.
        mem::forget(sealed);
        // SAFETY: in a trusted file a symbol of this name is abi_stable's header; `check`
        // compares its magic text first. A file that lies here is beyond what a loader can
        // contain: its constructors have run already.
        let header =
            unsafe { mapped.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) }
                .map(|symbol| *symbol)
                .map_err(|error| LoadError::Symbol(cause(&error)))?;
        Ok(Opened {
            header,
            info: inspection.info,
            sha256,
        })
    }
}

impl Opened {
    /// Compares version and layout. The older minor is the interface: abi_stable's
    /// own check always takes the host's and would refuse every older plugin.
    pub fn check(self) -> Result<Library, LoadError> {
        let header: &'static LibHeader = self.header.upgrade().map_err(|_| {
            LoadError::Symbol(
                "its header is of another version of the boundary's base library (abi_stable)"
                    .into(),
            )
        })?;
        let version = |strings| {
            VersionNumber::new(strings).map_err(|error| LoadError::Symbol(error.to_string()))
        };
        let (ours, theirs) = (
            version(RootRef::VERSION_STRINGS)?,
            version(header.version_strings())?,
        );
        if ours.major != theirs.major {
            let (found, expected) = (theirs.to_string(), ABI_VERSION.to_owned());
            return Err(InspectError::OtherAbi { found, expected }.into());
        }
        let layout = header
            .layout()
            .ok_or_else(|| LoadError::Symbol("its header carries no layout".into()))?;
        let (interface, implementation) = if theirs.minor >= ours.minor {
            (RootRef::LAYOUT, layout)
        } else {
            (layout, RootRef::LAYOUT)
        };
        check_layout_compatibility(interface, implementation).map_err(|errors| {
            LoadError::Layout {
                found: theirs.to_string(),
                expected: ABI_VERSION,
                difference: layout::short(&errors),
            }
        })?;
        // SAFETY: the layout of this very header was compared just above.
        let root = unsafe { header.unchecked_layout::<RootRef>() }
            .map_err(|error| LoadError::Root(error.to_string()))?;
        Ok(Library {
            root,
            info: Arc::new(self.info),
            sha256: self.sha256.into(),
            schema: Arc::default(),
        })
    }
}

impl Library {
    /// What the file says of itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// SHA-256 of the file's bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The JSON Schema (2020-12) of the plugin's configuration. It is made once; whoever
    /// asks first waits for it, for some seconds at most.
    pub fn schema(&self) -> Result<String, Failure> {
        self.schema.of(self.root.config_schema())
    }

    /// Makes an instance from the envelope (JSON). Dropping the future aborts the work.
    pub fn create(
        &self,
        services: Arc<dyn Services>,
        envelope: &str,
    ) -> impl Future<Output = Result<Instance, Failure>> + Send + 'static {
        let made = (self.root.create())(services::table(services), envelope.into());
        async move {
            match guarded(made).await? {
                RResult::ROk(object) => Ok(Instance(object)),
                RResult::RErr(failure) => Err(failure.into()),
            }
        }
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Library({}, sha256 {})", self.info, self.sha256)
    }
}

/// libloading's own text is only "dlopen failed"; what happened is in the source. It
/// quotes names out of the file.
fn cause(error: &dyn Error) -> String {
    let text = error
        .source()
        .map_or_else(|| error.to_string(), |source| source.to_string());
    text.chars()
        .take(1024)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
