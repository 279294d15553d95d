//! The settings of a backend; their doc comments are the operator's documentation.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_sdk::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Users of one OpenID Connect or OAuth provider.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["provider", "issuer", "tenant", "domain", "audiences", "algorithms", "client_id", "client_secret", "claims", "tls", "allow_http"]))]
pub struct Config {
    /// What is known of the provider beforehand: a preset, or `custom` for any other.
    #[serde(default)]
    pub provider: Preset,
    /// The provider's `iss`, to the letter, as its discovery document says it. google, gitlab, github, and those
    /// with `tenant` or `domain`, need none.
    pub issuer: Option<String>,
    /// azure: the id of the directory, a GUID. Tokens of other tenants are refused.
    pub tenant: Option<String>,
    /// okta, auth0, aws-cognito, github and gitlab: the host that the issuer is made of, as in example.okta.com,
    /// example.eu.auth0.com; azure: the host of a national cloud, as in login.microsoftonline.us.
    pub domain: Option<String>,
    /// Accepted values of `aud`; a token needs one of them. Only google, gitlab, github and aws-cognito have a
    /// default, `client_id`: theirs are ID tokens for that client and nothing else.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Accepted signature algorithms: RS256 RS384 RS512 PS256 ES256 ES384 EdDSA. Needed with `custom`;
    /// each preset has RS256.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// This server's name at the provider: for logins in the browser and for introspection.
    /// Empty: bearer tokens only.
    #[serde(default)]
    pub client_id: String,
    /// Its password there; none for a public client.
    pub client_secret: Option<Secret>,
    /// How the password is sent.
    #[serde(default)]
    pub client_authentication: ClientAuthentication,
    /// What a login in the browser asks for. Default: `openid profile email`, and what the preset adds.
    pub scopes: Option<Vec<String>>,
    /// Further parameters of the authorization request, such as `prompt: select_account`. google's `hd` is
    /// demanded of the token, too.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Where in a token's claims a user's fields are.
    #[serde(default)]
    pub claims: Claims,
    /// Claims that a token must have: expression → its value, or several of which it must have one. As in
    /// `azp: airflow`.
    #[serde(default)]
    pub required: BTreeMap<String, OneOrMany>,
    /// Domains whose users may come in, exact as example.com or with everything below as *.example.com.
    /// Users without a verified address may not. Empty: all may.
    #[serde(default)]
    pub email_domains: Vec<String>,
    /// When an address is believed. Default: `required` with `email_domains`, else `unless_false`;
    /// azure, which never says, `unless_false`.
    pub email_verified: Option<EmailVerified>,
    /// OpenMetadata's jwtPrincipalClaims: the first of these claims that is there makes the user's name
    /// (what is before the `@`, in lower case) and address. In place of `claims.username` and `claims.email`.
    #[serde(default)]
    pub principal_claims: Vec<String>,
    /// OpenMetadata's jwtPrincipalClaimsMapping: `username:CLAIM` and `email:CLAIM`, both.
    #[serde(default)]
    pub principal_claims_mapping: Vec<String>,
    /// OpenMetadata's principalDomain: makes an address of a name from `principal_claims` that is none.
    pub principal_domain: Option<String>,
    /// How bearer tokens that are no JWT are asked about. Default: `introspection` where there is a
    /// `client_secret` and the provider offers it, else `off`.
    pub opaque: Option<Opaque>,
    /// The discovery document, where it is not at the issuer. Empty: nothing is discovered,
    /// and `endpoints` says all.
    pub discovery_url: Option<String>,
    /// Where the provider is asked. What is given here is not taken from the discovery document.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// How far the provider's clock may differ.
    #[serde(default = "leeway", deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-text", "default" = "30s"))]
    pub leeway: Duration,
    /// The time for one request to the provider.
    #[serde(default = "timeout", deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "5s"))]
    pub timeout: Duration,
    /// How long what the provider said is used.
    #[serde(default)]
    pub cache: Cache,
    /// Whom to believe about certificates.
    #[serde(default)]
    pub tls: Tls,
    /// Allows `http://` for issuer and endpoints: anybody on the way can then make tokens.
    #[serde(default)]
    pub allow_http: bool,
}

/// A provider that is known beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Any other.
    #[default]
    Custom,
    /// The same, as OpenMetadata calls it.
    CustomOidc,
    /// Google, Google Workspace.
    Google,
    /// Microsoft Entra ID (Azure Active Directory), one tenant.
    Azure,
    /// Okta.
    Okta,
    /// Auth0.
    Auth0,
    /// Keycloak, Red Hat build of Keycloak.
    Keycloak,
    /// authentik.
    Authentik,
    /// GitHub, GitHub Enterprise Server: no OpenID provider, so login in the browser only.
    Github,
    /// GitLab, also self-managed.
    Gitlab,
    /// Amazon Cognito user pools: ID tokens.
    AwsCognito,
}

/// How a client shows its password (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// `Authorization: Basic`.
    #[default]
    ClientSecretBasic,
    /// In the body.
    ClientSecretPost,
}

/// How tokens that are no JWT are asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Opaque {
    /// They are not this backend's.
    Off,
    /// RFC 7662, with `client_id` and `client_secret`.
    Introspection,
    /// OpenID Connect Core section 5.3. It cannot tell for whom a token was issued: any application that the
    /// provider's users log in to could come in here with their tokens. Only where you know them all.
    Userinfo,
}

/// When an e-mail address is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailVerified {
    /// Only with `email_verified: true`, and only the claim `email`, of which that speaks.
    Required,
    /// Unless `email_verified` is there and not true.
    UnlessFalse,
    /// Always: the provider's administrators write the addresses, and no user can.
    Ignored,
}

/// Where a user's fields are: JMESPath expressions. A plain path may have `-`, `:` and `/` without quotes, as in
/// `resource_access.my-client.roles` and `cognito:groups`; a name that begins with `https://` is one claim, dots and
/// all. Any other name with a dot is quoted: `resource_access."my.client".roles`.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// What names the user for ever, together with the issuer. Only what nobody can change and the provider
    /// gives to nobody else again. Default: `sub`; azure `oid`, github `id`.
    pub subject: Option<String>,
    /// The log-in name: the first of these that is there, else the subject. It is never what a user is known by.
    pub username: Option<OneOrMany>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The groups: a text (one group) or a list of texts. Anything else is refused; where there is nothing,
    /// there are no groups.
    pub groups: Option<String>,
    /// Further attributes, for claim templates: name → expression.
    pub attributes: BTreeMap<String, String>,
}

/// One text or a list of them.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

impl OneOrMany {
    /// In order.
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// Where the provider is asked.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoints {
    /// Its keys (RFC 7517).
    pub jwks: Option<String>,
    /// The page where users log in (RFC 6749 section 3.1).
    pub authorization: Option<String>,
    /// Codes become tokens (RFC 6749 section 3.2).
    pub token: Option<String>,
    /// Claims for a token (OpenID Connect Core section 5.3).
    pub userinfo: Option<String>,
    /// Is a token valid? (RFC 7662)
    pub introspection: Option<String>,
    /// The page where users log out (OpenID Connect RP-Initiated Logout).
    pub end_session: Option<String>,
}

/// How long what the provider said is used.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cache {
    /// The least time between two fetches of its keys, whatever tokens say.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "1m"))]
    pub refetch: Duration,
    /// So long keys and metadata are used without asking again.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "1h"))]
    pub fresh: Duration,
    /// So long they are used when the provider is down.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "1d"))]
    pub stale: Duration,
    /// So long the answer about an opaque token is used, and never past its `exp`. A token that is revoked
    /// comes in so much longer. 0s: each is asked about.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-text", "default" = "0s"))]
    pub opaque: Duration,
}

impl Default for Cache {
    fn default() -> Self {
        Cache {
            refetch: Duration::from_secs(60),
            fresh: Duration::from_secs(3_600),
            stale: Duration::from_secs(86_400),
            opaque: Duration::ZERO,
        }
    }
}

/// TLS towards the provider.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates in PEM: the only authorities that are believed. Empty: the system's.
    #[schemars(extend("format" = "path"))]
    pub ca: String,
}

fn leeway() -> Duration {
    Duration::from_secs(30)
}

fn timeout() -> Duration {
    Duration::from_secs(5)
}

/// `250ms`, `5s`, `1h 30m`, `1d`: what the host takes for a duration.
mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        humantime::parse_duration(text.trim())
            .map_err(|_| D::Error::custom("expected a duration, such as 250ms, 10s or 1h 30m"))
    }
}
