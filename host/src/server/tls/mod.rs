//! TLS 1.2 and 1.3 over aws-lc, HTTP/1.1 alone, one certificate whatever name the
//! client asks for: which names are ours is the client's business to check.
//!
//! A renewed certificate is taken up by a reload, and without one: its files are looked
//! at every half minute, since cert-manager and certbot tell nobody. New connections
//! get it, old ones go on. Files that do not hold leave the old certificate in use.

mod error;
mod files;
mod validity;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, crypto};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::shapes::Tls;
use crate::metering;
use files::Stamp;

pub use error::TlsError;
pub use files::Pair;

/// How often changed files are looked for.
const LOOK: Duration = Duration::from_secs(30);

/// The certificate in use, and where it came from.
#[derive(Debug)]
pub struct Certificates {
    current: ArcSwap<CertifiedKey>,
    /// The files and what they looked like when they were last read, well or not.
    source: Mutex<(Tls, Stamp)>,
}

/// Makes encrypted streams. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor(TlsAcceptor);

impl Certificates {
    /// Serves this certificate.
    pub fn new(pair: Pair) -> Arc<Self> {
        pair.tell();
        Arc::new(Certificates {
            current: ArcSwap::new(pair.certified),
            source: Mutex::new((pair.settings, pair.stamp)),
        })
    }

    /// Serves another one from now on.
    pub fn replace(&self, pair: Pair) {
        let mut source = self.source();
        self.take(&mut source, pair);
    }

    /// Reads the files again if they are not what they were. What is wrong with them is
    /// told once, and the old certificate stays.
    pub fn look(&self) {
        let before = self.source().clone();
        let (settings, stamp) = &before;
        let now = Stamp::of(settings);
        if now != *stamp {
            self.changed(&before, now, Pair::read(settings));
        }
    }

    /// The files were no longer as they had been `before`, and were read again; but if a
    /// reload has replaced the certificate meanwhile, that one stays.
    fn changed(&self, before: &(Tls, Stamp), now: Stamp, read: Result<Pair, TlsError>) {
        let mut source = self.source();
        if *source != *before {
            return;
        }
        match read {
            Ok(pair) => {
                tracing::info!("the certificate's files have changed");
                self.take(&mut source, pair);
            }
            Err(error) => {
                tracing::error!(
                    help = error.help(),
                    "the certificate's files have changed and cannot be used, the old certificate goes on serving: {}",
                    error.in_full()
                );
                source.1 = now;
            }
        }
    }

    /// Certificate and source change together, under the source's lock.
    fn take(&self, source: &mut (Tls, Stamp), pair: Pair) {
        pair.tell();
        self.current.store(pair.certified);
        *source = (pair.settings, pair.stamp);
    }

    /// Looks for changed files for ever.
    pub async fn keep_looking(self: Arc<Self>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let this = Arc::clone(&self);
            // A file system may hang.
            let _ = tokio::task::spawn_blocking(move || this.look()).await;
        }
    }

    /// What connections are encrypted with.
    ///
    /// # Errors
    /// The crypto library knows neither TLS 1.2 nor 1.3: never with ours.
    pub fn acceptor(self: &Arc<Self>) -> Result<Acceptor, TlsError> {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(TlsError::Library)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::<Self>::clone(self));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    fn source(&self) -> std::sync::MutexGuard<'_, (Tls, Stamp)> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Acceptor {
    /// The encrypted stream, unless the handshake fails or takes too long: scanners and
    /// clients without our issuer's certificate are daily bread, not news.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        limit: Duration,
    ) -> Option<TlsStream<TcpStream>> {
        let error = match timeout(limit, self.0.accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        metering::handshake_failed();
        tracing::debug!(error, "a TLS handshake failed");
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;

    /// A certificate with its key in a folder of the test's own.
    struct Files(PathBuf);

    impl Files {
        fn new(name: &str) -> Self {
            let name = format!("countersign-tls-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&folder).unwrap();
            Files(folder)
        }

        fn make(&self) {
            let made = Command::new("openssl")
                .args(["req", "-x509", "-nodes", "-newkey", "ec"])
                .args(["-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=a"])
                .args(["-keyout", &self.settings().private_key])
                .args(["-out", &self.settings().certificate])
                .output();
            assert!(made.unwrap().status.success());
        }

        fn settings(&self) -> Tls {
            let path = |name: &str| self.0.join(name).to_str().unwrap().to_owned();
            Tls {
                certificate: path("cert.pem"),
                private_key: path("key.pem"),
            }
        }
    }

    impl Drop for Files {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn look_takes_up_new_files_and_keeps_the_old_certificate_over_bad_ones() {
        let files = Files::new("look");
        files.make();
        let certificates = Certificates::new(Pair::read(&files.settings()).unwrap());
        let first = certificates.current.load_full();
        certificates.look();
        assert!(Arc::ptr_eq(&first, &certificates.current.load_full()));

        // Half of a renewal: the certificate has come, its key has not.
        let key = std::fs::read(&files.settings().private_key).unwrap();
        files.make();
        let new_key = std::fs::read(&files.settings().private_key).unwrap();
        std::fs::write(&files.settings().private_key, key).unwrap();
        certificates.look();
        assert!(Arc::ptr_eq(&first, &certificates.current.load_full()));
        let noticed = certificates.source().1.clone();
        assert_eq!(noticed, Stamp::of(&files.settings()), "told once");

        std::fs::write(&files.settings().private_key, new_key).unwrap();
        certificates.look();
        let second = certificates.current.load_full();
        assert_ne!(first.cert, second.cert);

        std::fs::remove_file(&files.settings().certificate).unwrap();
        certificates.look();
        assert!(Arc::ptr_eq(&second, &certificates.current.load_full()));
    }
    #[test]
    fn certificate_of_a_reload_outlives_a_look_that_began_before_it() {
        let (old, new) = (Files::new("race-old"), Files::new("race-new"));
        old.make();
        new.make();
        let certificates = Certificates::new(Pair::read(&old.settings()).unwrap());
        // A look finds the old files renewed; while it reads them, a reload names others.
        let before = certificates.source().clone();
        old.make();
        let now = Stamp::of(&old.settings());
        let read = Pair::read(&old.settings());
        let reloaded = Pair::read(&new.settings()).unwrap();
        let expected = Arc::clone(&reloaded.certified);
        certificates.replace(reloaded);
        certificates.changed(&before, now, read);
        assert!(Arc::ptr_eq(&expected, &certificates.current.load_full()));
        assert_eq!(certificates.source().0, new.settings());
    }

    #[test]
    fn look_sees_a_change_that_keeps_size_and_time_of_the_file() {
        let files = Files::new("ctime");
        files.make();
        let certificates = Certificates::new(Pair::read(&files.settings()).unwrap());
        let before = certificates.source().1.clone();
        let path = files.settings().certificate;
        let file = std::fs::File::open(&path).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // The clock of a file system may tick only every few milliseconds.
        let begun = std::time::Instant::now();
        while before == Stamp::of(&files.settings()) {
            assert!(begun.elapsed().as_secs() < 10);
            std::fs::write(&path, &bytes).unwrap();
            file.set_modified(modified).unwrap();
        }
    }
}
