//! What a login holds of a connection: a share of the service account's, or one of its own
//! that a user is bound on.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::core::Core;
use super::failure::Failure;
use super::lines::Lease;
use super::server::{Known, Server};
use super::spares::Own;
use crate::config::Depth;
use crate::entry::Entry;
use crate::filter::Filter;
use crate::trouble::Trouble;

/// A search.
pub(crate) struct Query<'a> {
    pub(crate) base: &'a str,
    pub(crate) depth: Reach,
    pub(crate) filter: &'a Filter,
    pub(crate) attributes: &'a [&'a str],
    /// More entries than this are an error.
    pub(crate) most: usize,
}

/// How far a search reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Base,
    One,
    Subtree,
}

/// An open connection, or a share of one. What is asked on it has a time limit each.
pub(crate) struct Session {
    held: Held,
    core: Arc<Core>,
}

enum Held {
    Share(Lease),
    Own(Box<Own>),
}

impl Session {
    pub(super) fn of_service(lease: Lease, core: &Arc<Core>) -> Self {
        Session {
            held: Held::Share(lease),
            core: Arc::clone(core),
        }
    }

    pub(super) fn of_user(own: Own, core: &Arc<Core>) -> Self {
        Session {
            held: Held::Own(Box::new(own)),
            core: Arc::clone(core),
        }
    }

    /// All entries that match, references to other servers left out. Paged where the server
    /// can. Where the service account's connection turns out dead, once more on another, and
    /// where the server does, at the next one.
    pub(crate) async fn search(&mut self, query: &Query<'_>) -> Result<Vec<Entry>, Trouble> {
        let (mut may_be_stale, mut may_go_on) = (true, true);
        loop {
            let failure = match self.attempt(query).await {
                Ok(found) => return Ok(found),
                Err(failure) => failure,
            };
            let server = Arc::clone(self.at());
            // The first lost connection may have lain there dead; a second one is the server's fault.
            let is_stale = mem::take(&mut may_be_stale) && matches!(failure, Failure::Lost(_));
            if failure.is_outage() && !is_stale {
                server.put_aside(&failure);
            }
            let is_shared = matches!(self.held, Held::Share(_));
            if !failure.is_outage() || !is_shared || !(is_stale || mem::take(&mut may_go_on)) {
                return Err(failure.trouble(&server.name));
            }
            server.lines.distrust();
            self.held = Held::Share(self.core.lease().await?);
        }
    }

    async fn attempt(&mut self, query: &Query<'_>) -> Result<Vec<Entry>, Failure> {
        let server = Arc::clone(self.at());
        let pages = server.known().is_some_and(|known| known.pages);
        let limit = server.timeouts.operation;
        let begun = Instant::now();
        let found = match &mut self.held {
            Held::Share(lease) => lease.wire().search(query, pages, limit).await,
            Held::Own(own) => match own.begin() {
                Some(wire) => {
                    let found = wire.search(query, pages, limit).await;
                    own.done();
                    found
                }
                None => Err(Failure::Lost("the connection is closed".to_owned())),
            },
        };
        let result = found.as_ref().map(drop);
        server
            .metrics
            .searched(&server.name, result, begun.elapsed());
        found
    }

    /// Does the root DSE answer?
    pub(super) async fn check(&self) -> Result<(), Failure> {
        match &self.held {
            Held::Share(lease) => self.at().root(lease.wire(), &["1.1"]).await.map(drop),
            Held::Own(_) => Ok(()),
        }
    }

    /// The server behind it.
    pub(crate) fn server(&self) -> &str {
        &self.at().name
    }

    /// Is it Active Directory, whose ways are its own?
    pub(crate) fn is_active_directory(&self) -> bool {
        self.known().active_directory
    }

    fn known(&self) -> Known {
        self.at().known().unwrap_or_default()
    }

    pub(super) fn at(&self) -> &Arc<Server> {
        match &self.held {
            Held::Share(lease) => &lease.server,
            Held::Own(own) => &own.server,
        }
    }
}

impl From<Depth> for Reach {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Subtree => Reach::Subtree,
            Depth::One => Reach::One,
        }
    }
}
