//! Whose an access token of GitHub's is, which has no ID token: its API, asked with the token. For
//! logins in the browser, and for bearers whose token was checked before.
//!
//! The numeric id is the subject: a login name can be given up, and taken by somebody else.
//! The address is the primary one, if it is verified. `groups` holds organizations (`acme`) and
//! teams (`acme/crew`), and of those only where the user's membership is active: an
//! invitation that nobody accepted makes no member.

use countersign_sdk::prelude::*;
use serde_json::{Map, Value};
use url::Url;

use super::asking::get;
use crate::people::Identity;
use crate::provider::http::place;
use crate::provider::{Metadata, Provider};
use crate::settings::Settings;
use crate::trouble::Trouble;

/// GitHub's largest page.
const PAGE: usize = 100;
/// A user with more is refused, rather than known by a part of his groups.
const PAGES: usize = 10;

/// What a token may see of its user.
#[derive(Clone, Copy)]
pub(crate) struct Sees {
    pub(crate) addresses: bool,
    /// Organizations and teams.
    pub(crate) groups: bool,
}

impl Sees {
    /// With these scopes.
    pub(crate) fn with<S: AsRef<str>>(scopes: &[S]) -> Self {
        let any = |of: &[&str]| scopes.iter().any(|scope| of.contains(&scope.as_ref()));
        Sees {
            addresses: any(&["user:email", "user"]),
            groups: any(&["read:org", "write:org", "admin:org"]),
        }
    }
}

/// The user of an access token that GitHub has issued to this client.
///
/// # Errors
/// GitHub does not answer, or not as it should.
pub(crate) async fn identity(
    settings: &Settings,
    provider: &Provider,
    metadata: &Metadata,
    sees: Sees,
    access: &Secret,
) -> Result<Identity, Trouble> {
    let user = metadata.userinfo.as_ref().ok_or_else(|| Trouble {
        what: "there is no `endpoints.userinfo`: for GitHub, https://api.github.com/user".into(),
        retry_after: None,
    })?;
    let api = Api {
        provider,
        access,
        user,
    };
    let Value::Object(mut claims) = get(provider, user, access).await? else {
        return Err(api.unexpected("user"));
    };
    let id = claims.get("id").and_then(Value::as_u64);
    let subject = id.ok_or_else(|| api.unexpected("user"))?.to_string();
    claims.insert("sub".into(), subject.clone().into());
    // What a profile shows need not be verified.
    claims.remove("email");
    if sees.addresses
        && let Some(address) = address(&api.all("emails").await?)
    {
        claims.insert("email".into(), address);
        claims.insert("email_verified".into(), true.into());
    }
    if sees.groups {
        let memberships = api.all("memberships/orgs").await?;
        groups(&mut claims, &memberships, &api.all("teams").await?);
    }
    Ok(Identity {
        issuer: settings.issuer.clone(),
        subject,
        claims,
    })
}

/// What GitHub has for one user.
struct Api<'a> {
    provider: &'a Provider,
    access: &'a Secret,
    /// `…/user`; the lists are below it.
    user: &'a Url,
}

impl Api<'_> {
    /// A list, page by page.
    async fn all(&self, list: &str) -> Result<Vec<Value>, Trouble> {
        let mut url = self.user.clone();
        url.set_path(&format!(
            "{}/{list}",
            self.user.path().trim_end_matches('/')
        ));
        let mut all = Vec::new();
        for page in 1..=PAGES {
            url.set_query(Some(&format!("per_page={PAGE}&page={page}")));
            let Value::Array(items) = get(self.provider, &url, self.access).await? else {
                return Err(self.unexpected(list));
            };
            let is_last = items.len() < PAGE;
            all.extend(items);
            if is_last {
                return Ok(all);
            }
        }
        Err(Trouble {
            what: format!("{} has more than {} entries", place(&url), PAGE * PAGES),
            retry_after: None,
        })
    }

    fn unexpected(&self, what: &str) -> Trouble {
        Trouble {
            what: format!(
                "{}: the answer for {what} is not GitHub's",
                place(self.user)
            ),
            retry_after: None,
        }
    }
}

/// The primary address, if it is verified.
fn address(emails: &[Value]) -> Option<Value> {
    let is = |email: &Value, what: &str| email.get(what) == Some(&Value::Bool(true));
    let mut emails = emails.iter();
    let primary = emails.find(|email| is(email, "primary") && is(email, "verified"))?;
    primary
        .get("email")
        .filter(|address| address.is_string())
        .cloned()
}

/// Organizations, and the teams in them: names as GitHub spells them.
fn groups(claims: &mut Map<String, Value>, memberships: &[Value], teams: &[Value]) {
    let text = |value: &Value, path: &str| value.pointer(path)?.as_str().map(str::to_owned);
    let active = memberships.iter();
    let active =
        active.filter(|membership| text(membership, "/state").as_deref() == Some("active"));
    let organizations: Vec<String> = active
        .filter_map(|membership| text(membership, "/organization/login"))
        .collect();
    let teams = teams.iter().filter_map(|team| {
        let organization = text(team, "/organization/login")?;
        let mut ours = organizations.iter();
        ours.find(|ours| ours.eq_ignore_ascii_case(&organization))?;
        Some(format!("{organization}/{}", text(team, "/slug")?))
    });
    let teams: Vec<String> = teams.collect();
    let groups = [organizations.clone(), teams.clone()].concat();
    claims.insert("organizations".into(), organizations.into());
    claims.insert("teams".into(), teams.into());
    claims.insert("groups".into(), groups.into());
}
