//! OpenMetadata's names: `jwtPrincipalClaims` and `jwtPrincipalClaimsMapping`.

use serde_json::{Map, Value};

/// How OpenMetadata finds name and address.
pub(crate) enum Principal {
    /// The first claim that is there: what is before its `@` is the name, all of it the address.
    First {
        claims: Vec<String>,
        /// Makes an address of a name.
        domain: Option<String>,
    },
    /// One claim for each.
    Mapped { username: String, email: String },
}

impl Principal {
    /// `username:CLAIM` and `email:CLAIM`.
    ///
    /// # Errors
    /// One is missing, there twice, or neither.
    pub(crate) fn mapped(entries: &[String]) -> Result<Principal, String> {
        let (mut username, mut email) = (None, None);
        for entry in entries {
            let (key, claim) = entry.split_once(':').unwrap_or((entry, ""));
            let place = match key.trim() {
                "username" => &mut username,
                "email" => &mut email,
                _ => return Err(wrong(&format!("{entry:?}"))),
            };
            let claim = claim.trim();
            if claim.is_empty() || place.replace(claim.to_owned()).is_some() {
                return Err(wrong(&format!("{entry:?}")));
            }
        }
        match (username, email) {
            (Some(username), Some(email)) => Ok(Principal::Mapped { username, email }),
            (None, _) => Err(wrong("none for username")),
            (_, None) => Err(wrong("none for email")),
        }
    }

    /// Name and address; either may be missing.
    pub(crate) fn of(&self, claims: &Map<String, Value>) -> (Option<String>, Option<String>) {
        let text = |claim: &String| {
            let text = claims.get(claim).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        match self {
            Principal::First { claims, domain } => {
                let Some(found) = claims.iter().find_map(text) else {
                    return (None, None);
                };
                let name = found.split('@').next().unwrap_or_default().to_lowercase();
                let address = match domain {
                    _ if found.contains('@') => Some(found),
                    Some(domain) => Some(format!("{found}@{domain}")),
                    None => None,
                };
                (Some(name).filter(|name| !name.is_empty()), address)
            }
            Principal::Mapped { username, email } => {
                let name = text(username).map(|name| name.to_lowercase());
                (name, text(email))
            }
        }
    }
}

fn wrong(found: &str) -> String {
    format!("expected `username:CLAIM` and `email:CLAIM`, each once, found {found}")
}
