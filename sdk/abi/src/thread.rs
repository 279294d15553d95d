//! How the plugins' threads stand to the host's.

/// Lets the calling thread, and those that it starts, wait for a processor without pushing
/// another thread off it (`SCHED_BATCH`). Where one is free, nothing changes. Where none is,
/// the host goes on to the requests that wait, and the plugin then gets them together, instead
/// of both taking turns for every single one; and a pool of password hashes leaves the rest
/// of the server its answers. Where the system does not allow it, all stays as it was.
pub fn never_pushes_others_off() {
    let parameters = libc::sched_param { sched_priority: 0 };
    // SAFETY: 0 is the calling thread; `parameters` is read before the call returns.
    let _ = unsafe { libc::sched_setscheduler(0, libc::SCHED_BATCH, &raw const parameters) };
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn thread_that_pushes_nobody_off_starts_such_threads() {
        let policy = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let after_name = stat.rsplit_once(") ").unwrap().1.to_owned();
            after_name.split(' ').nth(38).unwrap().to_owned() // proc(5): field 41
        };
        let threads = std::thread::spawn(move || {
            never_pushes_others_off();
            (policy(), std::thread::spawn(policy).join().unwrap())
        });
        let batch = libc::SCHED_BATCH.to_string();
        assert_eq!(threads.join().unwrap(), (batch.clone(), batch));
        assert_eq!(policy(), libc::SCHED_OTHER.to_string());
    }
}
