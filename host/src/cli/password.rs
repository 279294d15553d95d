//! A password from standard input, of a pipe or a terminal.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write, stderr, stdin};
use std::sync::mpsc;
use std::thread;

use clap::Args;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use super::failure::{Failure, REFUSED, USAGE};
use crate::audit;

/// A password is at most this long.
const LIMIT: u64 = 64 * 1024;

#[derive(Args)]
pub(super) struct Password {
    /// Read the password from standard input (its first line)
    #[arg(long)]
    password_stdin: bool,
}

impl Password {
    /// Does it come from a pipe?
    pub(super) fn is_given(&self) -> bool {
        self.password_stdin
    }

    /// As [`read`](Self::read); without the flag it is asked for at the terminal.
    pub(super) fn read_or_ask(&self, username: &str) -> Result<Zeroizing<String>, Failure> {
        if !self.password_stdin {
            if !stdin().is_terminal() {
                return self.read();
            }
            // Where it cannot be written, the question says enough.
            let _ = writeln!(stderr(), "Signing in as {}", audit::clean(username, 100));
        }
        first_line()
    }

    /// The first line, without its end.
    pub(super) fn read(&self) -> Result<Zeroizing<String>, Failure> {
        if !self.password_stdin {
            return Err(Failure::new(
                USAGE,
                "the password must come from standard input",
                "add --password-stdin, and pipe the password in",
            ));
        }
        first_line()
    }
}

fn first_line() -> Result<Zeroizing<String>, Failure> {
    let _silence = Silence::of_terminal();
    let mut bytes = Zeroizing::new(Vec::new());
    let read = BufReader::new(stdin().take(LIMIT)).read_until(b'\n', &mut bytes);
    let refused = |error: &str| {
        let help = "pipe the password in, such as: printf %s \"$PASSWORD\" | countersign … --password-stdin";
        Failure::new(REFUSED, error, help)
    };
    read.map_err(|error| refused(&format!("the password cannot be read: {error}")))?;
    let line =
        std::str::from_utf8(&bytes).map_err(|_| refused("the password is not UTF-8 text"))?;
    match line.trim_end_matches(['\n', '\r']) {
        "" => Err(refused("the password is empty")),
        password => Ok(Zeroizing::new(password.to_owned())),
    }
}

/// Switches a terminal's echo off, and back on when dropped, or when the user has enough.
struct Silence(Termios);

impl Silence {
    fn of_terminal() -> Option<Self> {
        let before = tcgetattr(stdin()).ok()?;
        restored_by_signals(before.clone());
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Flush, &silent).ok()?;
        let _ = write!(stderr(), "Password: ");
        Some(Silence(before))
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
        let _ = writeln!(stderr());
    }
}

/// From now on Ctrl-C, a hang-up and the like end the process with the terminal as it was: what
/// ends it by default leaves a shell without echo.
fn restored_by_signals(before: Termios) {
    let (ready, is_ready) = mpsc::channel();
    let wait = move || {
        if let Some(code) = signalled(&ready) {
            drop(Silence(before));
            std::process::exit(code);
        }
    };
    if thread::Builder::new().spawn(wait).is_ok() {
        // An error is a signal that cannot be waited for: the password is silent all the same.
        let _ = is_ready.recv();
    }
}

/// Waits for a signal that ends a process; the answer is its exit code, as shells number it.
fn signalled(ready: &mpsc::Sender<()>) -> Option<i32> {
    let mut builder = runtime::Builder::new_current_thread();
    let runtime = builder.enable_io().build().ok()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt()).ok()?;
        let mut quit = signal(SignalKind::quit()).ok()?;
        let mut hangup = signal(SignalKind::hangup()).ok()?;
        let mut terminate = signal(SignalKind::terminate()).ok()?;
        ready.send(()).ok()?;
        Some(tokio::select! {
            _ = hangup.recv() => 129,
            _ = interrupt.recv() => 130,
            _ = quit.recv() => 131,
            _ = terminate.recv() => 143,
        })
    })
}
