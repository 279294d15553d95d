//! Auth0: <https://auth0.com/docs/secure/tokens>. An action puts roles into a claim of a name of one's own,
//! which must be a URL.

use countersign_verify::Algorithm;

use super::{Known, custom, of_domain};

pub(super) const KNOWN: Known = Known {
    issuer: |config| of_domain(config, "https://", "/", "https://example.eu.auth0.com/"),
    uses_domain: true,
    algorithms: &[Algorithm::RS256],
    introspects: false,
    // Nickname and address are what somebody typed who signed up.
    username: &["sub"],
    ..custom::KNOWN
};
