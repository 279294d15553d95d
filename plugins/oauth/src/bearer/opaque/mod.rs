//! Tokens that only the provider can read: it is asked about each.

mod answer;
mod answers;
mod github;
mod gitlab;
mod google;
mod introspection;
mod request;
mod userinfo;

use std::sync::Arc;
use std::time::Instant;

use countersign_sdk::Secret;
use countersign_sdk::prelude::*;

use crate::people::Identity;
use crate::provider::{Provider, now};
use crate::settings::{Opaque, Settings};
use crate::trouble::Trouble;
use answers::Answers;

/// Asks about tokens.
pub(super) struct Asker {
    settings: Arc<Settings>,
    provider: Arc<Provider>,
    answers: Answers,
}

/// What came of asking.
enum Verdict {
    /// It is good until then, as far as anybody knows: seconds since 1970.
    Good(Identity, Option<u64>),
    /// It is not; the reason, for the log alone.
    Bad(String),
    /// The provider offers no such question.
    NotAsked,
}

type Asked = Result<Verdict, Trouble>;

impl Asker {
    pub(super) fn new(settings: &Arc<Settings>, provider: &Arc<Provider>) -> Self {
        Asker {
            settings: Arc::clone(settings),
            provider: Arc::clone(provider),
            answers: Answers::new(settings.opaque_cache),
        }
    }

    /// Whose token it is; none = this provider is not asked about such tokens.
    pub(super) async fn identify(&self, token: &Secret) -> Result<Option<Identity>> {
        if self.settings.opaque == Opaque::Off {
            return Ok(None);
        }
        if let Some(identity) = self.answers.find(token.expose(), now()) {
            self.provider.metrics.asked("remembered", 0.0);
            return Ok(Some(identity));
        }
        let started = Instant::now();
        let asked = self.ask(token).await;
        let outcome = match &asked {
            Ok(Verdict::Good(..)) => "accepted",
            Ok(Verdict::Bad(_)) => "refused",
            Ok(Verdict::NotAsked) => return Ok(None),
            Err(_) => "unavailable",
        };
        let seconds = started.elapsed().as_secs_f64();
        self.provider.metrics.asked(outcome, seconds);
        match asked? {
            Verdict::Good(identity, until) => {
                self.answers.keep(token.expose(), &identity, until, now());
                Ok(Some(identity))
            }
            Verdict::Bad(why) => Err(AuthError::denied(format!("bearer token refused: {why}"))),
            Verdict::NotAsked => Ok(None),
        }
    }

    async fn ask(&self, token: &Secret) -> Asked {
        let (provider, settings, text) = (&self.provider, &self.settings, token.expose());
        match settings.opaque {
            Opaque::Off => Ok(Verdict::NotAsked),
            Opaque::Introspection => introspection::ask(provider, settings, text).await,
            Opaque::UserInfo => userinfo::ask(provider, settings, text).await,
            Opaque::GitHub => github::ask(provider, settings, token).await,
            Opaque::GitLab => gitlab::ask(provider, settings, text).await,
            Opaque::Google => google::ask(provider, settings, text).await,
        }
    }
}
