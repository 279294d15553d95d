//! Which server next? In the order of the configuration, those that failed lately last.

use std::collections::VecDeque;
use std::sync::Arc;

use countersign_sdk::Cx;

use super::domain::Domain;
use super::failure::Failure;
use super::health::Advice;
use super::server::Server;
use crate::trouble::Trouble;

/// One entry of `url`.
pub(super) enum Source {
    Fixed(Arc<Server>),
    Domain(Domain),
}

pub(super) struct Servers {
    pub(super) sources: Vec<Source>,
    pub(super) cx: Cx,
}

/// One request's way from server to server.
pub(super) struct Tour {
    now: VecDeque<Arc<Server>>,
    /// Those that failed lately; asked if all others fail, too.
    later: VecDeque<Arc<Server>>,
    is_single: bool,
    reasons: Vec<String>,
}

impl Servers {
    pub(super) async fn tour(&self) -> Result<Tour, Trouble> {
        let mut all = Vec::new();
        let mut reasons = Vec::new();
        for source in &self.sources {
            match source {
                Source::Fixed(server) => all.push(Arc::clone(server)),
                Source::Domain(domain) => match domain.servers().await {
                    Ok(servers) => all.extend(servers),
                    Err(trouble) => reasons.push(trouble.to_string()),
                },
            }
        }
        let mut tour = Tour {
            is_single: all.len() == 1,
            now: VecDeque::new(),
            later: VecDeque::new(),
            reasons,
        };
        if tour.is_single {
            // There is nowhere else to go.
            tour.now.extend(all);
            return Ok(tour);
        }
        for server in all {
            match server.advice() {
                Advice::Use => tour.now.push_back(server),
                Advice::Probe => {
                    let probed = Arc::clone(&server);
                    self.cx.spawn(async move { probed.probe().await });
                    tour.later.push_back(server);
                }
                Advice::Aside => tour.later.push_back(server),
            }
        }
        Ok(tour)
    }

    /// All that are known now.
    pub(super) fn known(&self) -> Vec<Arc<Server>> {
        let mut all = Vec::new();
        for source in &self.sources {
            match source {
                Source::Fixed(server) => all.push(Arc::clone(server)),
                Source::Domain(domain) => all.extend(domain.known()),
            }
        }
        all
    }
}

impl Tour {
    /// The next server, and whether there is no other to go to.
    pub(super) fn next(&mut self) -> Option<(Arc<Server>, bool)> {
        match self.now.pop_front() {
            Some(server) => Some((server, self.is_single)),
            None => self.later.pop_front().map(|server| (server, true)),
        }
    }

    /// That one failed. An error: the others would say the same.
    pub(super) fn failed(&mut self, server: &Arc<Server>, failure: Failure) -> Result<(), Trouble> {
        if !failure.is_outage() {
            return Err(failure.trouble(&server.name));
        }
        if matches!(failure, Failure::Crowded) {
            self.later.push_back(Arc::clone(server));
        } else {
            server.put_aside(&failure);
            self.reasons.push(failure.trouble(&server.name).to_string());
        }
        if !self.now.is_empty() || !self.later.is_empty() {
            server.metrics.failover(&server.name);
        }
        Ok(())
    }

    /// All failed.
    pub(super) fn trouble(self) -> Trouble {
        Trouble::Unavailable(self.reasons.join("; "))
    }
}
