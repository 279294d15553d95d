//! The contract of a plugin.

use std::future::{Future, ready};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::login::{BeginLogin, FinishLogin, LoggedIn, LoginStart, Logout};
use crate::provision::{Provision, Provisioned};
use crate::{AuthError, Cx, Result, TokenRequest, User};

/// An authentication plugin: decide who is asking. The host signs.
///
/// # Life
///
/// 1. **verify**: the host checks the file's owner, mode and pin.
/// 2. **inspect**: it reads the file's ELF tables and `.countersign` section.
/// 3. **open**: the file is mapped; nothing of the author's runs yet.
/// 4. **check**: ABI version and layout are compared.
/// 5. **configure**: the configuration is checked against the schema of
///    [`Configure::Config`]; then [`Configure::configure`] runs, under a time limit.
///    It runs once per configured backend; instances share nothing but the library.
/// 6. **ready**: [`create_token`](Self::create_token) is called, many at once.
/// 7. **draining**: no new calls; those in flight go on.
/// 8. **retired**: [`shutdown`](Self::shutdown), then the instance is dropped, on the
///    library's runtime; the host waits for the first, not for the second. The
///    library stays mapped as long as the host lives.
///
/// # Calls
///
/// Every call runs on the library's own tokio runtime and is aborted when the
/// host stops waiting, so keep no half-done state across an `await`. A panic is
/// answered as a fault of that call alone.
///
/// Never block in a call: all instances of the library share a few threads, and as many
/// blocked calls stop them all, even the aborted ones. Work that burns CPU or must block
/// (a password hash, a library without `async`) belongs into [`Cx::cpu`](crate::Cx::cpu).
pub trait AuthPlugin: Configure + Send + Sync + 'static {
    /// Decides who is asking.
    ///
    /// `Ok(Some(user))`: this user. `Ok(None)`: not my kind of request, or not my
    /// user; the next backend is asked. `Err`: see [`AuthError`] for what to say when.
    fn create_token(
        &self,
        request: TokenRequest,
    ) -> impl Future<Output = Result<Option<User>>> + Send;

    /// What this instance offers beyond `create_token`.
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            password: true,
            ..Capabilities::default()
        }
    }

    /// Where a login in the browser begins; see [`BeginLogin`].
    fn begin_login(&self, _login: BeginLogin) -> impl Future<Output = Result<LoginStart>> + Send {
        ready(Err(AuthError::not_supported("begin_login")))
    }

    /// Who came back from the provider; see [`FinishLogin`].
    fn finish_login(&self, _login: FinishLogin) -> impl Future<Output = Result<LoggedIn>> + Send {
        ready(Err(AuthError::not_supported("finish_login")))
    }

    /// Where the browser ends the provider's session, too; `None` = nowhere.
    fn logout_url(&self, _logout: Logout) -> impl Future<Output = Result<Option<String>>> + Send {
        ready(Ok(None))
    }

    /// Finds or registers a user of another backend; see [`Provision`]. Answer
    /// [`AuthError::denied`] where he must not come in: inactive, unknown and not to be
    /// registered, his name taken.
    fn provision(&self, _user: Provision) -> impl Future<Output = Result<Provisioned>> + Send {
        ready(Err(AuthError::not_supported("provision")))
    }

    /// Management of the plugin's own users, behind `countersign users …`.
    /// `operation` is `user_add`, `user_list`, `user_passwd` or `user_import`.
    fn manage(
        &self,
        operation: &str,
        _arguments: Value,
    ) -> impl Future<Output = Result<Value>> + Send {
        ready(Err(AuthError::not_supported(operation)))
    }

    /// What a look-up of this user would find, without credentials.
    /// One who may not come in is [`AuthError::denied`], or, where more is known of him, a
    /// user with the attributes `active: false` and `inactive`, which says why.
    fn lookup(&self, _username: &str) -> impl Future<Output = Result<Option<User>>> + Send {
        ready(Err(AuthError::not_supported("lookup")))
    }

    /// Is the directory, database or provider behind this instance reachable?
    fn health(&self) -> impl Future<Output = Result<()>> + Send {
        ready(Ok(()))
    }

    /// The last call: write what must be written. The host waits a short while.
    fn shutdown(&self) -> impl Future<Output = ()> + Send {
        ready(())
    }
}

/// From configuration to an instance.
///
/// A type that derives `Deserialize` and `JsonSchema` is its own configuration
/// and gets this for nothing. Implement it by hand where an instance holds more
/// than its settings: a connection pool, a client.
///
/// ```
/// use countersign_sdk::prelude::*;
/// use tokio::{net::TcpStream, sync::Mutex};
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(crate = "countersign_sdk::serde", deny_unknown_fields)]
/// #[schemars(crate = "countersign_sdk::schemars")]
/// struct Settings {
///     /// Host and port of the door's server.
///     server: String,
/// }
///
/// struct Door {
///     server: Mutex<TcpStream>,
/// }
///
/// impl Configure for Door {
///     type Config = Settings;
///
///     async fn configure(config: Settings, _: Cx) -> Result<Self> {
///         if !config.server.contains(':') {
///             return Err(AuthError::invalid("`server` needs a port"));
///         }
///         let connected = TcpStream::connect(&config.server).await;
///         let server = connected.map_err(|error| AuthError::unavailable(error.to_string()))?;
///         Ok(Door { server: Mutex::new(server) })
///     }
/// }
/// ```
///
/// The settings are then a type of their own. A type that derives both `Deserialize`
/// and `JsonSchema` has this trait already, and a second `impl` does not compile:
///
/// ```compile_fail,E0119
/// use countersign_sdk::prelude::*;
///
/// #[derive(Deserialize, JsonSchema)]
/// #[serde(crate = "countersign_sdk::serde")]
/// #[schemars(crate = "countersign_sdk::schemars")]
/// struct Door {}
///
/// impl Configure for Door {
///     type Config = Door;
///
///     async fn configure(config: Door, _: Cx) -> Result<Self> {
///         Ok(config)
///     }
/// }
/// ```
pub trait Configure: Sized {
    /// The settings. Their JSON Schema decides what `countersign check` accepts;
    /// doc comments become the operator's documentation.
    type Config: DeserializeOwned + JsonSchema + Send;

    /// Makes an instance. Report a wrong setting with [`AuthError::invalid`], an
    /// unreachable server with [`AuthError::unavailable`].
    fn configure(config: Self::Config, cx: Cx) -> impl Future<Output = Result<Self>> + Send;
}

impl<T: DeserializeOwned + JsonSchema + Send> Configure for T {
    type Config = T;

    fn configure(config: T, _: Cx) -> impl Future<Output = Result<T>> + Send {
        ready(Ok(config))
    }
}

/// What an instance offers. More may be added later, so there is no literal of it:
///
/// ```
/// use countersign_sdk::Capabilities;
///
/// let mut offers = Capabilities::password();
/// offers.lookup = true;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Capabilities {
    /// Understands `{"username", "password"}`.
    pub password: bool,
    /// Understands `Authorization: Bearer`.
    pub bearer: bool,
    /// Offers a login in the browser.
    pub browser: bool,
    /// Can find or register users for other backends.
    pub provision: bool,
    /// Offers `countersign users …`.
    pub manage: bool,
    /// Offers a look-up without credentials.
    pub lookup: bool,
    /// Two instances must not hold the same file: this one is shut down before its successor starts.
    pub exclusive: bool,
    /// Its own user table was just made and is empty: the host adds the first administrator.
    pub fresh: bool,
}

impl Capabilities {
    /// What every password plugin offers.
    pub fn password() -> Self {
        Capabilities {
            password: true,
            ..Capabilities::default()
        }
    }
}
