//! GitHub: <https://docs.github.com/apps/oauth-apps>. No OpenID provider: who logged in is asked of its API.

use countersign_verify::Algorithm;
use url::Url;

use super::{Known, custom, of_domain};
use crate::config::Config;
use crate::settings::{Endpoints, Opaque, ToldBy};

pub(super) const KNOWN: Known = Known {
    issuer: |config| match (&config.issuer, &config.domain) {
        (None, None) => Ok("https://github.com".to_owned()),
        _ => of_domain(config, "https://", "", "https://github.example.com"),
    },
    uses_domain: true,
    // No token of it is a JWT.
    algorithms: &[Algorithm::RS256],
    audience_is_client: true,
    scopes: &["read:user", "user:email", "read:org"],
    told_by: ToldBy::Github,
    introspection: Opaque::GitHub,
    fixed: endpoints,
    // Names can be changed, and then be another's.
    subject: "id",
    username: &["login"],
    first_name: "name",
    last_name: "",
    groups,
    groups_are_told: true,
    fold_groups: true,
    ..custom::KNOWN
};

/// Organizations and teams, where the scopes let us see them.
fn groups(config: &Config) -> String {
    let sees = |scope: &str| ["read:org", "write:org", "admin:org"].contains(&scope);
    let scopes = config.scopes.as_ref();
    match scopes.is_none_or(|scopes| scopes.iter().any(|scope| sees(scope))) {
        true => "groups".to_owned(),
        false => String::new(),
    }
}

/// Its own, where none is written.
fn endpoints(issuer: &str, config: &Config, all: &mut Endpoints) {
    let base = issuer.trim_end_matches('/');
    let api = match base {
        "https://github.com" => "https://api.github.com".to_owned(),
        // GitHub Enterprise Server
        _ => format!("{base}/api/v3"),
    };
    let client = config.client_id.trim();
    for (place, text) in [
        (
            &mut all.authorization,
            format!("{base}/login/oauth/authorize"),
        ),
        (&mut all.token, format!("{base}/login/oauth/access_token")),
        (&mut all.userinfo, format!("{api}/user")),
        (
            &mut all.introspection,
            format!("{api}/applications/{client}/token"),
        ),
    ] {
        if place.is_none() {
            *place = Url::parse(&text).ok();
        }
    }
}
