//! What the operator asks for, in the query: `audience=NAME` (as `tokens.audiences` has it, or
//! its `aud`), and `role=NAME`, as often as there are roles of which any one is enough.
//!
//! `path=` ends it. Envoy writes the path of the original request, and with it the client's own
//! query, behind what the operator wrote: `/auth/verify?role=Op&path=` + `/jobs?role=Public`.
//! What it does not know it refuses: a condition with a slip in its name must not count as none.

use std::borrow::Cow;

use url::form_urlencoded::parse;

use crate::token::Issuer;
use crate::token::audience::Audience;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    /// For whom the token must be; none = it is not said.
    pub(super) audience: Option<&'a Audience>,
    /// Any one of them is enough; none = nothing is asked for.
    roles: Vec<String>,
}

/// The operator's mistake.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mistake {
    #[error("there is no such audience in tokens.audiences")]
    NoSuchAudience,
    #[error("audience may be there once")]
    Twice,
    #[error("role is empty")]
    NoRole,
    #[error("it knows the parameters audience and role, and path, which ends them")]
    Unknown,
}

impl<'a> Asked<'a> {
    pub(super) fn of(issuer: &'a Issuer, query: Option<&str>) -> Result<Self, Mistake> {
        let mut asked = Asked::default();
        for pair in query.unwrap_or_default().split('&') {
            let Some((name, value)) = parse(pair.as_bytes()).next() else {
                continue;
            };
            match &*name {
                "path" => break,
                "audience" if asked.audience.is_some() => return Err(Mistake::Twice),
                "audience" => {
                    let found = issuer.find(&value);
                    asked.audience = Some(found.ok_or(Mistake::NoSuchAudience)?);
                }
                "role" if value.is_empty() => return Err(Mistake::NoRole),
                "role" => asked.roles.push(Cow::into_owned(value)),
                _ => return Err(Mistake::Unknown),
            }
        }
        Ok(asked)
    }

    /// Is it enough, to have these roles?
    pub(super) fn lets_in<'r>(&self, mut roles: impl Iterator<Item = &'r str>) -> bool {
        self.roles.is_empty() || roles.any(|role| self.roles.iter().any(|asked| asked == role))
    }

    /// The audience's name; empty = the default one, or any that a trusted issuer's tokens have.
    pub(super) fn name(&self) -> &'a str {
        let name = self.audience.and_then(|audience| audience.name.as_deref());
        name.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::config::Config;

    fn issuer() -> Issuer {
        let tokens = json!({ "audiences": { "lake": { "aud": "https://lake.example" } } });
        let config = Config {
            tokens: serde_json::from_value(tokens).unwrap(),
            ..Config::default()
        };
        Issuer::new(&config, "https://me".into())
    }

    fn read(query: &str) -> Result<(String, Vec<String>), Mistake> {
        let issuer = issuer();
        let asked = Asked::of(&issuer, Some(query))?;
        let aud = asked.audience.map_or("", |audience| &audience.aud);
        Ok((aud.to_owned(), asked.roles))
    }

    #[test]
    fn audience_and_roles_are_read() {
        for (query, aud, roles) in [
            ("", "", vec![]),
            ("audience=lake", "https://lake.example", vec![]),
            (
                "audience=https%3A%2F%2Flake.example&role=Op",
                "https://lake.example",
                vec!["Op"],
            ),
            ("role=Op&role=A+b", "", vec!["Op", "A b"]),
            ("audience=apache-airflow", "apache-airflow", vec![]),
        ] {
            let roles: Vec<String> = roles.into_iter().map(str::to_owned).collect();
            assert_eq!(read(query), Ok((aud.to_owned(), roles)), "{query}");
        }
    }

    #[test]
    fn s17_what_a_client_appends_behind_path_changes_nothing() {
        for client in [
            "/jobs",
            "/?role=Public",
            "/&role=x&audience=lake",
            "/?audiance=x",
        ] {
            let query = format!("role=Op&path={client}");
            assert_eq!(read(&query), Ok((String::new(), vec!["Op".into()])));
        }
    }

    #[test]
    fn slips_are_refused_rather_than_taken_for_no_condition() {
        for (query, mistake) in [
            ("audience=sea", Mistake::NoSuchAudience),
            ("audience=", Mistake::NoSuchAudience),
            ("audience", Mistake::NoSuchAudience),
            ("audience=lake&audience=lake", Mistake::Twice),
            ("role=", Mistake::NoRole),
            ("roles=Op", Mistake::Unknown),
            ("Role=Op", Mistake::Unknown),
            ("access_token=x", Mistake::Unknown),
        ] {
            assert_eq!(read(query), Err(mistake), "{query}");
        }
    }
}
