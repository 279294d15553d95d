//! What a panic carries.

use std::any::Any;

/// The text of a panic. The payload is leaked: its own drop may panic again.
pub fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    std::mem::forget(payload);
    text
}
