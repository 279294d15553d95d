//! The host's side of one configured instance.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use abi_stable::std_types::{ROption, RResult, RString};
use async_ffi::FfiFuture;
use futures_util::FutureExt;
use serde_json::Value;

use crate::lease::Lease;
use crate::object::ObjectBox;
use crate::operation::{Call, Operation};
use crate::received;
use crate::types::{Code, Failure, Request, User};

/// One configured instance of a plugin. Dropping a call's future aborts the call.
pub struct Instance(pub(crate) ObjectBox);

impl Instance {
    /// Asks who is asking. `None` = not this plugin's kind of request or user.
    pub fn create_token(
        &self,
        request: Request,
    ) -> impl Future<Output = Result<Option<User>, Failure>> + Send + 'static + use<> {
        self.create_token_under(Lease::none(), request)
    }

    /// The same; `lease` is dropped when nothing of the call is left, which may be long
    /// after its future was dropped.
    pub fn create_token_under(
        &self,
        lease: Lease,
        request: Request,
    ) -> impl Future<Output = Result<Option<User>, Failure>> + Send + 'static + use<> {
        let answer = self.0.create_token(request.into(), lease);
        async move {
            match guarded(answer).await? {
                RResult::ROk(ROption::RSome(user)) => user.try_into().map(Some),
                RResult::ROk(ROption::RNone) => Ok(None),
                RResult::RErr(failure) => Err(failure.into()),
            }
        }
    }

    /// Calls an optional operation.
    pub fn call(
        &self,
        operation: Operation,
        call: &Call,
    ) -> impl Future<Output = Result<Value, Failure>> + Send + 'static + use<> {
        self.call_under(Lease::none(), operation, call)
    }

    /// The same; `lease` as in [`create_token_under`](Self::create_token_under).
    pub fn call_under(
        &self,
        lease: Lease,
        operation: Operation,
        call: &Call,
    ) -> impl Future<Output = Result<Value, Failure>> + Send + 'static + use<> {
        let object = &self.0;
        let arguments = RString::from(serde_json::json!(call).to_string());
        let answer = match operation {
            Operation::Capabilities => object.capabilities(arguments, lease),
            Operation::BeginLogin => object.begin_login(arguments, lease),
            Operation::FinishLogin => object.finish_login(arguments, lease),
            Operation::LogoutUrl => object.logout_url(arguments, lease),
            Operation::Provision => object.provision(arguments, lease),
            Operation::Manage => object.manage(arguments, lease),
            Operation::Lookup => object.lookup(arguments, lease),
            Operation::Health => object.health(arguments, lease),
            Operation::Shutdown => object.shutdown(arguments, lease),
        };
        async move {
            guarded(answer)
                .await?
                .into_result()
                .map_err(Failure::from)
                .and_then(received::json)
        }
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Instance")
    }
}

/// async-ffi re-raises a panic of the other side's `poll` on this side.
pub(crate) async fn guarded<T>(answer: FfiFuture<T>) -> Result<T, Failure> {
    let polled = AssertUnwindSafe(answer).catch_unwind().await;
    polled.map_err(|_| Failure::new(Code::Fault, "the plugin panicked while it was polled"))
}
