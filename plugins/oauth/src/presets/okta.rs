//! Okta: <https://developer.okta.com/docs/concepts/auth-servers/>. Access tokens of the organization's own server
//! are for Okta alone; `domain` means the server `default`.

use countersign_verify::Algorithm;

use super::{Known, custom, of_domain};

pub(super) const KNOWN: Known = Known {
    issuer: |config| {
        of_domain(
            config,
            "https://",
            "/oauth2/default",
            "https://example.okta.com/oauth2/default",
        )
    },
    uses_domain: true,
    algorithms: &[Algorithm::RS256],
    ..custom::KNOWN
};
