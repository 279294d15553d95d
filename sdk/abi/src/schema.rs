//! The schema of a plugin's configuration. Making it is the author's code, so it is asked
//! for once, on a thread that is left behind if it does not come back.

use std::sync::OnceLock;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use abi_stable::std_types::RString;

use crate::received;
use crate::types::{Code, Failure};

/// How long a plugin may take to tell its schema.
const LIMIT: Duration = Duration::from_secs(10);

/// The answer of a library.
#[derive(Default)]
pub(crate) struct Schema(OnceLock<Result<String, Failure>>);

impl Schema {
    /// The schema, which the first caller waits for.
    pub(crate) fn of(&self, make: extern "C" fn() -> RString) -> Result<String, Failure> {
        self.0.get_or_init(|| asked(make, LIMIT)).clone()
    }
}

fn asked(make: extern "C" fn() -> RString, limit: Duration) -> Result<String, Failure> {
    let (told, answer) = sync_channel(1);
    let asking = thread::Builder::new().name("plugin-schema".to_owned());
    let asking = asking.spawn(move || drop(told.send(read(make()))));
    asking.map_err(|error| failed(format!("no thread could be started: {error}")))?;
    answer
        .recv_timeout(limit)
        .unwrap_or_else(|_| Err(failed(format!("it took longer than {} s", limit.as_secs()))))
}

fn read(schema: RString) -> Result<String, Failure> {
    if schema.is_empty() {
        return Err(failed("making it panicked".to_owned()));
    }
    received::schema(schema)
}

fn failed(why: String) -> Failure {
    Failure::new(Code::Fault, format!("the plugin has no schema: {why}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn schema_is_made_once() {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        extern "C" fn make() -> RString {
            MADE.fetch_add(1, Ordering::Relaxed);
            "{}".into()
        }
        let schema = Schema::default();
        for _ in 0..3 {
            assert_eq!(schema.of(make).as_deref(), Ok("{}"));
        }
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn schema_that_is_never_made_is_waited_for_no_longer_than_its_limit() {
        extern "C" fn never() -> RString {
            loop {
                thread::park();
            }
        }
        let failure = asked(never, Duration::from_millis(20)).map_err(|failure| failure.detail);
        assert_eq!(
            failure,
            Err("the plugin has no schema: it took longer than 0 s".to_owned())
        );
    }

    #[test]
    fn schema_whose_making_panicked_is_none() {
        extern "C" fn empty() -> RString {
            RString::new()
        }
        assert!(Schema::default().of(empty).is_err());
    }
}
