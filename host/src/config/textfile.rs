//! Small text files that hold one value: what `…_FILE` variables and
//! `{ file: … }` name. Bounded, and trimmed of one line ending.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the value; the error is one line and never quotes the content.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    // Without waiting: opening a named pipe would wait for its other end.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| format!("{shown}: {error}"))?;
    let kind = file
        .metadata()
        .map_err(|error| format!("{shown}: {error}"))?;
    if kind.is_dir() {
        return Err(format!("{shown}: this is a folder"));
    }
    if !kind.is_file() {
        return Err(format!("{shown}: not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{shown}: {error}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("{shown}: larger than 1 MiB"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| format!("{shown}: not UTF-8 text"))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() {
        return Err(format!("{shown}: the file is empty"));
    }
    Ok(text)
}
