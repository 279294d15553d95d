//! Amazon Cognito user pools:
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html>.
//! Access tokens have no `aud`, so that nothing says which API they are for: ID tokens come in.

use countersign_verify::Algorithm;

use super::{Known, custom, written};
use crate::settings::{LogoutBy, Opaque};

pub(super) const KNOWN: Known = Known {
    issuer: |config| {
        written(
            config,
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Abc123",
        )
    },
    algorithms: &[Algorithm::RS256],
    audience_is_client: true,
    logout_by: LogoutBy::Cognito,
    introspection: Opaque::Off,
    username: &["cognito:username"],
    groups: |_| "cognito:groups".to_owned(),
    required: |_| vec![("token_use".to_owned(), "id".to_owned())],
    ..custom::KNOWN
};
