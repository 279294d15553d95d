//! Bodies of token requests: an object or an answer, never a panic.
#![no_main]

use std::cell::LazyCell;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue};
use countersign::http::body;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    static RUNTIME: LazyCell<Runtime> =
        LazyCell::new(|| Builder::new_current_thread().enable_time().build().unwrap());
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let read = body::read(&headers, Body::from(bytes.to_vec()), false);
    match RUNTIME.with(|runtime| runtime.block_on(read)) {
        Ok(parsed) => assert!(parsed.json.is_object()),
        Err(refused) => assert!(refused.status().is_client_error()),
    }
});
