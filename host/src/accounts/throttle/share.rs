//! Hosts on one store count together: each tells the others what it has counted, a few times a
//! second. What a lost connection swallows is not told again: a count is worth a minute.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use super::events::{self, Event};
use super::keyed::Keyed;
use super::{Counts, Throttle};
use crate::accounts::store::{Store, StoreError};

/// Between two messages.
const PAUSE: Duration = Duration::from_millis(200);

impl Throttle {
    /// The same with nothing counted yet, counting together with the other hosts of a store;
    /// alone, where it has none.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn sharing(self, store: &Arc<Store>) -> Result<Self, StoreError> {
        if !store.is_shared() {
            return Ok(self);
        }
        let secret = store.secret("throttle").await?;
        let counts = Counts {
            events: Some(events::Events::default()),
            ..Counts::new(&self.limits)
        };
        let counts = Arc::new(Mutex::new(counts));
        let (told, talking) = (store.told(), Arc::downgrade(store));
        tokio::spawn(listen(Arc::downgrade(&counts), told));
        tokio::spawn(talk(Arc::downgrade(&counts), talking));
        Ok(Throttle {
            counts,
            hasher: Keyed::with(&secret),
            ..self
        })
    }
}

async fn listen(counts: Weak<Mutex<Counts>>, mut told: Receiver<Arc<str>>) {
    loop {
        let text = match told.recv().await {
            Ok(text) => text,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        let Some(counts) = counts.upgrade() else {
            return;
        };
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        events::events(&text)
            .into_iter()
            .for_each(|event| counts.apply(event, now));
    }
}

async fn talk(counts: Weak<Mutex<Counts>>, store: Weak<Store>) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut number = 0;
    loop {
        ticks.tick().await;
        let (Some(counts), Some(store)) = (counts.upgrade(), store.upgrade()) else {
            return;
        };
        let waiting = {
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.events.as_mut().map(events::Events::take)
        };
        drop(counts);
        let texts = events::texts(&waiting.unwrap_or_default(), number);
        number += texts.len() as u64;
        // Out of sight, they would wait for nothing.
        if !texts.is_empty() && store.outage().is_none() {
            let _ = store.tell(texts.into_iter()).await;
        }
    }
}

impl Counts {
    /// Counts what another host has counted.
    fn apply(&mut self, event: Event, now: Instant) {
        match event {
            Event::Address(key) => {
                let limit = self.limits.address();
                self.addresses.count(key, &limit, None, now);
            }
            Event::User(key, link) => {
                let limit = self.limits.user();
                self.users.count(key, &limit, link, now);
            }
            Event::Cleared(key) => {
                self.users.clear(key);
            }
        }
    }
}
