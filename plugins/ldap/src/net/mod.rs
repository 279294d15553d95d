//! Connections to the directory: which server, how reached, whose, and for how long.

mod session;

use countersign_sdk::{AuthError, Cx, Result, Secret};

use crate::config::Config;
use crate::trouble::Trouble;
pub(crate) use session::{Query, Reach, Session};

/// The servers of one backend.
pub(crate) struct Directory {
    url: String,
    start_tls: bool,
    timeouts: crate::config::Timeouts,
    account: Option<(String, Secret)>,
}

impl Directory {
    /// Reads what the settings name; connects to nothing.
    pub(crate) fn open(config: &Config, _cx: &Cx) -> Result<Self> {
        let url = config.url.as_slice().first();
        let url = url.ok_or_else(|| AuthError::invalid("url: expected at least one server"))?;
        let password = config.bind_password.clone();
        Ok(Directory {
            url: url.clone(),
            start_tls: config.start_tls,
            timeouts: config.timeouts,
            account: config.bind_dn.clone().zip(password),
        })
    }

    /// A connection that the service account is bound on.
    pub(crate) async fn service(&self) -> Result<Session, Trouble> {
        let mut session = self.connect().await?;
        if let Some((dn, password)) = &self.account {
            session.bind(dn, password).await?;
        }
        Ok(session)
    }

    /// A connection of its own, bound as this user.
    pub(crate) async fn bind(&self, name: &str, password: &Secret) -> Result<Session, Trouble> {
        let mut session = self.connect().await?;
        session.bind(name, password).await?;
        Ok(session)
    }

    /// Does any server answer?
    pub(crate) async fn health(&self) -> Result<(), Trouble> {
        self.service().await.map(drop)
    }

    async fn connect(&self) -> Result<Session, Trouble> {
        Session::connect(&self.url, self.start_tls, self.timeouts).await
    }
}
