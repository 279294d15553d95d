#![allow(clippy::unwrap_used)]
use crate::config::key::KeyPath;
use crate::config::shapes::Algorithm;
use crate::config::testing::Scene;

/// The two blocks of OpenMetadata's page "Enable JWT Tokens", word for word.
const BLOCKS: &str = r#"
authenticationConfiguration:
  provider: ${AUTHENTICATION_PROVIDER:-basic}
  responseType: ${AUTHENTICATION_RESPONSE_TYPE:-id_token}
  providerName: ${CUSTOM_OIDC_AUTHENTICATION_PROVIDER_NAME:-""}
  publicKeyUrls: ${AUTHENTICATION_PUBLIC_KEYS:-[http://localhost:8585/api/v1/system/config/jwks]}
  tokenValidationAlgorithm: ${AUTHENTICATION_TOKEN_VALIDATION_ALGORITHM:-"RS256"}
  authority: ${AUTHENTICATION_AUTHORITY:-https://accounts.google.com}
  clientId: ${AUTHENTICATION_CLIENT_ID:-""}
  callbackUrl: ${AUTHENTICATION_CALLBACK_URL:-""}
  jwtPrincipalClaims: ${AUTHENTICATION_JWT_PRINCIPAL_CLAIMS:-[email,preferred_username,sub]}
  jwtPrincipalClaimsMapping: ${AUTHENTICATION_JWT_PRINCIPAL_CLAIMS_MAPPING:-[]}
  enableSelfSignup : ${AUTHENTICATION_ENABLE_SELF_SIGNUP:-true}
  sessionExpiry: ${AUTHENTICATION_SESSION_EXPIRY:-"604800"}
  oidcConfiguration:
    id: ${OIDC_CLIENT_ID:-""}
    secret: ${OIDC_CLIENT_SECRET:-""}
    scope: ${OIDC_SCOPE:-"openid email profile"}
    useNonce: ${OIDC_USE_NONCE:-true}
    customParams: ${OIDC_CUSTOM_PARAMS:-}
  ldapConfiguration:
    host: ${AUTHENTICATION_LDAP_HOST:-}
    port: ${AUTHENTICATION_LDAP_PORT:-}
    dnAdminPassword: ${AUTHENTICATION_LOOKUP_ADMIN_PWD:-""}
    authReassignRoles: ${AUTH_REASSIGN_ROLES:-[]}
jwtTokenConfiguration:
  rsapublicKeyFilePath: ${RSA_PUBLIC_KEY_FILE_PATH:-"./conf/public_key.der"}
  rsaprivateKeyFilePath: ${RSA_PRIVATE_KEY_FILE_PATH:-"./conf/private_key.der"}
  jwtissuer: ${JWT_ISSUER:-"open-metadata.org"}
  keyId: ${JWT_KEY_ID:-"Gb389a-9f76-gdjs-a92j-0242bk94356"}
authorizerConfiguration:
  adminPrincipals: ${AUTHORIZER_ADMIN_PRINCIPALS:-[admin]}
  allowedEmailRegistrationDomains: ${AUTHORIZER_ALLOWED_REGISTRATION_DOMAIN:-["all"]}
  principalDomain: ${AUTHORIZER_PRINCIPAL_DOMAIN:-"open-metadata.org"}
  enableSecureSocketConnection : ${AUTHORIZER_ENABLE_SECURE_SOCKET:-false}
"#;

#[test]
fn literal_blocks_become_native_keys() {
    let scene = Scene::new(BLOCKS);
    let loaded = scene.load();
    assert_eq!(loaded.config.tokens.issuer, "open-metadata.org");
    assert_eq!(loaded.config.keys.kid, "Gb389a-9f76-gdjs-a92j-0242bk94356");
    assert_eq!(
        loaded.config.keys.private_key,
        scene.path("conf/private_key.der")
    );
    assert_eq!(
        loaded.config.keys.public_key,
        scene.path("conf/public_key.der")
    );
    assert!(loaded.config.trust.is_empty());
    let origin = loaded.origins.of(&KeyPath::parse("keys.kid")).to_string();
    assert_eq!(origin, "c.yaml:30:10 via JWT_KEY_ID");
    assert!(loaded.value.get("jwtTokenConfiguration").is_none());
}

#[test]
fn keys_without_meaning_are_noticed() {
    let notices = Scene::new(BLOCKS).notices();
    assert!(notices.contains("warning: `authenticationConfiguration`: these keys have no meaning here: callbackUrl, enableSelfSignup, jwtPrincipalClaimsMapping, ldapConfiguration, oidcConfiguration, provider, providerName, responseType, sessionExpiry\n"), "{notices}");
    assert!(
        notices.contains(
            "`authorizerConfiguration`: these keys have no meaning here: adminPrincipals,"
        ),
        "{notices}"
    );
    assert!(notices.contains("`authenticationConfiguration.publicKeyUrls.0` is this server's own JWKS: it is never fetched"), "{notices}");
}

#[test]
fn ldap_without_a_backend_of_that_plugin_is_noticed() {
    let told = "`authenticationConfiguration.ldapConfiguration` lets nobody in here";
    let scene = |text: &str| Scene::new(text).env("AUTHENTICATION_PROVIDER", "ldap");
    assert!(scene(BLOCKS).notices().contains(told));
    assert!(
        !Scene::new(BLOCKS).notices().contains(told),
        "of another provider"
    );
    let with = format!("backends: {{ dir: {{ plugin: ldap }} }}\n{BLOCKS}");
    assert!(!scene(&with).notices().contains(told));
}

#[test]
fn public_key_urls_become_trust_entries() {
    let scene = Scene::new(BLOCKS)
        .env(
            "AUTHENTICATION_PUBLIC_KEYS",
            "[https://login.example/keys,http://localhost:8585/api/v1/system/config/jwks]",
        )
        .env("AUTHENTICATION_AUTHORITY", "https://login.example")
        .env("AUTHENTICATION_CLIENT_ID", "om");
    let trust = scene.load().config.trust;
    assert_eq!(trust.len(), 1);
    assert_eq!(
        (trust[0].issuer.as_str(), trust[0].jwks_url.as_str()),
        ("https://login.example", "https://login.example/keys")
    );
    assert_eq!(trust[0].audiences, ["om"]);
    assert_eq!(trust[0].algorithms, [Algorithm::RS256]);
    assert_eq!(
        trust[0].principal_claims,
        ["email", "preferred_username", "sub"]
    );
}

#[test]
fn public_key_urls_without_authority_or_client_are_inactive_and_noticed() {
    let scene = Scene::new(BLOCKS).env("AUTHENTICATION_PUBLIC_KEYS", "https://login.example/keys");
    assert!(scene.load().config.trust.is_empty());
    assert!(
        scene
            .notices()
            .contains("`authenticationConfiguration.publicKeyUrls.0` is inactive"),
        "{}",
        scene.notices()
    );
}

#[test]
fn own_jwks_url_is_recognised_by_every_name() {
    for url in [
        "http://127.0.0.1:8090/api/v1/config/jwks",
        "https://auth.example/api/v1/system/config/jwks/",
        "https://auth.example/.well-known/jwks.json",
    ] {
        let text = format!("server: {{ public_url: \"https://auth.example\" }}\n{BLOCKS}");
        let scene = Scene::new(&text)
            .env("AUTHENTICATION_PUBLIC_KEYS", url)
            .env("AUTHENTICATION_CLIENT_ID", "om");
        assert!(scene.load().config.trust.is_empty(), "{url}");
    }
    let other = Scene::new(BLOCKS)
        .env(
            "AUTHENTICATION_PUBLIC_KEYS",
            "https://other.example/api/v1/system/config/jwks",
        )
        .env("AUTHENTICATION_CLIENT_ID", "om");
    assert_eq!(other.load().config.trust.len(), 1);
}

#[test]
fn native_key_and_block_that_differ_are_an_error_with_both_places() {
    let report = Scene::new(&format!("tokens: {{ issuer: mine }}{BLOCKS}")).report();
    assert_eq!(
        report,
        "error: `jwtTokenConfiguration.jwtissuer` and `tokens.issuer` say different things\n  --> c.yaml:29:14\n\
         caused by: `tokens.issuer` is set by c.yaml:1:19\nhelp: keep one of the two"
    );
    Scene::new(&format!("tokens: {{ issuer: open-metadata.org }}{BLOCKS}")).load();
}

#[test]
fn unknown_keys_inside_blocks_are_errors_like_any_other() {
    let report = Scene::new("jwtTokenConfiguration: { jwtIssuer: x }\nauthenticationConfiguration: { tokenValidationAlgorithm: HS256 }\n").report();
    assert!(report.contains("`jwtTokenConfiguration.jwtIssuer` is not a known key\n  --> c.yaml:1:37\nhelp: did you mean `jwtTokenConfiguration.jwtissuer`?"), "{report}");
    assert!(
        report.contains(
            "`authenticationConfiguration.tokenValidationAlgorithm`: expected one of RS256"
        ),
        "{report}"
    );
}

#[test]
fn placeholder_of_the_documentation_is_a_clear_error() {
    let text = "authenticationConfiguration:\n  publicKeyUrls: ${AUTHENTICATION_PUBLIC_KEYS:-[{your SSO public keys URL}]}\n";
    assert_eq!(
        Scene::new(text).report(),
        "error: `authenticationConfiguration.publicKeyUrls.0` holds placeholder text of the documentation\n  --> c.yaml:2:18\n\
         help: set AUTHENTICATION_PUBLIC_KEYS, or write the real value in its place"
    );
    let scene = Scene::new(text).env("AUTHENTICATION_PUBLIC_KEYS", "[https://login.example/keys]");
    assert!(scene.load().config.trust.is_empty());
}

#[test]
fn no_auth_disables_nothing_and_says_so() {
    let text = "\
authenticationConfiguration: { provider: no-auth }
airflowConfiguration: { authProvider: no-auth, password: c4n4ry }
workflowConfig:
  openMetadataServerConfig: { hostPort: \"http://h:8585/api\", authProvider: openmetadata, securityConfig: { jwtToken: c4n4ry } }
pipelineServiceClientConfiguration: { parameters: { username: admin, password: c4n4ry }, verifySSL: no-ssl }
";
    let scene = Scene::new(text);
    let notices = scene.notices();
    assert_eq!(
        notices
            .matches("no-auth does not disable anything here")
            .count(),
        2,
        "{notices}"
    );
    for block in ["airflowConfiguration", "pipelineServiceClientConfiguration"] {
        assert!(
            notices.contains(&format!("`{block}`: these keys have no meaning here")),
            "{notices}"
        );
    }
    assert!(!format!("{notices} {:?}", scene.load()).contains("c4n4ry"));
}

#[test]
fn demo_key_id_off_loopback_is_noticed() {
    let text = format!("server: {{ listen: \"0.0.0.0:1\", plain_http: true }}\n{BLOCKS}");
    assert!(
        Scene::new(&text)
            .notices()
            .contains("`keys.kid`: this is the key id of OpenMetadata's demo keys")
    );
}

#[test]
fn preset_loads_with_openmetadatas_own_variables() {
    let scene = Scene::empty().with_file(
        "config/openmetadata.yaml",
        include_str!("../../../../../config/openmetadata.yaml"),
    );
    let config = scene.load().config;
    assert_eq!(
        config.keys.private_key,
        scene.path("config/conf/private_key.der")
    );
    assert_eq!(
        config.backends["users"].config["url"],
        format!("sqlite://{}/users.db", scene.path(".countersign"))
    );
    // `sub` alone would be the number of a row to OpenMetadata.
    for claim in ["email", "preferred_username"] {
        assert!(config.tokens.claims.contains_key(claim), "{claim}");
    }
    let bots = &config.tokens.audiences["openmetadata"].claims;
    assert_eq!(bots["sub"], "{username}");
    // `true` is taken only for tokens that OpenMetadata stores itself.
    assert_eq!(bots["isBot"], false);
    let scene = scene
        .env("JWT_KEY_ID", "0123")
        .env("RSA_PRIVATE_KEY_FILE_PATH", "/run/keys/private.der");
    let config = scene.load().config;
    assert_eq!(
        (config.keys.kid.as_str(), config.keys.private_key.as_str()),
        ("0123", "/run/keys/private.der")
    );
}

#[test]
fn airflow_preset_loads_with_airflows_own_variables() {
    let preset = || {
        Scene::empty().with_file(
            "config/airflow.yaml",
            include_str!("../../../../../config/airflow.yaml"),
        )
    };
    let config = preset().load().config;
    assert_eq!(
        config.backends["airflow"].config["url"],
        "sqlite:////opt/airflow/airflow.db"
    );
    assert_eq!(
        (
            config.tokens.audience.as_str(),
            config.tokens.issuer.as_str()
        ),
        ("apache-airflow", "")
    );
    assert_eq!(config.tokens.lifetime.as_secs(), 86_400);
    let config = preset()
        .env(
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            "sqlite:////srv/airflow.db",
        )
        .env("AIRFLOW__API_AUTH__JWT_EXPIRATION_TIME", "600")
        .env("AIRFLOW__API_AUTH__JWT_ISSUER", "me")
        .load()
        .config;
    assert_eq!(
        config.backends["airflow"].config["url"],
        "sqlite:////srv/airflow.db"
    );
    assert_eq!(
        (
            config.tokens.lifetime.as_secs(),
            config.tokens.issuer.as_str()
        ),
        (600, "me")
    );
}
