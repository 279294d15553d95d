//! The root module: what a plugin's one exported symbol leads to.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RStr, RString};
use async_ffi::FfiFuture;

use crate::object::ObjectBox;
use crate::services::HostRef;
use crate::types::FfiFailure;

/// What `create` answers, as it crosses.
pub(crate) type FfiCreated = RResult<ObjectBox, FfiFailure>;

/// The functions of a plugin library; grows only at its end.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = RootRef, prefix_fields = RootPrefix)))]
#[sabi(missing_field(option))]
pub(crate) struct Root {
    /// The JSON Schema (2020-12) of the plugin's configuration.
    pub(crate) config_schema: extern "C" fn() -> RString,
    /// Makes an instance: host services, then the envelope as JSON.
    #[sabi(last_prefix_field)]
    pub(crate) create: extern "C" fn(HostRef, RStr<'_>) -> FfiFuture<FfiCreated>,
}

impl RootModule for RootRef {
    abi_stable::declare_root_module_statics! {RootRef}

    const BASE_NAME: &'static str = "countersign";
    const NAME: &'static str = "countersign";
    const VERSION_STRINGS: VersionStrings = abi_stable::package_version_strings!();
}
