//! Any OpenID provider, by the standard names of its claims (OpenID Connect Core section 5.1).

use super::{Known, written};
use crate::settings::{LogoutBy, Opaque, ToldBy};

pub(super) const KNOWN: Known = Known {
    issuer: |config| written(config, "https://sso.example.com"),
    more_issuers: |_| Vec::new(),
    uses_tenant: false,
    uses_domain: false,
    algorithms: &[],
    audience_is_client: false,
    scopes: &["openid", "profile", "email"],
    told_by: ToldBy::IdToken,
    logout_by: LogoutBy::EndSession,
    introspection: Opaque::Introspection,
    opaque: true,
    fixed: |_, _, _| (),
    subject: "",
    username: &["preferred_username"],
    email: "email",
    first_name: "given_name",
    last_name: "family_name",
    groups: |_| "groups".to_owned(),
    groups_are_told: false,
    fold_groups: false,
    required: |_| Vec::new(),
    vouches: false,
};
