//! The settings as the rest of the plugin works with them: preset and configuration put
//! together, checked.

use std::time::Duration;

use countersign_sdk::Secret;
use countersign_verify::Algorithm;
use url::Url;

use crate::people::Reading;

/// What every part works with.
pub(crate) struct Settings {
    /// Its `iss`, to the letter; what users' ids say, too.
    pub(crate) issuer: String,
    /// Further values of `iss` that the same keys sign: the older issuer of an Azure tenant. Exact texts, never
    /// patterns.
    pub(crate) more_issuers: Vec<String>,
    /// Where its metadata and endpoints are.
    pub(crate) endpoints: Endpoints,
    /// Accepted values of `aud`.
    pub(crate) audiences: Vec<String>,
    /// Accepted signature algorithms.
    pub(crate) algorithms: Vec<Algorithm>,
    /// How far the provider's clock may differ.
    pub(crate) leeway: Duration,
    /// This server as a client of the provider.
    pub(crate) client: Option<Client>,
    /// What tells who logged in in the browser.
    pub(crate) told_by: ToldBy,
    /// How a session at the provider is ended.
    pub(crate) logout_by: LogoutBy,
    /// How tokens that are no JWT are asked about.
    pub(crate) opaque: Opaque,
    /// How long a positive answer about such a token serves again; none = each use is asked about.
    pub(crate) opaque_cache: Option<Duration>,
    /// What is made of claims.
    pub(crate) reading: Reading,
    /// PEM: the only authorities that are believed.
    pub(crate) authorities: Option<Vec<u8>>,
    /// `http://` is allowed.
    pub(crate) plain_http: bool,
    /// The time for one request to the provider.
    pub(crate) timeout: Duration,
    /// How keys are cached.
    pub(crate) cache: Cache,
}

/// Where the provider is asked. What is given is never discovered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints {
    /// The discovery document; none = nothing is discovered.
    pub(crate) discovery: Option<Url>,
    pub(crate) jwks: Option<Url>,
    pub(crate) authorization: Option<Url>,
    pub(crate) token: Option<Url>,
    pub(crate) userinfo: Option<Url>,
    pub(crate) introspection: Option<Url>,
    pub(crate) end_session: Option<Url>,
}

/// This server as a client of the provider.
pub(crate) struct Client {
    pub(crate) id: String,
    /// None = a public client.
    pub(crate) secret: Option<Secret>,
    /// How the secret is sent: in the body instead of `Authorization: Basic` (RFC 6749 section 2.3.1).
    pub(crate) secret_in_body: bool,
    pub(crate) scopes: Vec<String>,
    /// Further parameters of the authorization request, such as `prompt` or `hd`.
    pub(crate) parameters: Vec<(String, String)>,
}

/// What tells who logged in in the browser, once the code is a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ToldBy {
    /// The ID token.
    IdToken,
    /// GitHub has none: its API, asked with the access token (`people::github`).
    Github,
}

/// How a session at the provider is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogoutBy {
    /// At its end-session endpoint, if it has one (OpenID Connect RP-Initiated Logout 1.0).
    EndSession,
    /// The same; where there is none, at `/v2/logout`.
    Auth0,
    /// At `/logout`, which has parameters of its own.
    Cognito,
}

/// How tokens that are no JWT are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opaque {
    /// They are not this backend's.
    Off,
    /// RFC 7662; as `Off` where the provider has no such endpoint.
    Introspection,
    /// OpenID Connect Core section 5.3: whoever's client the token was issued to.
    UserInfo,
    /// GitHub: `POST /applications/{client_id}/token` (`endpoints.introspection`, the id filled in)
    /// says whether the token is our application's, and whose it is.
    GitHub,
    /// GitLab: `GET /oauth/token/info` (`endpoints.introspection`) says for which application it
    /// is, `endpoints.userinfo` whose.
    GitLab,
    /// Google: `tokeninfo` (`endpoints.introspection`) says for which client it is,
    /// `endpoints.userinfo` whose.
    Google,
}

/// Times of the caches for keys and metadata.
pub(crate) struct Cache {
    /// The least time between two fetches.
    pub(crate) refetch: Duration,
    /// The longest time that something is used without asking again.
    pub(crate) fresh: Duration,
    /// How long what cannot be renewed is used.
    pub(crate) stale: Duration,
}
