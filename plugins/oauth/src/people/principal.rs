//! OpenMetadata's names: `jwtPrincipalClaims` and `jwtPrincipalClaimsMapping`.

use serde_json::{Map, Value};

/// The claim that `email_verified` speaks of.
pub(super) const EMAIL: &str = "email";

/// What the claims say; either may be missing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
    /// The address is the claim `email`.
    pub(crate) is_email: bool,
}

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

    /// Name and address. What is before the `@` of an address that is not believed may be
    /// anybody's name: no name is made of it.
    pub(crate) fn of(&self, claims: &Map<String, Value>, believed: bool) -> Named {
        let text = |claim: &str| {
            let text = claims.get(claim).and_then(Value::as_str).map(str::trim);
            text.filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let names = |claim: &&String| believed || *claim != EMAIL;
        match self {
            Principal::First { claims, domain } => {
                let mut all = claims.iter().filter(names);
                let found = all.find_map(|claim| Some((claim, text(claim)?)));
                let Some((claim, found)) = found else {
                    return Named::default();
                };
                let name = found.split('@').next().unwrap_or_default().to_lowercase();
                let is_email = claim == EMAIL && found.contains('@');
                let address = match domain {
                    _ if found.contains('@') => Some(found),
                    Some(domain) => Some(format!("{found}@{domain}")),
                    None => None,
                };
                Named {
                    name: Some(name).filter(|name| !name.is_empty()),
                    address,
                    is_email,
                }
            }
            Principal::Mapped { username, email } => {
                let name = Some(username).filter(names).and_then(|claim| text(claim));
                Named {
                    name: name.map(|name| name.to_lowercase()),
                    address: text(email),
                    is_email: email == EMAIL,
                }
            }
        }
    }
}

fn wrong(found: &str) -> String {
    format!("expected `username:CLAIM` and `email:CLAIM`, each once, found {found}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn of(principal: &Principal, claims: Value) -> (Option<String>, Option<String>) {
        let named = principal.of(claims.as_object().unwrap(), true);
        (named.name, named.address)
    }

    #[test]
    fn first_claim_that_is_there_makes_name_and_address() {
        let claims = ["email", "preferred_username", "sub"]
            .map(str::to_owned)
            .to_vec();
        let domain = Some("example.com".to_owned());
        let first = Principal::First { claims, domain };
        let some = |name: &str, address: &str| (Some(name.to_owned()), Some(address.to_owned()));
        assert_eq!(
            of(&first, json!({ "sub": "1", "email": "Ada.L@Example.com" })),
            some("ada.l", "Ada.L@Example.com")
        );
        assert_eq!(
            of(&first, json!({ "email": " ", "preferred_username": "Ada" })),
            some("ada", "Ada@example.com")
        );
        assert_eq!(of(&first, json!({ "email": 7 })), (None, None));
    }

    #[test]
    fn mapping_needs_both_and_nothing_else() {
        let mapped = |entries: &[&str]| {
            let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
            Principal::mapped(&entries)
        };
        let both = mapped(&["email:mail", "username:upn"]).unwrap();
        assert_eq!(
            of(&both, json!({ "upn": "ADA", "mail": "ada@x.org" })),
            (Some("ada".to_owned()), Some("ada@x.org".to_owned()))
        );
        for entries in [
            &["username:upn"][..],
            &["email:mail"],
            &["username:a", "email:b", "team:c"],
            &["username:", "email:b"],
            &["username:a", "username:b", "email:c"],
            &["username", "email:b"],
            &[],
        ] {
            assert!(mapped(entries).is_err(), "{entries:?}");
        }
    }
}
