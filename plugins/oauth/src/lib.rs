//! Users of an OpenID or OAuth provider.
//!
//! A bearer token in a straight line: [`bearer`] verifies it with what [`provider`] knows of
//! its issuer, and [`people`] makes a user of its claims. A login in the browser: [`login`]
//! leads there and back, and its ID token takes the same way. `presets` holds what is known
//! of each provider; `check` says what is wrong with the `config`.

mod bearer;
mod check;
mod config;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod login;
mod people;
mod presets;
mod provider;
mod settings;
mod trouble;

use std::sync::Arc;

use countersign_sdk::prelude::*;
use countersign_sdk::{BeginLogin, FinishLogin, LoggedIn, LoginStart, Logout};

use bearer::Bearer;
pub use config::Config;
use login::Login;
use people::People;
use provider::Provider;

/// A backend over one provider.
pub struct OAuth {
    provider: Arc<Provider>,
    people: Arc<People>,
    bearer: Bearer,
    login: Login,
}

impl Configure for OAuth {
    type Config = Config;

    async fn configure(config: Config, cx: Cx) -> Result<Self> {
        let settings = Arc::new(check::settings(config)?);
        let provider = Arc::new(Provider::open(&settings, &cx)?);
        let people = Arc::new(People::new(&settings));
        Ok(OAuth {
            bearer: Bearer::new(&settings, &provider),
            login: Login::new(&settings, &provider),
            provider,
            people,
        })
    }
}

impl AuthPlugin for OAuth {
    async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        let Some(token) = request.bearer() else {
            return Ok(None);
        };
        let identity = self.bearer.identify(&token, &request).await?;
        identity
            .map(|identity| self.people.user(&identity))
            .transpose()
    }

    fn capabilities(&self) -> Capabilities {
        let mut offered = Capabilities::default();
        offered.bearer = true;
        offered.browser = self.login.is_offered();
        offered
    }

    async fn begin_login(&self, login: BeginLogin) -> Result<LoginStart> {
        self.login.begin(login).await
    }

    async fn finish_login(&self, login: FinishLogin) -> Result<LoggedIn> {
        let (identity, private) = self.login.finish(login).await?;
        Ok(LoggedIn::new(self.people.user(&identity)?, private))
    }

    async fn logout_url(&self, logout: Logout) -> Result<Option<String>> {
        self.login.logout_url(logout).await
    }

    async fn health(&self) -> Result<()> {
        self.provider.health().await
    }
}

export_plugin!(OAuth);
