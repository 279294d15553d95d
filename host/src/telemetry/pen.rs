//! Standard error, where lines are written.
//!
//! A line that is put aside waits for those of the requests that are being answered beside
//! it, and one write takes them all, as a database commits in groups: under load, writing
//! cost as much as signing. Whoever put one aside answers only when it is written, so that
//! whatever becomes of this process, no token is out there without its line.

use std::io::{self, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::task::yield_now;
use tracing::Metadata;
use tracing_subscriber::fmt::MakeWriter;

/// The name of events whose lines are put aside.
pub const PUT_ASIDE: &str = "put aside";

/// More than this never waits.
const MOST: usize = 32 << 10;

static PAGE: Mutex<Page> = Mutex::new(Page {
    waiting: Vec::new(),
    taken: 0,
    written: 0,
});

struct Page {
    waiting: Vec<u8>,
    /// Lines so far.
    taken: u64,
    /// Lines that are written.
    written: u64,
}

/// Returns when every line that was put aside so far is written. Requests that are about to
/// put one aside go first.
pub async fn written() {
    let rest = Rest(page().taken);
    if rest.is_written() {
        return;
    }
    yield_now().await;
}

/// Dropped in any way, it leaves nothing of what was put aside before it unwritten.
struct Rest(u64);

impl Rest {
    fn is_written(&self) -> bool {
        page().written >= self.0
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let mut page = page();
        if page.written < self.0 {
            page.write();
        }
    }
}

/// What writes the lines of events.
pub(super) struct Pen;

/// What writes one line.
pub(super) struct Line {
    put_aside: bool,
}

impl<'a> MakeWriter<'a> for Pen {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { put_aside: false }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> Line {
        Line {
            put_aside: metadata.name() == PUT_ASIDE,
        }
    }
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut page = page();
        page.waiting.extend_from_slice(line);
        page.taken += 1;
        if !self.put_aside || page.waiting.len() > MOST {
            page.write();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        page().write();
        Ok(())
    }
}

impl Page {
    /// A log that cannot be written (a full disk, a closed pipe) must not end a request.
    fn write(&mut self) {
        let _ = stderr().lock().write_all(&self.waiting);
        self.waiting.clear();
        self.written = self.taken;
    }
}

fn page() -> MutexGuard<'static, Page> {
    PAGE.lock().unwrap_or_else(PoisonError::into_inner)
}
