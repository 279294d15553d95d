//! The keys of OpenMetadata's blocks, and what each holds. Keys that only
//! OpenMetadata itself uses are known here so that a misspelling is an error.

use serde_json::{Map, Value, json};

/// What a key holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// Text that must never be shown.
    Secret,
    /// A file.
    Path,
    /// Text, a number or a truth value: OpenMetadata's own affair.
    Scalar,
    /// A list of texts.
    List,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// Anything.
    Any,
    /// Further keys.
    Keys(Keys),
}

/// Keys of a map.
pub(super) type Keys = &'static [(&'static str, Kind)];

use Kind::{Any, Choice, List, Path, Scalar, Secret, Text};

/// The blocks at the top of a file.
pub(super) const BLOCKS: Keys = &[
    ("jwtTokenConfiguration", Kind::Keys(JWT)),
    ("authenticationConfiguration", Kind::Keys(AUTHENTICATION)),
    ("authorizerConfiguration", Kind::Keys(AUTHORIZER)),
    ("airflowConfiguration", Kind::Keys(AIRFLOW)),
    ("pipelineServiceClientConfiguration", Kind::Keys(PIPELINE)),
    ("workflowConfig", Kind::Keys(WORKFLOW)),
];

const JWT: Keys = &[
    ("rsapublicKeyFilePath", Path),
    ("rsaprivateKeyFilePath", Path),
    ("jwtissuer", Text),
    ("keyId", Text),
];

const AUTHENTICATION: Keys = &[
    ("additionalTrustedRedirectUris", List),
    ("authority", Text),
    ("callbackUrl", Scalar),
    ("clientId", Text),
    ("clientType", Scalar),
    ("displayNameClaim", Scalar),
    ("emailClaim", Scalar),
    ("enableAutoRedirect", Scalar),
    ("enableSelfSignup", Scalar),
    ("forceSecureSessionCookie", Scalar),
    ("jwtPrincipalClaims", List),
    ("jwtPrincipalClaimsMapping", List),
    ("jwtTeamClaimMapping", Scalar),
    ("ldapConfiguration", Kind::Keys(LDAP)),
    ("maxActiveSessionsPerUser", Scalar),
    ("oidcConfiguration", Kind::Keys(OIDC)),
    ("provider", Text),
    ("providerName", Scalar),
    ("publicKeyUrls", List),
    ("responseType", Scalar),
    ("samlConfiguration", Kind::Keys(SAML)),
    ("sessionExpiry", Scalar),
    (
        "tokenValidationAlgorithm",
        Choice(&["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]),
    ),
];

const OIDC: Keys = &[
    ("callbackUrl", Scalar),
    ("clientAuthenticationMethod", Scalar),
    ("customParams", Any),
    ("disablePkce", Scalar),
    ("discoveryUri", Scalar),
    ("id", Scalar),
    ("maxAge", Scalar),
    ("maxClockSkew", Scalar),
    ("preferredJwsAlgorithm", Scalar),
    ("prompt", Scalar),
    ("responseType", Scalar),
    ("scope", Scalar),
    ("secret", Secret),
    ("serverUrl", Scalar),
    ("sessionExpiry", Scalar),
    ("tenant", Scalar),
    ("tokenValidity", Scalar),
    ("type", Scalar),
    ("useNonce", Scalar),
];

const SAML: Keys = &[
    ("debugMode", Scalar),
    ("idp", Any),
    ("security", Any),
    ("sp", Any),
];

const LDAP: Keys = &[
    ("allAttributeName", Scalar),
    ("authReassignRoles", Any),
    ("authRolesMapping", Any),
    ("dnAdminPassword", Secret),
    ("dnAdminPrincipal", Scalar),
    ("groupAttributeName", Scalar),
    ("groupAttributeValue", Scalar),
    ("groupBaseDN", Scalar),
    ("groupMemberAttributeName", Scalar),
    ("host", Scalar),
    ("isFullDn", Scalar),
    ("mailAttributeName", Scalar),
    ("maxPoolSize", Scalar),
    ("port", Scalar),
    ("roleAdminName", Scalar),
    ("sslEnabled", Scalar),
    ("trustStoreConfig", Any),
    ("truststoreConfigType", Scalar),
    ("truststoreFormat", Scalar),
    ("userBaseDN", Scalar),
    ("usernameAttributeName", Scalar),
];

const AUTHORIZER: Keys = &[
    ("adminEmails", List),
    ("adminPrincipals", List),
    ("allowedDomains", List),
    ("allowedEmailDomains", List),
    ("allowedEmailRegistrationDomains", List),
    ("botDomain", Scalar),
    ("className", Scalar),
    ("containerRequestFilter", Scalar),
    ("defaultOAuthRole", Scalar),
    ("enableSecureSocketConnection", Scalar),
    ("enforcePrincipalDomain", Scalar),
    ("principalDomain", Scalar),
    ("useRolesFromProvider", Scalar),
];

const AIRFLOW: Keys = &[
    ("apiEndpoint", Scalar),
    ("authConfig", Kind::Keys(AUTH_CONFIG)),
    ("authProvider", Text),
    ("metadataApiEndpoint", Scalar),
    ("password", Secret),
    ("sslConfig", Any),
    ("timeout", Scalar),
    ("truststorePassword", Secret),
    ("truststorePath", Scalar),
    ("username", Scalar),
    ("verifySSL", Scalar),
];

const AUTH_CONFIG: Keys = &[
    ("auth0", Any),
    ("azure", Any),
    ("customOidc", Any),
    ("google", Any),
    ("okta", Any),
    ("openmetadata", Kind::Keys(&[("jwtToken", Secret)])),
];

const PIPELINE: Keys = &[
    ("apiEndpoint", Scalar),
    ("className", Scalar),
    ("enabled", Scalar),
    ("healthCheckInterval", Scalar),
    ("hostIp", Scalar),
    ("ingestionIpInfoEnabled", Scalar),
    ("logStorageConfiguration", Any),
    ("metadataApiEndpoint", Scalar),
    ("parameters", Any),
    ("secretsManagerLoader", Scalar),
    ("sslConfig", Any),
    ("verifySSL", Scalar),
];

const WORKFLOW: Keys = &[
    ("config", Any),
    ("loggerLevel", Scalar),
    ("openMetadataServerConfig", Kind::Keys(SERVER)),
    ("raiseOnError", Scalar),
    ("successThreshold", Scalar),
];

const SERVER: Keys = &[
    ("apiVersion", Scalar),
    ("authProvider", Text),
    ("clusterName", Scalar),
    ("enableVersionValidation", Scalar),
    ("forceEntityOverwriting", Scalar),
    ("hostPort", Scalar),
    ("secretsManagerLoader", Scalar),
    ("secretsManagerProvider", Scalar),
    ("securityConfig", Kind::Keys(&[("jwtToken", Secret)])),
    ("sslConfig", Any),
    ("storeServiceConnection", Scalar),
    ("type", Scalar),
    ("verifySSL", Scalar),
];

impl Kind {
    /// The JSON Schema of what the key holds.
    pub(super) fn schema(self) -> Value {
        match self {
            Text => json!({ "type": "string" }),
            Secret => json!({ "type": "string", "writeOnly": true }),
            Path => json!({ "type": "string", "format": "path" }),
            Scalar => json!({ "type": ["string", "number", "boolean"] }),
            List => json!({ "type": "array", "items": { "type": "string" } }),
            Choice(choices) => json!({ "type": "string", "enum": choices }),
            Any => json!({}),
            Kind::Keys(keys) => {
                let properties: Map<String, Value> = keys
                    .iter()
                    .map(|(key, kind)| ((*key).to_owned(), kind.schema()))
                    .collect();
                json!({ "type": "object", "properties": properties, "additionalProperties": false })
            }
        }
    }
}
