//! Auth0: <https://auth0.com/docs/secure/tokens>. An action puts roles into a claim of a name of one's own,
//! which must be a URL.

use countersign_verify::Algorithm;

use super::{Known, custom, of_domain, slashed};
use crate::settings::{LogoutBy, Opaque};

pub(super) const KNOWN: Known = Known {
    issuer: |config| {
        let issuer = of_domain(config, "https://", "/", "https://example.eu.auth0.com/");
        issuer.and_then(slashed)
    },
    uses_domain: true,
    algorithms: &[Algorithm::RS256],
    logout_by: LogoutBy::Auth0,
    introspection: Opaque::Off,
    // Nickname and address are what somebody typed who signed up.
    username: &["sub"],
    ..custom::KNOWN
};
