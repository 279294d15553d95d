//! What the kernel knows of this process, under the names that Prometheus' own client
//! libraries use.

use std::time::{SystemTime, UNIX_EPOCH};

use metrics::{describe_gauge, gauge};

use super::page;

pub(super) fn describe() {
    describe_gauge!(
        "process_start_time_seconds",
        "Start of the process, seconds since 1970."
    );
    describe_gauge!("process_resident_memory_bytes", "Resident memory.");
    describe_gauge!("process_open_fds", "Open file descriptors.");
}

/// Near enough: metrics are installed as soon as the process serves.
pub(super) fn started() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    gauge!("process_start_time_seconds").set(now.map_or(0.0, |now| now.as_secs_f64()));
}

/// Two look-ups in `/proc`; what cannot be read keeps its last value.
pub(super) fn measure() {
    if let Some(bytes) = resident() {
        gauge!("process_resident_memory_bytes").set(bytes);
    }
    if let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(page::count(descriptors.count()));
    }
}

/// `VmRSS` of the process (proc_pid_status(5)), in kB.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(page::count(kilobytes * 1024))
}
