//! What the host lends to a call and wants back when the call is really over.
//!
//! Dropping a call's future aborts it, but code that blocks cannot be aborted: it goes
//! on, and only the plugin's side knows until when. So the lease crosses with the call,
//! and lies there where the call's own state lies. When that goes, the host's destructor
//! runs, on whatever thread the plugin let go of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use abi_stable::StableAbi;

use crate::panic::panic_text;

/// Keeps something of the host's until it is dropped, on either side.
#[repr(C)]
#[derive(StableAbi)]
pub struct Lease {
    context: usize,
    end: extern "C" fn(usize),
}

impl Lease {
    /// Keeps `held` alive until the lease is dropped.
    pub fn of<T: Send + Sync + 'static>(held: Arc<T>) -> Self {
        Lease {
            context: Arc::into_raw(held).expose_provenance(),
            end: end::<T>,
        }
    }

    /// Keeps nothing.
    pub fn none() -> Self {
        Lease {
            context: 0,
            end: nothing,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        (self.end)(self.context);
    }
}

impl std::fmt::Debug for Lease {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lease")
    }
}

extern "C" fn end<T>(context: usize) {
    // SAFETY: `context` is what `Lease::of::<T>` made of an `Arc<T>`; only a lease's drop
    // gives it to this function, once.
    let held = unsafe { Arc::from_raw(std::ptr::with_exposed_provenance::<T>(context)) };
    // A panic must not cross.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(held))).map_err(panic_text);
}

extern "C" fn nothing(_: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dropped_lease_gives_back_what_it_held() {
        let held = Arc::new(7);
        let lease = Lease::of(Arc::clone(&held));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(lease);
        assert_eq!(Arc::strong_count(&held), 1);
        drop(Lease::none());
    }

    #[test]
    fn panic_of_what_was_held_stays_inside() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop")
            }
        }
        drop(Lease::of(Arc::new(Bomb)));
    }
}
