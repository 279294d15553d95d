//! What the process denies itself before it holds a secret.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// No core dumps, and no other process of this user may read the memory: both hold
/// private keys and passwords (`prctl(PR_SET_DUMPABLE)`, `RLIMIT_CORE`). Where the
/// system refuses, the server runs without.
pub fn keep_memory_private() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
