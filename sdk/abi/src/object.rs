//! The object that stands for one configured instance, as it crosses.
//!
//! All methods of 1.x stand here. New ones come last, each with a default body:
//! without one, a call on an older plugin panics.
//!
//! Every method takes a [`Lease`], to be kept until nothing of the call is left.

#![allow(non_local_definitions)] // what #[sabi_trait] expands to

use abi_stable::sabi_trait;
use abi_stable::std_types::{RBox, RResult, RString};
use async_ffi::{FfiFuture, FutureExt};

use crate::lease::Lease;
use crate::types::{Code, Failure, FfiAnswer, FfiJson, FfiRequest};

#[sabi_trait]
pub(crate) trait Object: Send + Sync {
    fn create_token(&self, request: FfiRequest, lease: Lease) -> FfiFuture<FfiAnswer>;

    fn capabilities(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("capabilities")
    }

    fn begin_login(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("begin_login")
    }

    fn finish_login(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("finish_login")
    }

    fn logout_url(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("logout_url")
    }

    fn provision(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("provision")
    }

    fn manage(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("manage")
    }

    fn lookup(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("lookup")
    }

    fn health(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("health")
    }

    #[sabi(last_prefix_field)]
    fn shutdown(&self, _arguments: RString, _lease: Lease) -> FfiFuture<FfiJson> {
        not_supported("shutdown")
    }
}

/// The object by value.
pub(crate) type ObjectBox = Object_TO<'static, RBox<()>>;

fn not_supported(operation: &str) -> FfiFuture<FfiJson> {
    let failure = Failure::new(
        Code::NotSupported,
        format!("this plugin does not offer {operation}"),
    );
    std::future::ready(RResult::RErr(failure.into())).into_ffi()
}
