//! This server as a client of the provider.

use super::Mistakes;
use crate::config::{ClientAuthentication, Config, Opaque as Wanted};
use crate::presets::Known;
use crate::settings::{Client, Opaque, ToldBy};

/// Parameters of the authorization request that are the protocol's own, never the operator's.
const OWN: &[&str] = &[
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

/// The client; without `client_id` there is none.
pub(super) fn client(config: &mut Config, known: &Known, wrong: &mut Mistakes) -> Option<Client> {
    let id = config.client_id.trim().to_owned();
    let secret = config.client_secret.take();
    let secret = secret.filter(|secret| !secret.expose().is_empty());
    let own: Vec<String> = config
        .parameters
        .keys()
        .filter(|name| OWN.contains(&name.as_str()))
        .map(|name| format!("`{name}`"))
        .collect();
    if !own.is_empty() {
        let why = format!(
            "each login has its own {}; leave out what is written here",
            own.join(", ")
        );
        wrong.add("parameters", why);
    }
    if id.is_empty() {
        if secret.is_some() {
            wrong.add(
                "client_id",
                "expected the name that `client_secret` belongs to, found none",
            );
        }
        return None;
    }
    let preset = || {
        known
            .scopes
            .iter()
            .map(|scope| (*scope).to_owned())
            .collect()
    };
    let scopes: Vec<String> = config.scopes.clone().unwrap_or_else(preset);
    if known.told_by == ToldBy::IdToken && !scopes.iter().any(|scope| scope == "openid") {
        let why =
            "expected openid among them: without it the provider says nothing of who logged in";
        wrong.add("scopes", why);
    }
    if scopes
        .iter()
        .any(|scope| scope.is_empty() || scope.contains(char::is_whitespace))
    {
        wrong.add(
            "scopes",
            "expected one scope for each entry, without spaces",
        );
    }
    Some(Client {
        id,
        secret,
        secret_in_body: config.client_authentication == ClientAuthentication::ClientSecretPost,
        scopes,
        parameters: config.parameters.clone().into_iter().collect(),
    })
}

/// How tokens that are no JWT are asked about.
pub(super) fn opaque(
    config: &Config,
    client: Option<&Client>,
    known: &Known,
    wrong: &mut Mistakes,
) -> Opaque {
    let has_secret = client.is_some_and(|client| client.secret.is_some());
    match config.opaque {
        None if has_secret && known.opaque => known.introspection,
        None | Some(Wanted::Off) => Opaque::Off,
        // A provider of which none is known may have one, if it is told where.
        Some(Wanted::Introspection) => {
            let is_offered = known.introspection != Opaque::Off;
            if !is_offered && config.endpoints.introspection.is_none() {
                let why = "this provider has no introspection; leave it out, or write `endpoints.introspection`";
                wrong.add("opaque", why);
            } else if !has_secret {
                let why = "introspection needs `client_id` and `client_secret`, which show the provider who asks";
                wrong.add("opaque", why);
            }
            match is_offered {
                true => known.introspection,
                // Of this provider none is known; it is told where there is one.
                false => Opaque::Introspection,
            }
        }
        Some(Wanted::Userinfo) => {
            if known.told_by == ToldBy::Github {
                let why = "GitHub's /user does not say for whom a token is: any application's would come in; \
                           `introspection` asks for our own tokens only";
                wrong.add("opaque", why);
            }
            Opaque::UserInfo
        }
    }
}
