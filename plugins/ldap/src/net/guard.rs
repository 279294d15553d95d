//! Between a server and ldap3: what the server says passes message by message and within
//! bounds, and why a connection ended is known afterwards.

use std::sync::{Arc, OnceLock};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, copy, split};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;

use super::message;

/// A connection behind its guard.
pub(super) struct Guarded {
    pub(super) ldap: Ldap,
    pub(super) guard: Guard,
}

/// Ends by itself soon after ldap3 has closed its side.
pub(super) struct Guard {
    ended: Arc<OnceLock<String>>,
    pub(super) relay: JoinHandle<()>,
}

impl Guard {
    /// Why the connection ended, if it has.
    pub(super) fn ended(&self) -> Option<&String> {
        self.ended.get()
    }
}

/// Puts ldap3 behind a guard.
pub(super) async fn guarded(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
) -> Result<Guarded, String> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
    let theirs = theirs.into_std().map_err(|error| error.to_string())?;
    let settings = LdapConnSettings::new().set_std_stream(StdStream::Unix(theirs));
    let made = LdapConnAsync::with_settings(settings, "ldapi://guard").await;
    let (connection, ldap) = made.map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        if let Err(error) = connection.drive().await {
            tracing::debug!("a connection ended: {error}");
        }
    });
    let ended = Arc::<OnceLock<String>>::default();
    let end = Arc::clone(&ended);
    let relay = tokio::spawn(relay(stream, ours, end));
    let guard = Guard { ended, relay };
    Ok(Guarded { ldap, guard })
}

async fn relay(
    stream: impl AsyncRead + AsyncWrite,
    ours: UnixStream,
    ended: Arc<OnceLock<String>>,
) {
    let (from_server, mut to_server) = split(stream);
    let (mut requests, mut answers) = ours.into_split();
    let pass = async {
        let mut from_server = BufReader::new(from_server);
        loop {
            match message::read(&mut from_server, message::LONGEST).await {
                Ok(message) => {
                    if let Err(error) = answers.write_all(&message).await {
                        return error.to_string();
                    }
                }
                Err(why) => return why,
            }
        }
    };
    let why = tokio::select! {
        why = pass => why,
        copied = copy(&mut requests, &mut to_server) => match copied {
            Ok(_) => "we closed the connection".to_owned(),
            Err(error) => error.to_string(),
        },
    };
    // Before ldap3 notices: whoever waits for an answer then asks why.
    let _ = ended.set(why);
    drop((requests, answers));
    let _ = to_server.shutdown().await;
}
