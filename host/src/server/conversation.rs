//! What the two sides of one connection know together: the I/O, which sees bytes,
//! and the service, which sees requests. Every stage has its own time limit. A head that
//! is late gets no 408, which RFC 9110 section 15.5.9 leaves open: behind a proxy that
//! keeps connections it would be taken for the answer to the next request.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::framing::{Framing, Malformed};

/// A connection that is to close waits this long for a request that is on its way:
/// a client that has just sent one would else see it fail.
const LINGER: Duration = Duration::from_millis(500);

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// For a TLS handshake, for the first byte, and for a head from its first byte.
    pub(super) header: Duration,
    /// From one answer to the next request.
    pub(super) idle: Duration,
    /// For an answer, once the socket's buffers are full.
    pub(super) write: Duration,
}

/// One connection's state; locked for moments only, by one task.
#[derive(Debug)]
pub(super) struct Conversation(Mutex<State>);

#[derive(Debug)]
struct State {
    times: Times,
    framing: Framing,
    stage: Stage,
    /// Until when the next bytes must have come.
    deadline: Option<Instant>,
    /// No further request is wanted.
    closing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing of the next request has come.
    Silent,
    /// A part of its head has.
    Head,
    /// The service has it. How long it may take is not the socket's affair: bodies and
    /// backends have limits of their own.
    Answering,
}

impl Conversation {
    pub(super) fn new(times: Times) -> Self {
        Conversation(Mutex::new(State {
            times,
            framing: Framing::default(),
            stage: Stage::Silent,
            deadline: Some(Instant::now() + times.header),
            closing: false,
        }))
    }

    /// These bytes have come; says how many of them may be passed on now.
    pub(super) fn came(&self, bytes: &[u8]) -> usize {
        let mut state = self.state();
        if state.stage == Stage::Silent {
            state.stage = Stage::Head;
            state.deadline = Some(Instant::now() + state.times.header);
        }
        state.framing.follow(bytes)
    }

    /// Until when the next bytes must have come; none while a request is answered.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state().deadline
    }

    /// A request is there. After a chunked body the connection closes.
    pub(super) fn begin(&self, body: Option<u64>) -> Result<(), Malformed> {
        let mut state = self.state();
        state.stage = Stage::Answering;
        state.deadline = None;
        state.closing |= body.is_none();
        state.framing.begin(body)
    }

    /// Its answer is there; says whether it is to be the last one.
    pub(super) fn end(&self) -> bool {
        let mut state = self.state();
        state.stage = Stage::Silent;
        let pause = if state.closing {
            LINGER
        } else {
            state.times.idle
        };
        state.deadline = Some(Instant::now() + pause);
        state.closing
    }

    /// The next answer is the last one; where none is due, the connection ends soon.
    pub(super) fn close_soon(&self) {
        let mut state = self.state();
        state.closing = true;
        if state.stage == Stage::Silent {
            let soon = Instant::now() + LINGER;
            state.deadline = state.deadline.map(|deadline| deadline.min(soon));
        }
    }

    /// Is the client in the middle of sending a body?
    pub(super) fn is_sending(&self) -> bool {
        self.state().framing.owes()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TIMES: Times = Times {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        write: Duration::from_secs(30),
    };
    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    fn left(conversation: &Conversation) -> Option<u64> {
        let left = conversation.deadline()? - Instant::now();
        Some((left.as_secs_f64() * 10.0).round() as u64)
    }

    #[test]
    fn each_stage_has_its_own_limit() {
        let conversation = Conversation::new(TIMES);
        assert_eq!(left(&conversation), Some(100), "a silent client");
        conversation.came(&HEAD[..5]);
        assert_eq!(left(&conversation), Some(100), "a head from its first byte");
        conversation.came(&HEAD[5..]);
        conversation.begin(Some(0)).unwrap();
        assert_eq!(left(&conversation), None, "an answer in the making");
        assert!(!conversation.end());
        assert_eq!(left(&conversation), Some(600), "between requests");
    }

    #[test]
    fn close_soon_shortens_silence_but_neither_heads_nor_answers() {
        let silent = Conversation::new(TIMES);
        silent.close_soon();
        assert_eq!(left(&silent), Some(5));

        let half = Conversation::new(TIMES);
        half.came(&HEAD[..5]);
        half.close_soon();
        assert_eq!(left(&half), Some(100));
        half.came(&HEAD[5..]);
        half.begin(Some(0)).unwrap();
        half.close_soon();
        assert_eq!(left(&half), None);
        assert!(half.end(), "the last answer");
    }

    #[test]
    fn chunked_body_is_the_last_of_its_connection() {
        let conversation = Conversation::new(TIMES);
        conversation.came(HEAD);
        conversation.begin(None).unwrap();
        assert!(conversation.is_sending() && conversation.end());
    }
}
