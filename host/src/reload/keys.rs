//! Keys change here alone, between two reloads and never during one: as an operator asks, and as
//! the time brings it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

use super::Reloader;
use crate::keyring::{Keyring, KeyringError};
use crate::keys::{Asked, KeyError};
use crate::metering;

/// At least this often another host's changes, revoked tokens and a clock that was set are seen.
const LONGEST: Duration = Duration::from_secs(60);
/// After a failure.
const AGAIN: Duration = Duration::from_secs(15);
/// However much is due.
const SHORTEST: Duration = Duration::from_millis(50);

/// When the keys are to be looked at again.
#[derive(Debug)]
pub struct Due {
    pause: Duration,
    changed: Option<watch::Receiver<u64>>,
}

impl Due {
    /// Ends when something is due, or when another host has changed the keys.
    pub async fn passed(mut self) {
        let changed = async {
            if let Some(changed) = &mut self.changed
                && changed.changed().await.is_ok()
            {
                return;
            }
            std::future::pending().await
        };
        let _ = tokio::time::timeout(self.pause, changed).await;
    }
}

impl Reloader {
    /// Does what an operator asks; the answer is for him, line by line. Whoever signs or verifies
    /// from then on does so with the keys that came of it.
    ///
    /// # Errors
    /// [`KeyringError`]: the keys are as before.
    pub async fn order(&mut self, asked: &Asked) -> Result<Vec<String>, KeyringError> {
        let audience = asked.audience.as_deref();
        let (done, rings) = self.keyring()?.obey(audience, &asked.order).await?;
        self.live.latest().tokens.keys.replace(rings);
        Ok(done.told)
    }

    /// Does what is due, and sees what other hosts have changed. Whoever called calls again when
    /// the answer's [`passed`](Due::passed) ends.
    pub async fn tick(&mut self) -> Due {
        // Listens first: what another host changes meanwhile is seen by the next tick.
        let serving = self.live.latest();
        let store = serving.tokens.accounts.store();
        let changed = store.map(|store| store.rings_changed());
        let ticked = match self.keyring() {
            Ok(keyring) => keyring.tick().await,
            Err(error) => Err(error.into()),
        };
        let pause = match ticked {
            Ok(ticked) => {
                serving.tokens.keys.replace(ticked.rings);
                pause(ticked.next)
            }
            Err(error) => {
                metering::keys_changed("", "failed");
                tracing::error!(%error, help = error.help(), "the keys stay what they are");
                AGAIN
            }
        };
        Due { pause, changed }
    }

    fn keyring(&self) -> Result<Keyring, KeyError> {
        let latest = self.live.latest();
        let store = latest.tokens.accounts.store();
        let told = |step: &str| tracing::info!("{step}");
        Keyring::new(&self.config, store, told)
    }
}

/// Until a time in seconds since 1970.
fn pause(next: Option<i64>) -> Duration {
    let at = next.and_then(|next| u64::try_from(next).ok());
    let at = at.map(|at| UNIX_EPOCH + Duration::from_secs(at));
    let left = at.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
    left.unwrap_or(LONGEST).clamp(SHORTEST, LONGEST)
}
