//! From an address to an open connection: TCP or a socket, StartTLS, TLS. The addresses of a
//! host are asked for by one login at a time and kept for a while, since each question to the
//! system's resolver occupies a thread.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::start_tls;

/// How long a host's addresses are believed.
const ADDRESSES: Duration = Duration::from_secs(30);

/// A host as it is reached.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) port: u16,
    /// TLS, and the name under which ldap3 is to speak of the host.
    pub(super) tls: Option<(Arc<ClientConfig>, String)>,
    pub(super) start_tls: bool,
    found: Mutex<Option<(Instant, Vec<SocketAddr>)>>,
}

impl Host {
    pub(super) fn new(
        name: String,
        port: u16,
        tls: Option<(Arc<ClientConfig>, String)>,
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
    pub(super) async fn dial(&self, limit: Duration) -> Result<Ldap, String> {
        let mut stream = self.tcp(limit).await?;
        stream.set_nodelay(true).map_err(text)?;
        if self.start_tls {
            start_tls::ask(&mut stream).await?;
        }
        let (settings, url) = match &self.tls {
            Some((config, name)) => (
                LdapConnSettings::new().set_config(Arc::clone(config)),
                format!("ldaps://{name}"),
            ),
            None => (LdapConnSettings::new(), "ldap://plain.invalid".to_owned()),
        };
        let stream = StdStream::Tcp(stream.into_std().map_err(text)?);
        open(settings.set_std_stream(stream), &url).await
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
pub(super) async fn unix(path: &Path) -> Result<Ldap, String> {
    let stream = UnixStream::connect(path).await.map_err(text)?;
    let stream = StdStream::Unix(stream.into_std().map_err(text)?);
    open(
        LdapConnSettings::new().set_std_stream(stream),
        "ldapi://socket",
    )
    .await
}

async fn open(settings: LdapConnSettings, url: &str) -> Result<Ldap, String> {
    let (connection, ldap) =
        LdapConnAsync::with_settings(settings, url)
            .await
            .map_err(|error| match error {
                ldap3::LdapError::Io { source } => source.to_string(),
                other => other.to_string(),
            })?;
    tokio::spawn(async move {
        if let Err(error) = connection.drive().await {
            tracing::debug!("a connection ended: {error}");
        }
    });
    Ok(ldap)
}

fn text(error: std::io::Error) -> String {
    error.to_string()
}
