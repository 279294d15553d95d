//! One connection: what can be asked on it, each under the operation's time limit.

use std::time::Duration;

use countersign_sdk::Secret;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry};

use crate::config::{Depth, Timeouts};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::trouble::{Answer, Trouble};

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

/// An open connection. It belongs to whoever was bound last.
pub(crate) struct Session {
    ldap: Ldap,
    server: String,
    operation: Duration,
}

impl Session {
    pub(super) async fn connect(
        url: &str,
        start_tls: bool,
        timeouts: Timeouts,
    ) -> Result<Self, Trouble> {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(timeouts.connect)
            .set_starttls(start_tls);
        let (connection, ldap) = LdapConnAsync::with_settings(settings, url)
            .await
            .map_err(|error| unavailable(url, &error))?;
        ldap3::drive!(connection);
        Ok(Session {
            ldap,
            server: url.to_owned(),
            operation: timeouts.operation,
        })
    }

    /// Binds; an empty password never reaches the server, which would take it for "nobody".
    pub(crate) async fn bind(&mut self, name: &str, password: &Secret) -> Result<(), Trouble> {
        let bound = self
            .ldap
            .with_timeout(self.operation)
            .simple_bind(name, password.expose())
            .await;
        let result = bound.map_err(|error| unavailable(&self.server, &error))?;
        self.success(result)
    }

    /// All entries that match, references to other servers left out.
    pub(crate) async fn search(&mut self, query: &Query<'_>) -> Result<Vec<Entry>, Trouble> {
        let scope = match query.depth {
            Reach::Base => Scope::Base,
            Reach::One => Scope::OneLevel,
            Reach::Subtree => Scope::Subtree,
        };
        let attributes = query.attributes.to_vec();
        let found = self
            .ldap
            .with_timeout(self.operation)
            .search(query.base, scope, query.filter.as_str(), attributes)
            .await;
        let found = found.map_err(|error| unavailable(&self.server, &error))?;
        self.success(found.1)?;
        let own = found
            .0
            .into_iter()
            .filter(|entry| !entry.is_ref() && !entry.is_intermediate());
        Ok(own
            .map(|entry| entry_of(SearchEntry::construct(entry)))
            .collect())
    }

    /// The server behind it.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    fn success(&self, result: LdapResult) -> Result<(), Trouble> {
        if result.rc == 0 {
            return Ok(());
        }
        Err(Trouble::Answer(Answer {
            code: result.rc,
            text: result.text,
            referrals: result.refs,
            policy: None,
            server: self.server.clone(),
        }))
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

fn entry_of(entry: SearchEntry) -> Entry {
    let texts = entry
        .attrs
        .into_iter()
        .map(|(name, values)| (name, values.into_iter().map(String::into_bytes).collect()));
    Entry::new(entry.dn, texts.chain(entry.bin_attrs))
}

fn unavailable(server: &str, error: &LdapError) -> Trouble {
    Trouble::Unavailable(format!("{server}: {error}"))
}
