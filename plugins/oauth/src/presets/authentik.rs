//! authentik: <https://docs.goauthentik.io/add-secure-apps/providers/oauth2/>. Without a signing key it signs with
//! the client's password (HS256), which is refused.

use countersign_verify::Algorithm;

use super::{Known, custom, slashed, written};

pub(super) const KNOWN: Known = Known {
    issuer: |config| {
        let issuer = written(
            config,
            "https://authentik.example.com/application/o/airflow/",
        );
        issuer.and_then(slashed)
    },
    algorithms: &[Algorithm::RS256],
    username: &["preferred_username", "nickname"],
    ..custom::KNOWN
};
