//! One audience: what its tokens say, how long they live, what signs them.

use std::collections::BTreeMap;

use countersign_abi::User;
use countersign_verify::{self as verify, Rules};
use serde_json::{Map, Value};

use super::claims::{Template, Values};
use super::request::Lifetime;
use crate::config::shapes::{self, Algorithm, NO_CLIENT, TokenType};

/// The name of the audience of our own API; nobody may configure another of this name.
pub const OURS: &str = "countersign";

/// What the tokens of one audience are like.
#[derive(Debug)]
pub struct Audience {
    /// Its name in `tokens.audiences`; none = the default one.
    pub name: Option<String>,
    /// `aud`.
    pub aud: String,
    /// What signs them, and nothing else does; none = the server's own key.
    pub algorithm: Option<Algorithm>,
    /// What they say that they are.
    pub typ: TokenType,
    /// What a token of ours for it must be like; none = no token can be.
    pub(super) rules: Option<Rules>,
    lifetime: u64,
    cli_lifetime: u64,
    /// The most that may be asked for, in seconds.
    max_lifetime: u64,
    sub: Option<Template>,
    claims: Vec<(String, Template)>,
}

impl Audience {
    /// The default audience.
    pub(super) fn default_of(iss: &str, tokens: &shapes::Tokens) -> Self {
        let (lifetime, cli) = (tokens.lifetime.as_secs(), tokens.cli_lifetime.as_secs());
        Audience {
            name: None,
            aud: tokens.audience.clone(),
            algorithm: None,
            typ: tokens.typ,
            rules: rules(iss, &tokens.audience, tokens),
            lifetime,
            cli_lifetime: cli,
            max_lifetime: lifetime.max(cli),
            sub: tokens.claims.get("sub").map(Template::parse),
            claims: templates(&tokens.claims),
        }
    }

    /// The audience of our own API and console: its tokens say what one may do here, for an hour.
    pub(super) fn ours(iss: &str, tokens: &shapes::Tokens) -> Self {
        // All that a user is, so that what he makes by way of our API is his.
        let claims = [
            ("backend", "{backend}"),
            ("uid", "{id}"),
            ("preferred_username", "{username}"),
            ("email", "{email}"),
            ("given_name", "{first_name}"),
            ("family_name", "{last_name}"),
            ("roles", "{roles}"),
            ("groups", "{groups}"),
        ];
        let claims = claims.map(|(name, template)| (name.to_owned(), Value::from(template)));
        let seconds = tokens.cli_lifetime.as_secs().min(3_600);
        Audience {
            name: Some(OURS.to_owned()),
            aud: iss.to_owned(),
            algorithm: None,
            typ: TokenType::Jwt,
            rules: rules(iss, iss, tokens),
            lifetime: seconds,
            cli_lifetime: seconds,
            max_lifetime: seconds,
            sub: None,
            claims: templates(&claims.into()),
        }
    }

    /// An audience of `tokens.audiences`.
    pub(super) fn named(
        iss: &str,
        name: &str,
        settings: &shapes::Audience,
        tokens: &shapes::Tokens,
    ) -> Self {
        let lifetime = settings.lifetime.unwrap_or(tokens.lifetime).as_secs();
        let aud = if settings.aud.is_empty() {
            name
        } else {
            &settings.aud
        };
        Audience {
            name: Some(name.to_owned()),
            aud: aud.to_owned(),
            algorithm: settings.algorithm,
            typ: settings.typ,
            rules: rules(iss, aud, tokens),
            lifetime,
            cli_lifetime: lifetime,
            max_lifetime: settings
                .max_lifetime
                .map_or(lifetime, |most| most.as_secs()),
            sub: settings.claims.get("sub").map(Template::parse),
            claims: templates(&settings.claims),
        }
    }

    /// The seconds that a token lives, none = for ever: what was asked for is cut to the most
    /// that is allowed.
    pub fn seconds(&self, lifetime: Lifetime) -> Option<u64> {
        Some(match lifetime {
            Lifetime::Lasting(expiry) => return expiry.seconds(),
            Lifetime::Api => self.lifetime,
            Lifetime::Cli => self.cli_lifetime,
            Lifetime::Requested(seconds) => seconds.get().min(self.max_lifetime),
        })
    }

    /// The subject, where a template says it.
    pub(super) fn subject(&self, values: Values<'_>) -> Option<String> {
        Some(match self.sub.as_ref()?.fill(values)? {
            Value::String(sub) => sub,
            other => other.to_string(),
        })
    }

    /// The `client_id` of a token that `client` asked for: where its type wants one.
    pub(super) fn client<'a>(&self, client: Option<&'a str>) -> Option<&'a str> {
        (self.typ == TokenType::AccessToken).then(|| client.unwrap_or(NO_CLIENT))
    }

    /// The names of its further claims.
    pub(super) fn claim_names(&self) -> impl Iterator<Item = &str> {
        let client = self.client(None).map(|_| "client_id");
        let further = self.claims.iter().map(|(name, _)| name.as_str());
        client.into_iter().chain(further)
    }

    /// The further claims of one user.
    pub(super) fn further(&self, values: Values<'_>) -> Map<String, Value> {
        let claims = self.claims.iter();
        claims
            .filter_map(|(name, template)| Some((name.clone(), template.fill(values)?)))
            .collect()
    }
}

/// A bot's token may be without `exp`: it is good until it is revoked. Who may show one that is
/// bound to a key, [`own`](super::own) says.
fn rules(iss: &str, aud: &str, tokens: &shapes::Tokens) -> Option<Rules> {
    let rules = Rules::new(iss, [aud], verify::Algorithm::ALL).ok()?;
    let rules = rules.leeway(tokens.leeway).types(["JWT", "at+jwt"]);
    Some(rules.without_expiry().bound_too())
}

fn templates(claims: &BTreeMap<String, Value>) -> Vec<(String, Template)> {
    let further = claims.iter().filter(|(name, _)| *name != "sub");
    further
        .map(|(name, value)| (name.clone(), Template::parse(value)))
        .collect()
}

/// A user's attributes; none for what is no JSON object.
pub(super) fn attributes(user: &User) -> Option<Map<String, Value>> {
    match user.attributes_json.as_str() {
        "" => Some(Map::new()),
        json => serde_json::from_str(json).ok(),
    }
}
