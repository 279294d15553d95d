//! A stream under watch: bytes are followed, and a client that lets a time limit
//! pass is cut off. Timers are moved only when they would fire too late, so that a
//! busy connection hardly touches them.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::conversation::Conversation;

/// A stream and what is known about it.
#[derive(Debug)]
pub(super) struct Watched<S> {
    inner: S,
    conversation: Arc<Conversation>,
    /// Bytes behind the end of a head or body: passed on when it is their turn.
    kept: Vec<u8>,
    writing: Timer,
    /// How long an answer may wait to be taken, and since when one does.
    patience: Duration,
    stalled: Option<Instant>,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, conversation: Arc<Conversation>, patience: Duration) -> Self {
        Watched {
            inner,
            conversation,
            kept: Vec::new(),
            writing: Timer::default(),
            patience,
            stalled: None,
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    /// What writing came to, within its time.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_pending() {
            let since = *self.stalled.get_or_insert_with(Instant::now);
            ready!(self.writing.poll(cx, since + self.patience));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.kept.is_empty() {
            let room = this.kept.len().min(buffer.remaining());
            let passed = this.conversation.came(&this.kept[..room]);
            buffer.put_slice(&this.kept[..passed]);
            this.kept.drain(..passed);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let new = &buffer.filled()[before..];
                if !new.is_empty() {
                    let passed = this.conversation.came(new);
                    this.kept.extend_from_slice(&new[passed..]);
                    buffer.set_filled(before + passed);
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                // Whoever polls the connection has the timer; what is late looks as if the
                // client had closed: then the connection ends in order.
                let deadline = this.conversation.deadline();
                if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                    return Poll::Ready(Ok(()));
                }
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.in_time(cx, written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, slices);
        this.in_time(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        // Flushed is taken: part of an answer is not, so that a trickle does not count.
        if flushed.is_ready() {
            this.stalled = None;
        }
        this.in_time(cx, flushed)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.in_time(cx, shut)
    }
}

/// A timer for deadlines that mostly move away before they come.
#[derive(Debug, Default)]
pub(super) struct Timer(Option<Pin<Box<Sleep>>>);

impl Timer {
    /// Ready once `deadline` is over; else the task is woken then, or earlier.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let sleep = self
            .0
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if deadline < sleep.deadline() {
            sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::server::conversation::Times;

    const SOON: Duration = Duration::from_millis(20);
    const TIMES: Times = Times {
        header: SOON,
        idle: SOON,
        write: SOON,
    };

    #[tokio::test]
    async fn answer_that_nobody_takes_is_given_up() {
        let (ours, _theirs) = duplex(8);
        let conversation = Arc::new(Conversation::new(TIMES));
        let mut watched = Watched::new(ours, conversation, TIMES.write);
        let error = watched.write_all(&[0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn silence_ends_like_a_client_that_leaves() {
        let (ours, _theirs) = duplex(8);
        let conversation = Arc::new(Conversation::new(Times {
            header: Duration::ZERO,
            ..TIMES
        }));
        let mut watched = Watched::new(ours, conversation, TIMES.write);
        assert_eq!(watched.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn bytes_behind_a_head_wait_for_their_turn() {
        let (ours, mut theirs) = duplex(256);
        let conversation = Arc::new(Conversation::new(TIMES));
        let mut watched = Watched::new(ours, Arc::clone(&conversation), TIMES.write);
        let (head, rest) = ("POST / HTTP/1.1\r\n\r\n", "bodyGET");
        theirs
            .write_all(format!("{head}{rest}").as_bytes())
            .await
            .unwrap();
        let mut buffer = [0; 256];
        assert_eq!(watched.read(&mut buffer).await.unwrap(), head.len());
        conversation.begin(Some(4)).unwrap();
        assert_eq!(watched.read(&mut buffer).await.unwrap(), 4);
        assert_eq!(&buffer[..4], b"body");
        assert_eq!(watched.read(&mut buffer).await.unwrap(), 3);
    }
}
