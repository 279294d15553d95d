#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use crate::config::key::KeyPath;
use crate::config::show;
use crate::config::testing::Scene;

/// The keys that have to do with single sign-on, as OpenMetadata's own file has them.
const BLOCKS: &str = r#"
backends: { users: { plugin: db, config: { url: x } } }
authenticationConfiguration:
  clientType: ${AUTHENTICATION_CLIENT_TYPE:-public}
  provider: ${AUTHENTICATION_PROVIDER:-basic}
  responseType: ${AUTHENTICATION_RESPONSE_TYPE:-id_token}
  providerName: ${CUSTOM_OIDC_AUTHENTICATION_PROVIDER_NAME:-""}
  publicKeyUrls: ${AUTHENTICATION_PUBLIC_KEYS:-[http://localhost:8585/api/v1/system/config/jwks]}
  tokenValidationAlgorithm: ${AUTHENTICATION_TOKEN_VALIDATION_ALGORITHM:-"RS256"}
  authority: ${AUTHENTICATION_AUTHORITY:-https://accounts.google.com}
  clientId: ${AUTHENTICATION_CLIENT_ID:-""}
  callbackUrl: ${AUTHENTICATION_CALLBACK_URL:-""}
  emailClaim: ${AUTHENTICATION_EMAIL_CLAIM:-""}
  jwtPrincipalClaims: ${AUTHENTICATION_JWT_PRINCIPAL_CLAIMS:-[email,preferred_username,sub]}
  jwtPrincipalClaimsMapping: ${AUTHENTICATION_JWT_PRINCIPAL_CLAIMS_MAPPING:-[]}
  jwtTeamClaimMapping: ${AUTHENTICATION_JWT_TEAM_CLAIM_MAPPING:-""}
  enableSelfSignup : ${AUTHENTICATION_ENABLE_SELF_SIGNUP:-true}
  enableAutoRedirect: ${AUTHENTICATION_ENABLE_AUTO_REDIRECT:-false}
  sessionExpiry: ${AUTHENTICATION_SESSION_EXPIRY:-"604800"}
  oidcConfiguration:
    id: ${OIDC_CLIENT_ID:-""}
    type: ${OIDC_TYPE:-""}
    secret: ${OIDC_CLIENT_SECRET:-""}
    scope: ${OIDC_SCOPE:-"openid email profile"}
    discoveryUri: ${OIDC_DISCOVERY_URI:-""}
    useNonce: ${OIDC_USE_NONCE:-true}
    preferredJwsAlgorithm: ${OIDC_PREFERRED_JWS:-"RS256"}
    responseType: ${OIDC_RESPONSE_TYPE:-"code"}
    disablePkce: ${OIDC_DISABLE_PKCE:-true}
    callbackUrl: ${OIDC_CALLBACK:-"http://localhost:8585/callback"}
    serverUrl: ${OIDC_SERVER_URL:-"http://localhost:8585"}
    clientAuthenticationMethod: ${OIDC_CLIENT_AUTH_METHOD:-"client_secret_post"}
    tenant: ${OIDC_TENANT:-""}
    maxClockSkew: ${OIDC_MAX_CLOCK_SKEW:-""}
    tokenValidity: ${OIDC_OM_REFRESH_TOKEN_VALIDITY:-"3600"}
    customParams: ${OIDC_CUSTOM_PARAMS:-}
    maxAge: ${OIDC_MAX_AGE:-"0"}
    prompt: ${OIDC_PROMPT_TYPE:-"consent"}
    sessionExpiry: ${OIDC_SESSION_EXPIRY:-"604800"}
authorizerConfiguration:
  allowedDomains: ${AUTHORIZER_ALLOWED_DOMAINS:-[]}
  principalDomain: ${AUTHORIZER_PRINCIPAL_DOMAIN:-"open-metadata.org"}
  enforcePrincipalDomain: ${AUTHORIZER_ENFORCE_PRINCIPAL_DOMAIN:-false}
  useRolesFromProvider: ${AUTHORIZER_USE_ROLES_FROM_PROVIDER:-false}
  defaultOAuthRole: ${AUTHORIZER_DEFAULT_OAUTH_ROLE:-"null"}
"#;

fn google() -> Scene {
    with(BLOCKS, "google")
}

fn with(text: &str, provider: &str) -> Scene {
    Scene::new(text)
        .env("AUTHENTICATION_PROVIDER", provider)
        .env("AUTHENTICATION_CLIENT_ID", "om")
}

fn backend(scene: &Scene, id: &str) -> Value {
    scene.load().value["backends"][id].clone()
}

#[test]
fn google_becomes_a_backend_behind_those_of_the_file() {
    let scene = google();
    let loaded = scene.load();
    let ids: Vec<&str> = loaded.config.backends.keys().map(String::as_str).collect();
    assert_eq!(ids, ["users", "google"]);
    assert_eq!(
        loaded.value["backends"]["google"],
        json!({
            "plugin": "oauth",
            "registration": true,
            "config": {
                "provider": "google",
                "issuer": "https://accounts.google.com",
                "client_id": "om",
                "client_authentication": "client_secret_post",
                "audiences": ["om"],
                "algorithms": ["RS256"],
                "principal_claims": ["email", "preferred_username", "sub"],
                "principal_domain": "open-metadata.org",
                "scopes": ["openid", "email", "profile"],
                "parameters": { "prompt": "consent" },
            },
        })
    );
    let login = &loaded.config.server.login;
    assert_eq!(
        (login.lifetime.as_secs(), login.auto_redirect),
        (604_800, false)
    );
    let key = KeyPath::parse("backends.google.config.client_id");
    let origin = loaded.origins.of(&key).to_string();
    assert_eq!(origin, "c.yaml:11:13 via AUTHENTICATION_CLIENT_ID");
}

#[test]
fn each_provider_of_openmetadata_has_a_backend_of_its_preset() {
    for (provider, id) in [
        ("okta", "okta"),
        ("auth0", "auth0"),
        ("aws-cognito", "aws_cognito"),
        ("custom-oidc", "custom_oidc"),
    ] {
        let made = backend(&with(BLOCKS, provider), id);
        let preset = if id == "custom_oidc" {
            "custom"
        } else {
            provider
        };
        assert_eq!(made["config"]["provider"], preset);
        let slash = if id == "auth0" { "/" } else { "" };
        let issuer = format!("https://accounts.google.com{slash}");
        assert_eq!(made["config"]["issuer"], issuer);
    }
    for provider in ["basic", "ldap", "openmetadata", "no-auth", "saml"] {
        let loaded = with(BLOCKS, provider).load();
        assert_eq!(loaded.config.backends.len(), 1, "{provider}");
        assert_eq!(loaded.config.server.login.lifetime.as_secs(), 8 * 3_600);
    }
    assert!(
        with(BLOCKS, "saml")
            .notices()
            .contains("saml lets nobody in here: there is no plugin for SAML")
    );
}

#[test]
fn tenant_of_azure_is_named_or_taken_from_the_authority() {
    let scene = with(BLOCKS, "azure").env(
        "AUTHENTICATION_AUTHORITY",
        "https://login.microsoftonline.com/0ff1ce/v2.0",
    );
    let made = backend(&scene, "azure");
    assert_eq!(made["config"]["tenant"], "0ff1ce");
    assert_eq!(made["config"]["issuer"], Value::Null);
    let scene = scene.env("OIDC_TENANT", "c0ffee");
    assert_eq!(backend(&scene, "azure")["config"]["tenant"], "c0ffee");
}

#[test]
fn national_cloud_of_azure_stays_the_one_of_the_authority() {
    for (host, domain) in [
        ("login.microsoftonline.com", Value::Null),
        ("sts.windows.net", Value::Null),
        (
            "login.microsoftonline.us",
            json!("login.microsoftonline.us"),
        ),
        (
            "login.chinacloudapi.cn",
            json!("login.partner.microsoftonline.cn"),
        ),
    ] {
        let authority = format!("https://{host}/0ff1ce");
        let scene = with(BLOCKS, "azure").env("AUTHENTICATION_AUTHORITY", &authority);
        assert_eq!(
            backend(&scene, "azure")["config"]["domain"],
            domain,
            "{host}"
        );
    }
}

#[test]
fn self_signup_that_is_off_needs_a_table_that_users_are_in() {
    let scene = google().env("AUTHENTICATION_ENABLE_SELF_SIGNUP", "false");
    let notices = scene.notices();
    for told in [
        "enableSelfSignup` is false, and `backends.google` has no `provision`",
        // Without a link no row is anybody's, and nobody comes in.
        "write `backends.google: { plugin: oauth, provision: { backend: users, link: username } }`",
    ] {
        assert!(notices.contains(told), "{told}\n{notices}");
    }
    assert_eq!(backend(&scene, "google")["registration"], json!(false));
    let text = BLOCKS.replace(
        "backends: {",
        "backends: { google: { plugin: oauth, provision: { backend: users, link: username } },",
    );
    let scene = with(&text, "google")
        .env("AUTHENTICATION_CLIENT_ID", "om")
        .env("AUTHENTICATION_ENABLE_SELF_SIGNUP", "false");
    assert!(!scene.notices().contains("enableSelfSignup"));
}

#[test]
fn confidential_client_has_its_secret_and_shows_it_nowhere() {
    let scene = google()
        .env("OIDC_CLIENT_ID", "om-web")
        .env("OIDC_CLIENT_SECRET", "c4n4ry");
    let loaded = scene.load();
    let config = &loaded.config.backends["google"].config;
    assert_eq!(config["client_id"], "om-web");
    assert_eq!(config["audiences"], json!(["om-web", "om"]));
    assert_eq!(config["client_secret"], "c4n4ry");
    assert!(
        loaded
            .secrets()
            .iter()
            .any(|secret| secret.expose() == "c4n4ry")
    );
    let shown = show(&loaded, true, false);
    assert!(!format!("{loaded:?} {shown} {}", scene.notices()).contains("c4n4ry"));
    let scene = google().env("AUTHENTICATION_CLIENT_TYPE", "confidential");
    assert!(
        scene
            .notices()
            .contains("there is no `oidcConfiguration.secret`")
    );
}

#[test]
fn provider_without_a_client_lets_nobody_in_and_is_noticed() {
    let scene = Scene::new(BLOCKS).env("AUTHENTICATION_PROVIDER", "google");
    assert_eq!(scene.load().config.backends.len(), 1);
    assert!(
        scene.notices().contains(
            "`authenticationConfiguration.provider`: google lets nobody in here: authority and clientId are needed"
        ),
        "{}",
        scene.notices()
    );
}

#[test]
fn what_can_only_be_stronger_is_told() {
    let notices = google()
        .env("OIDC_USE_NONCE", "false")
        .env("OIDC_TYPE", "okta")
        .env("OIDC_CLIENT_AUTH_METHOD", "private_key_jwt")
        .notices();
    for told in [
        "`authenticationConfiguration.oidcConfiguration.disablePkce`: PKCE is always used",
        "`authenticationConfiguration.oidcConfiguration.useNonce`: a nonce is always used",
        "clientAuthenticationMethod`: client_secret_basic is used",
        "`authenticationConfiguration.responseType`: the authorization code flow is always used",
        "`authenticationConfiguration.oidcConfiguration`: these keys have no meaning here: serverUrl, tokenValidity, type\n",
        "`authenticationConfiguration.oidcConfiguration.callbackUrl` is not this server's: `http://127.0.0.1:8090/callback/google` is used",
    ] {
        assert!(notices.contains(told), "{told}\n{notices}");
    }
    assert!(
        !notices.contains("`authenticationConfiguration`: these"),
        "{notices}"
    );
}

#[test]
fn callback_is_ours_or_told_and_the_page_has_the_providers_name() {
    let scene = |callback: &str| {
        let text = format!("server: {{ public_url: \"https://auth.example.com\" }}{BLOCKS}");
        with(&text, "custom-oidc")
            .env("AUTHENTICATION_CALLBACK_URL", callback)
            .env("CUSTOM_OIDC_AUTHENTICATION_PROVIDER_NAME", "Company SSO")
    };
    let told = "`authenticationConfiguration.callbackUrl` is not this server's: `https://auth.example.com/callback/custom_oidc` is used";
    for (callback, mapped, notices) in [
        ("https://auth.example.com/callback", true, false),
        (
            "https://auth.example.com/callback/custom_oidc",
            false,
            false,
        ),
        ("http://localhost:8585/callback", false, true),
        ("https://auth.example.com/callback/other", false, true),
        ("https://auth.example.com.evil/callback", false, true),
    ] {
        let scene = scene(callback);
        let made = &scene.load().config.backends["custom_oidc"];
        let expected = if mapped { callback } else { "" };
        assert_eq!(made.callback_url, expected);
        assert_eq!(made.title, "Company SSO");
        assert_eq!(scene.notices().contains(told), notices, "{callback}");
    }
}

#[test]
fn domains_are_those_that_openmetadata_enforces() {
    let domains = |scene: Scene| backend(&scene, "google")["config"]["email_domains"].clone();
    assert_eq!(domains(google()), Value::Null);
    let enforced = || google().env("AUTHORIZER_ENFORCE_PRINCIPAL_DOMAIN", "true");
    assert_eq!(domains(enforced()), json!(["open-metadata.org"]));
    let allowed = enforced().env("AUTHORIZER_ALLOWED_DOMAINS", "[a.org,b.org]");
    assert_eq!(domains(allowed), json!(["a.org", "b.org"]));
    let unread = google().env("AUTHORIZER_ALLOWED_DOMAINS", "[a.org,b.org]");
    assert!(
        unread
            .notices()
            .contains("`authorizerConfiguration.allowedDomains` keeps nobody out")
    );
    assert_eq!(domains(unread), Value::Null);
    assert!(!google().notices().contains("allowedDomains"));
}

#[test]
fn what_is_neither_true_nor_false_is_an_error_and_no_open_door() {
    let enforced = |value: &str| google().env("AUTHORIZER_ENFORCE_PRINCIPAL_DOMAIN", value);
    let made = backend(&enforced("True"), "google");
    assert_eq!(
        made["config"]["email_domains"],
        json!(["open-metadata.org"])
    );
    let report = enforced("yes").report();
    assert!(
        report.contains("enforcePrincipalDomain`: expected true or false, found text"),
        "{report}"
    );
}

#[test]
fn roles_of_the_provider_pass_only_where_openmetadata_takes_them() {
    let made = backend(
        &google().env("AUTHENTICATION_JWT_TEAM_CLAIM_MAPPING", "https://x/teams"),
        "google",
    );
    assert_eq!(made["config"]["claims"]["groups"], "\"https://x/teams\"");
    assert_eq!(made["roles"], Value::Null);
    let made = backend(
        &google()
            .env("AUTHORIZER_USE_ROLES_FROM_PROVIDER", "true")
            .env("AUTHORIZER_DEFAULT_OAUTH_ROLE", "DataConsumer"),
        "google",
    );
    assert_eq!(made["config"]["claims"]["groups"], "roles");
    assert_eq!(
        made["roles"],
        json!({ "pass": ["*"], "sync": "replace", "default": ["DataConsumer"] })
    );
}

#[test]
fn native_backend_fills_what_the_block_cannot_say() {
    let text = BLOCKS.replace(
        "backends: {",
        "backends: { sso: { plugin: oauth, provision: users, config: { issuer: \"https://accounts.google.com\", leeway: 5s } },",
    );
    let scene = with(&text, "google").env("AUTHENTICATION_ENABLE_SELF_SIGNUP", "false");
    let loaded = scene.load();
    let ids: Vec<&str> = loaded.config.backends.keys().map(String::as_str).collect();
    assert_eq!(ids, ["sso", "users"]);
    let config = &loaded.config.backends["sso"].config;
    assert_eq!(
        (&config["leeway"], &config["client_id"]),
        (&json!("5s"), &json!("om"))
    );
    assert!(
        !scene.notices().contains("`provision`"),
        "{}",
        scene.notices()
    );

    let told = "`backends.google` has no `provision`";
    let alone = google().env("AUTHENTICATION_ENABLE_SELF_SIGNUP", "false");
    assert!(alone.notices().contains(told), "{}", alone.notices());
    assert!(!google().notices().contains(told));
}

#[test]
fn native_key_and_block_that_differ_are_an_error() {
    let with = |native: &str| {
        let text = BLOCKS.replace("backends: {", &format!("{native}backends: {{"));
        with(&text, "google").report()
    };
    let report = with("server: { login: { lifetime: 1h } }\n");
    assert!(report.contains("`authenticationConfiguration.sessionExpiry` and `server.login.lifetime` say different things"), "{report}");
    let text = BLOCKS.replace(
        "backends: {",
        "backends: { google: { plugin: oauth, config: { client_id: other } },",
    );
    let report = self::with(&text, "google").report();
    assert!(
        report.contains("`authenticationConfiguration.clientId` and `backends.google.config.client_id` say different things"),
        "{report}"
    );
    let text = BLOCKS.replace("users: {", "google: {");
    let report = self::with(&text, "google").report();
    assert!(
        report.contains("`authenticationConfiguration.provider` and `backends.google.plugin` say different things"),
        "{report}"
    );
}

#[test]
fn further_parameters_are_a_map_or_told() {
    let text = BLOCKS.replace(
        "customParams: ${OIDC_CUSTOM_PARAMS:-}",
        "customParams: { hd: example.com }",
    );
    let scene = with(&text, "google").env("OIDC_MAX_AGE", "600");
    assert_eq!(
        backend(&scene, "google")["config"]["parameters"],
        json!({ "hd": "example.com", "max_age": "600", "prompt": "consent" })
    );
    let scene = google().env("OIDC_CUSTOM_PARAMS", "hd=example.com");
    assert!(
        scene.notices().contains("customParams`: expected a map"),
        "{}",
        scene.notices()
    );
}
