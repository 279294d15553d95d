//! The plugin's side: from a plain Rust type to the one exported symbol.
//!
//! Every entry that the host calls is guarded: a panic becomes a `Fault` with
//! its text, since unwinding out of an `extern "C"` function ends the process.

use std::any::Any;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use abi_stable::library::{__call_root_module_loader, CheckTypeLayout, RootModuleResult};
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::sabi_trait::TD_Opaque;
use abi_stable::std_types::{ROption, RResult, RStr, RString};
use async_ffi::{FfiFuture, FutureExt};
use serde_json::Value;
use zeroize::Zeroize;

pub use abi_stable::library::LibHeader;

use crate::BoxFuture;
use crate::lease::Lease;
use crate::object::{Object, Object_TO, ObjectBox};
use crate::operation::{Call, Operation};
use crate::panic::panic_text;
use crate::root::{FfiCreated, Root, RootRef};
use crate::services::{HostRef, HostServices, Services};
use crate::types::{Code, Failure, FfiAnswer, FfiJson, FfiRequest, Request, User};

/// One configured instance, on the plugin's side.
pub trait Plugin: Send + Sync + 'static {
    /// Decides who is asking; `None` = not this plugin's kind of request or user. `lease`
    /// is kept until nothing of the call is left.
    fn create_token(
        &self,
        request: Request,
        lease: Lease,
    ) -> BoxFuture<Result<Option<User>, Failure>>;

    /// An optional operation; `lease` as above.
    fn call(
        &self,
        operation: Operation,
        call: Call,
        lease: Lease,
    ) -> BoxFuture<Result<Value, Failure>>;
}

/// What [`export!`](crate::export) needs to know of a plugin library.
pub trait Export: 'static {
    /// JSON Schema (2020-12) of the configuration.
    fn schema() -> String;

    /// Makes an instance from the host's envelope (JSON).
    fn create(
        services: Arc<dyn Services>,
        envelope: String,
    ) -> BoxFuture<Result<Arc<dyn Plugin>, Failure>>;
}

/// Exports a type that implements [`Export`] as the plugin of this library, with
/// the section that `countersign plugins inspect` reads. `$sdk` is the SDK's version.
#[macro_export]
macro_rules! export {
    ($export:ty, $sdk:expr) => {
        // The name is abi_stable's, for its `AbiHeaderRef`; a test holds them together.
        #[unsafe(no_mangle)]
        #[allow(missing_docs, non_upper_case_globals)]
        pub static _1as_0lib_1header_0root_bmodule_bloader: $crate::__private::LibHeader =
            $crate::__private::header::<$export>();

        #[used]
        #[unsafe(link_section = ".countersign")]
        static _COUNTERSIGN_SECTION: [u8; 512] = $crate::__private::section(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            $sdk,
            if cfg!(panic = "unwind") {
                "unwind"
            } else {
                "abort"
            },
        );
    };
}

/// The header that the exported symbol is.
pub const fn header<E: Export>() -> LibHeader {
    // SAFETY: `constructor` returns what `RootRef` leaks, the module named here.
    unsafe { LibHeader::from_constructor::<RootRef>(constructor::<E>, CheckTypeLayout::Yes) }
}

extern "C" fn constructor<E: Export>() -> RootModuleResult {
    __call_root_module_loader(|| {
        Root {
            config_schema: schema::<E>,
            create: create::<E>,
        }
        .leak_into_prefix()
    })
}

extern "C" fn schema<E: Export>() -> RString {
    // Empty, which is no JSON, tells the host that there is none.
    catch_unwind(E::schema)
        .map_err(panic_text)
        .unwrap_or_default()
        .into()
}

extern "C" fn create<E: Export>(host: HostRef, envelope: RStr<'_>) -> FfiFuture<FfiCreated> {
    let envelope = envelope.as_str().to_owned();
    let made = catch_unwind(AssertUnwindSafe(|| {
        E::create(Arc::new(HostServices::new(host)), envelope)
    }))
    .map_err(panicked);
    async move {
        match made {
            Ok(future) => match future.await {
                Ok(plugin) => RResult::ROk(ObjectBox::from(plugin)),
                Err(failure) => RResult::RErr(failure.into()),
            },
            Err(failure) => RResult::RErr(failure.into()),
        }
    }
    .into_ffi()
}

struct Adapter(ManuallyDrop<Arc<dyn Plugin>>);

impl Drop for Adapter {
    fn drop(&mut self) {
        // SAFETY: nothing touches the field after this, the only take.
        let plugin = unsafe { ManuallyDrop::take(&mut self.0) };
        // The host drops instances, through an `extern "C"` function.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(plugin))).map_err(panic_text);
    }
}

impl From<Arc<dyn Plugin>> for ObjectBox {
    fn from(plugin: Arc<dyn Plugin>) -> Self {
        Object_TO::from_value(Adapter(ManuallyDrop::new(plugin)), TD_Opaque)
    }
}

impl Adapter {
    fn call(&self, operation: Operation, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        let mut arguments = arguments.into_bytes();
        let call = serde_json::from_slice(&arguments);
        // Passwords are set through here.
        arguments.zeroize();
        let Ok(call) = call else {
            let failure = Failure::new(Code::Fault, "the host's call is no envelope in JSON");
            return std::future::ready(RResult::RErr(failure.into())).into_ffi();
        };
        match catch_unwind(AssertUnwindSafe(|| self.0.call(operation, call, lease))) {
            Ok(future) => async move {
                let answer = future.await.map(|answer| RString::from(answer.to_string()));
                answer.map_err(Into::into).into()
            }
            .into_ffi(),
            Err(payload) => std::future::ready(RResult::RErr(panicked(payload).into())).into_ffi(),
        }
    }
}

impl Object for Adapter {
    fn create_token(&self, request: FfiRequest, lease: Lease) -> FfiFuture<FfiAnswer> {
        match catch_unwind(AssertUnwindSafe(|| {
            self.0.create_token(request.into(), lease)
        })) {
            Ok(future) => async move {
                match future.await {
                    Ok(user) => RResult::ROk(
                        user.map_or(ROption::RNone, |user| ROption::RSome(user.into())),
                    ),
                    Err(failure) => RResult::RErr(failure.into()),
                }
            }
            .into_ffi(),
            Err(payload) => std::future::ready(RResult::RErr(panicked(payload).into())).into_ffi(),
        }
    }

    fn capabilities(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Capabilities, arguments, lease)
    }

    fn begin_login(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::BeginLogin, arguments, lease)
    }

    fn finish_login(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::FinishLogin, arguments, lease)
    }

    fn logout_url(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::LogoutUrl, arguments, lease)
    }

    fn provision(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Provision, arguments, lease)
    }

    fn manage(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Manage, arguments, lease)
    }

    fn lookup(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Lookup, arguments, lease)
    }

    fn health(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Health, arguments, lease)
    }

    fn shutdown(&self, arguments: RString, lease: Lease) -> FfiFuture<FfiJson> {
        self.call(Operation::Shutdown, arguments, lease)
    }
}

fn panicked(payload: Box<dyn Any + Send>) -> Failure {
    Failure::new(
        Code::Fault,
        format!("the plugin panicked: {}", panic_text(payload)),
    )
}

#[cfg(test)]
mod tests {
    use abi_stable::library::ROOT_MODULE_LOADER_NAME;

    #[test]
    fn exported_symbol_has_the_name_that_the_loader_asks_for() {
        assert_eq!(
            ROOT_MODULE_LOADER_NAME,
            "_1as_0lib_1header_0root_bmodule_bloader"
        );
    }
}
