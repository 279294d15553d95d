//! The one place that writes what a command found.

use std::io::{self, Write, stdout};

use super::failure::{Failure, INTERNAL};

/// Writes to standard output. A reader that has gone (`| head`) has seen enough.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(
            INTERNAL,
            format!("standard output cannot be written: {error}"),
            "check where the output goes",
        )),
        _ => Ok(()),
    }
}
