//! Keycloak: <https://www.keycloak.org/securing-apps/oidc-layers>. Roles are in the access token.

use countersign_verify::Algorithm;

use super::{Known, custom, written};
use crate::config::Config;

pub(super) const KNOWN: Known = Known {
    issuer: |config| written(config, "https://sso.example.com/realms/main"),
    algorithms: &[Algorithm::RS256],
    groups: roles,
    ..custom::KNOWN
};

/// The roles of this client; of the realm, where there is no client.
fn roles(config: &Config) -> String {
    match config.client_id.trim() {
        "" => "realm_access.roles".to_owned(),
        client => format!("resource_access.{}.roles", serde_json::Value::from(client)),
    }
}
