//! What a reload has replaced, and what still runs of it: the last requests inside it, then
//! its backends, which are told to finish.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::backends::Registry;
use crate::backends::backend::Backend;
use crate::backends::supervisor::{self, Plan};
use crate::live::Leaving;

/// How long the end of the process waits for them.
const LAST: Duration = Duration::from_secs(10);

/// The replaced graphs of this process. Copies are the same.
#[derive(Debug, Clone, Default)]
pub struct Drains(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    draining: Vec<Draining>,
    /// Plugin and hash of exclusive backends that were told to finish and never said that
    /// they did: what they hold, they may hold to the end of the process.
    held: Vec<(String, String)>,
}

#[derive(Debug)]
struct Draining {
    backends: Registry,
    /// Closed at the end.
    ended: watch::Receiver<()>,
}

impl Drains {
    /// Tells the backends to finish when the last request has left.
    pub fn add(&self, leaving: Leaving, backends: Registry) {
        let (running, ended) = watch::channel(());
        let draining = Draining {
            backends: backends.clone(),
            ended: ended.clone(),
        };
        self.state().draining.push(draining);
        let drains = self.clone();
        tokio::spawn(async move {
            leaving.all_left().await;
            drains.holding(&supervisor::retire(backends.iter()).await);
            let mut state = drains.state();
            state.draining.retain(|one| !one.ended.same_channel(&ended));
            drop(running);
        });
    }

    /// Remembers, of backends that did not finish, those whose files nobody else may open.
    pub fn holding(&self, unfinished: &[&Backend]) {
        let exclusive = unfinished
            .iter()
            .filter(|backend| backend.capabilities.exclusive);
        let held = exclusive.map(|backend| {
            let sha256 = backend.plugin.library.sha256().to_owned();
            (backend.settings.plugin.clone(), sha256)
        });
        self.state().held.extend(held);
    }

    /// A plugin whose files an old copy may still hold, and which the plan brings a new copy of.
    pub fn held(&self, plan: &Plan) -> Option<String> {
        let state = self.state();
        let mut held = state.held.iter();
        let held = held.find(|(plugin, sha256)| plan.brings_another_copy(plugin, sha256));
        held.map(|(plugin, _)| plugin.clone())
    }

    /// Waits for the end of those that the plan cannot live beside.
    pub async fn make_room(&self, plan: &Plan) {
        self.wait(|backends| !plan.displaces(backends).is_empty())
            .await;
    }

    /// Waits for the end of all, but no longer than some seconds: the process ends.
    pub async fn all_ended(&self) {
        if timeout(LAST, self.wait(|_| true)).await.is_err() {
            tracing::warn!("backends from before a reload did not end in time");
        }
    }

    async fn wait(&self, which: impl Fn(&Registry) -> bool) {
        let ends: Vec<_> = {
            let state = self.state();
            let chosen = state.draining.iter().filter(|one| which(&one.backends));
            chosen.map(|one| one.ended.clone()).collect()
        };
        // The other end is never used, only dropped.
        join_all(
            ends.into_iter()
                .map(|mut end| async move { end.changed().await.is_err() }),
        )
        .await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
