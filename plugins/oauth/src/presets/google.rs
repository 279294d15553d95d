//! Google: <https://developers.google.com/identity/openid-connect/openid-connect>. No groups, and access tokens
//! that only Google can read: ID tokens come in.

use countersign_verify::Algorithm;
use url::Url;

use super::{Known, custom};
use crate::config::Config;
use crate::settings::{Endpoints, Opaque};

const ISSUER: &str = "https://accounts.google.com";

pub(super) const KNOWN: Known = Known {
    issuer: |config| Ok(config.issuer.clone().unwrap_or_else(|| ISSUER.to_owned())),
    // "The value of iss in the ID token is equal to" either.
    more_issuers: |issuer| match issuer {
        ISSUER => vec!["accounts.google.com".to_owned()],
        _ => Vec::new(),
    },
    algorithms: &[Algorithm::RS256],
    audience_is_client: true,
    introspection: Opaque::Google,
    opaque: false,
    fixed: endpoints,
    username: &["email"],
    required: hosted_domain,
    ..custom::KNOWN
};

/// `hd` in the request is a hint that a user can change: the token has to say it.
fn hosted_domain(config: &Config) -> Vec<(String, String)> {
    let wanted = config.parameters.get("hd").filter(|domain| *domain != "*");
    wanted
        .map(|domain| ("hd".to_owned(), domain.clone()))
        .into_iter()
        .collect()
}

/// What no document tells: where Google says for which client an access token is.
fn endpoints(issuer: &str, _: &Config, all: &mut Endpoints) {
    if issuer == ISSUER && all.introspection.is_none() {
        all.introspection = Url::parse("https://oauth2.googleapis.com/tokeninfo").ok();
    }
}
