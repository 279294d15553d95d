//! One connection, from its handshake to its last answer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::conversation::{Conversation, Times};
use super::service::Routes;
use super::signals::{Phase, Stop};
use super::tls::Acceptor;
use super::watched::{Timer, Watched};
use crate::http::peer::Peer;

/// A request's head may be this large: tokens of some directories fill tens of kilobytes.
const HEAD: usize = 64 * 1024;

/// After this time a connection's next answer is its last, so that a renewed
/// certificate and a new replica reach every client; what then does not end is cut.
const LIFETIME: Duration = Duration::from_secs(3600);
const LAST: Duration = Duration::from_secs(300);

/// A client that was refused in the middle of its body gets this long, and this many
/// bytes, to notice: closing with bytes unread would tear the answer from its hands.
const LINGER: Duration = Duration::from_secs(2);
const UNREAD: u64 = 1 << 20;

/// How a listener's connections are served.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) router: Router,
    pub(super) times: Times,
    pub(super) stop: Stop,
}

impl Serving {
    /// Serves over TCP, encrypted if there is an acceptor.
    pub(super) async fn tcp(self, stream: TcpStream, peer: Peer, acceptor: Option<Acceptor>) {
        let Some(acceptor) = acceptor else {
            return self.stream(stream, Some(peer)).await;
        };
        let mut stop = self.stop.clone();
        tokio::select! {
            stream = acceptor.accept(stream, self.times.header) => {
                if let Some(stream) = stream {
                    self.stream(stream, Some(peer)).await;
                }
            }
            () = reached(&mut stop, Phase::Now) => {}
        }
    }

    /// Serves until the client leaves, a limit is reached, or the end has come.
    pub(super) async fn stream<S>(self, stream: S, peer: Option<Peer>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let conversation = Arc::new(Conversation::new(self.times));
        let routes = Routes {
            router: self.router,
            peer,
            conversation: Arc::clone(&conversation),
        };
        let io = TokioIo::new(Watched::new(
            stream,
            Arc::clone(&conversation),
            self.times.write,
        ));
        let mut connection = Builder::new()
            .header_read_timeout(None) // `Watched` does it, and tells heads from silence
            .max_buf_size(HEAD)
            .serve_connection(io, routes);

        let (mut draining, mut stopping) = (self.stop.clone(), self.stop);
        let mut cut = pin!(reached(&mut stopping, Phase::Now));
        let mut timer = Timer::default();
        let served = {
            let mut last = pin!(async {
                tokio::select! {
                    () = reached(&mut draining, Phase::Draining) => {}
                    () = sleep(LIFETIME) => {}
                }
                conversation.close_soon();
                sleep(LAST).await;
            });
            tokio::select! {
                biased;
                served = poll_fn(|cx| {
                    // First, so that what it says to the conversation is heard at once.
                    let over = last.as_mut().poll(cx).is_ready();
                    if let Poll::Ready(served) = connection.poll_without_shutdown(cx) {
                        return Poll::Ready(Some(served));
                    }
                    // Only now, with the answer on its way, is it known how long silence may
                    // last; hyper need not read again before bytes come.
                    let deadline = conversation.deadline();
                    if deadline.is_some_and(|deadline| timer.poll(cx, deadline).is_ready()) {
                        return match connection.poll_without_shutdown(cx) {
                            Poll::Ready(served) => Poll::Ready(Some(served)),
                            Poll::Pending => Poll::Ready(None),
                        };
                    }
                    if over { Poll::Ready(None) } else { Poll::Pending }
                }) => served,
                () = &mut cut => None,
            }
        };
        // A client that goes away in the middle is its own affair.
        if let Some(Ok(())) = served {
            let stream = connection.into_parts().io.into_inner().into_inner();
            tokio::select! {
                () = farewell(stream, conversation.is_sending()) => {}
                () = cut => {}
            }
        }
    }
}

/// Closes in order, and hears out a client that is still sending.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, is_sending: bool) {
    let closing = async {
        stream.shutdown().await?;
        if is_sending {
            copy(&mut (&mut stream).take(UNREAD), &mut sink()).await?;
        }
        std::io::Result::Ok(())
    };
    // What goes wrong now concerns nobody any more.
    let _ = timeout(LINGER, closing).await;
}

/// Waits until the end has come this far.
async fn reached(stop: &mut Stop, phase: Phase) {
    if stop.wait_for(|now| *now >= phase).await.is_err() {
        // Nobody can ask for the end any more.
        std::future::pending::<()>().await;
    }
}
