//! What a network does between two programs: latency, black holes, refused and cut
//! connections. It looks at no byte, so that TLS goes through it as well.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What becomes of the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They arrive.
    Open,
    /// They arrive so much later, in each direction; how many are on their way does not matter.
    Latency(Duration),
    /// Connections are accepted, and nothing ever arrives.
    BlackHole,
    /// Nobody listens; connections that stand are closed.
    Refuse,
    /// A connection is closed after so many bytes of the server's.
    CutAfter(usize),
}

/// A proxy before a server, in threads of its own; it ends with this value.
pub struct Fault {
    /// Where it listens.
    pub address: SocketAddr,
    orders: mpsc::UnboundedSender<(Way, oneshot::Sender<()>)>,
    accepted: Arc<AtomicUsize>,
    _runtime: Runtime,
}

impl Fault {
    /// On a free port of the loopback; open at first.
    pub fn before(server: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listening = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)));
        let listener = runtime.block_on(listening).unwrap();
        let address = listener.local_addr().unwrap();
        let (orders, received) = mpsc::unbounded_channel();
        let accepted = Arc::<AtomicUsize>::default();
        runtime.spawn(serve(listener, server, received, Arc::clone(&accepted)));
        Fault {
            address,
            orders,
            accepted,
            _runtime: runtime,
        }
    }

    /// From now on, for connections that stand as well.
    pub fn set(&self, way: Way) {
        let (done, wait) = oneshot::channel();
        self.orders.send((way, done)).unwrap();
        wait.blocking_recv().unwrap();
    }

    /// Connections that it has accepted.
    pub fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }
}

async fn serve(
    listener: TcpListener,
    server: SocketAddr,
    mut orders: mpsc::UnboundedReceiver<(Way, oneshot::Sender<()>)>,
    accepted: Arc<AtomicUsize>,
) {
    let address = listener.local_addr().unwrap();
    let mut listener = Some(listener);
    let way = watch::Sender::new(Way::Open);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => {
                let Some((new, done)) = order else { return };
                way.send_replace(new);
                if new == Way::Refuse {
                    listener = None;
                    connections.shutdown().await;
                } else if listener.is_none() {
                    listener = Some(TcpListener::bind(address).await.unwrap());
                }
                let _ = done.send(());
            }
            Some(client) = accept(listener.as_ref()) => {
                accepted.fetch_add(1, Ordering::Relaxed);
                connections.spawn(relay(client, server, way.subscribe()));
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// Until either side ends.
async fn relay(client: TcpStream, server: SocketAddr, way: watch::Receiver<Way>) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = pump(from_client, to_server, way.clone(), false) => {}
        () = pump(from_server, to_client, way, true) => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: watch::Receiver<Way>,
    is_answer: bool,
) {
    let (later, mut due) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let read = async move {
        let mut buffer = vec![0; 16 * 1024];
        let mut seen = 0;
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let (mut pause, mut rest, mut cut) = (Duration::ZERO, count, false);
            match *way.borrow() {
                Way::BlackHole => continue,
                Way::Latency(time) => pause = time,
                Way::CutAfter(most) if is_answer && seen + count >= most => {
                    (rest, cut) = (most.saturating_sub(seen), true);
                }
                _ => {}
            }
            seen += count;
            let arrived = later.send((Instant::now() + pause, buffer[..rest].to_vec()));
            if cut || arrived.is_err() {
                return;
            }
        }
    };
    let write = async move {
        while let Some((instant, bytes)) = due.recv().await {
            sleep_until(instant).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    // What was read still arrives before the connection ends.
    tokio::join!(read, write);
}
