//! What is read of claims: `claims`, `required`, `email_domains` and `principal_claims`, compiled.

use serde_json::{Map, Value};

use super::{Believed, Domains, Path, Principal};

/// Where in the claims a user's fields are, and what they must say.
#[derive(Default)]
pub(crate) struct Reading {
    /// Instead of `sub`.
    pub(crate) subject: Option<Path>,
    /// The first that is there is the name.
    pub(crate) username: Vec<Path>,
    pub(crate) email: Option<Path>,
    pub(crate) first_name: Option<Path>,
    pub(crate) last_name: Option<Path>,
    pub(crate) groups: Option<Path>,
    /// Where there is nothing, they were not asked for: a user without groups has an empty list.
    pub(crate) groups_are_told: bool,
    /// Groups are folded: the provider's names are the same in any case.
    pub(crate) fold_groups: bool,
    pub(crate) attributes: Vec<(String, Path)>,
    /// Claims that must have one of these values.
    pub(crate) required: Vec<(Path, Vec<String>)>,
    /// Instead of `username` and `email`.
    pub(crate) principal: Option<Principal>,
    pub(crate) believed: Believed,
    /// None = all.
    pub(crate) domains: Option<Domains>,
}

impl Reading {
    /// Is there something to be read that these claims do not have?
    pub(crate) fn lacks(&self, claims: &Map<String, Value>) -> bool {
        let is_there = |path: &Path| matches!(path.of(claims), Ok(Some(_)));
        let one = [
            &self.subject,
            &self.first_name,
            &self.last_name,
            &self.groups,
        ];
        let own = one.into_iter().flatten();
        let attributes = self.attributes.iter().map(|(_, path)| path);
        let required = self.required.iter().map(|(path, _)| path);
        let named = match &self.principal {
            Some(principal) => {
                let believed = self.believed.holds(claims, true);
                principal.of(claims, believed).name.is_some()
            }
            None => self.username.iter().any(is_there) && self.email.iter().all(is_there),
        };
        !named || !own.chain(attributes).chain(required).all(is_there)
    }
}
