//! GitLab: <https://docs.gitlab.com/integration/openid_connect_provider/>. `sub` is the user's number.

use countersign_verify::Algorithm;
use url::Url;

use super::{Known, custom, of_domain};
use crate::config::Config;
use crate::settings::{Endpoints, Opaque};

pub(super) const KNOWN: Known = Known {
    issuer: |config| match (&config.issuer, &config.domain) {
        (None, None) => Ok("https://gitlab.com".to_owned()),
        _ => of_domain(config, "https://", "", "https://gitlab.com"),
    },
    uses_domain: true,
    algorithms: &[Algorithm::RS256],
    audience_is_client: true,
    introspection: Opaque::GitLab,
    fixed: endpoints,
    username: &["preferred_username", "nickname"],
    first_name: "name",
    last_name: "",
    groups,
    fold_groups: true,
    ..custom::KNOWN
};

/// In userinfo all groups, in ID tokens those that the user is a direct member of.
fn groups(_: &Config) -> String {
    "groups || groups_direct".to_owned()
}

/// Where GitLab says for which application a token is; its introspection names no user.
fn endpoints(issuer: &str, _: &Config, all: &mut Endpoints) {
    if all.introspection.is_none() {
        let base = issuer.trim_end_matches('/');
        all.introspection = Url::parse(&format!("{base}/oauth/token/info")).ok();
    }
}
