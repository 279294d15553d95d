//! From an address to an open connection: TCP or a socket, StartTLS, TLS. The addresses of a
//! host are asked for by one login at a time and kept for a while, since each question to the
//! system's resolver occupies a thread.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::guard::{Guarded, guarded};
use super::start_tls;

/// How long a host's addresses are believed.
const ADDRESSES: Duration = Duration::from_secs(30);

/// A host as it is reached.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) tls: Option<Arc<ClientConfig>>,
    pub(super) start_tls: bool,
    found: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Host {
    pub(super) fn new(
        name: String,
        port: u16,
        tls: Option<Arc<ClientConfig>>,
        start_tls: bool,
    ) -> Self {
        Host {
            name,
            port,
            tls,
            start_tls,
            found: Mutex::default(),
        }
    }

    /// Connects; `limit` bounds each address's share, the caller the whole.
    pub(super) async fn dial(&self, limit: Duration) -> Result<Guarded, String> {
        let mut stream = self.tcp(limit).await?;
        stream.set_nodelay(true).map_err(text)?;
        if self.start_tls {
            start_tls::ask(&mut stream).await?;
        }
        let Some(config) = &self.tls else {
            return guarded(stream).await;
        };
        let name = ServerName::try_from(self.name.clone())
            .map_err(|_| format!("no certificate can be for the name {:?}", self.name))?;
        let connector = TlsConnector::from(Arc::clone(config));
        guarded(connector.connect(name, stream).await.map_err(text)?).await
    }

    async fn tcp(&self, limit: Duration) -> Result<TcpStream, String> {
        let addresses = self.addresses().await?;
        let share = limit / u32::try_from(addresses.len()).unwrap_or(1).max(1);
        let mut last = "it has no address".to_owned();
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no connection to {address} within {share:?}"),
            }
        }
        Err(last)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        if let Ok(address) = self.name.parse() {
            return Ok(vec![SocketAddr::new(address, self.port)]);
        }
        let mut found = self.found.lock().await;
        if let Some((when, addresses)) = found.as_ref()
            && when.elapsed() < ADDRESSES
        {
            return Ok(addresses.clone());
        }
        let addresses = lookup_host((self.name.as_str(), self.port)).await;
        let addresses: Vec<_> = addresses.map_err(text)?.collect();
        *found = Some((Instant::now(), addresses.clone()));
        Ok(addresses)
    }
}

/// Connects to a socket in the file system.
pub(super) async fn unix(path: &Path) -> Result<Guarded, String> {
    let stream = UnixStream::connect(path).await.map_err(text)?;
    guarded(stream).await
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}
