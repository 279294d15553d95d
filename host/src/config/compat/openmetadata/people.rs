//! Who OpenMetadata's users are: which claims name them, which domains come in, and what roles
//! they have.

use serde_json::{Value, json};

use super::mapping::{Mapping, auth};
use super::sso::{Backend, authorizer};
use crate::config::report::Notice;

impl Mapping<'_> {
    /// Whose name is which claim.
    pub(super) fn claims(&mut self, backend: &Backend, by_roles: bool) {
        for (key, to) in [
            ("jwtPrincipalClaims", "config.principal_claims"),
            (
                "jwtPrincipalClaimsMapping",
                "config.principal_claims_mapping",
            ),
        ] {
            let from = auth(key);
            let claims = self.list(&from);
            if !claims.is_empty() {
                self.give(&from, backend.at(to), json!(claims));
            }
            self.take(&[key]);
        }
        for (key, to) in [
            ("emailClaim", "config.claims.email"),
            ("jwtTeamClaimMapping", "config.claims.groups"),
        ] {
            let from = auth(key);
            match self.text(&from) {
                Some(_) if by_roles && key == "jwtTeamClaimMapping" => continue, // told as of no meaning: one claim gives groups
                Some(claim) => self.give(&from, backend.at(to), json!(quoted(&claim))),
                None => {}
            }
            self.take(&[key]);
        }
        let from = authorizer("principalDomain");
        if let Some(domain) = self.text(&from) {
            let to = backend.at("config.principal_domain");
            self.give(&from, to, json!(domain));
        }
        self.taken.insert(from);
    }

    pub(super) fn domains(&mut self, backend: &Backend) {
        let mut lists = vec!["allowedEmailDomains"];
        let enforced = self.flag(&authorizer("enforcePrincipalDomain")) == Some(true);
        let allowed = authorizer("allowedDomains");
        if !enforced && !self.list(&allowed).is_empty() {
            let message =
                format!("`{allowed}` keeps nobody out: enforcePrincipalDomain is not true");
            let notice = Notice::new(self.origin(&allowed).place, message);
            let help = "set it to true, or leave the domains out";
            self.said.notices.push(notice.help(help));
        }
        self.taken
            .extend([allowed, authorizer("enforcePrincipalDomain")]);
        if enforced {
            lists.insert(0, "allowedDomains");
        }
        for key in lists {
            let from = authorizer(key);
            let domains = self.list(&from);
            self.taken.insert(from.clone());
            if !domains.is_empty() {
                return self.give(&from, backend.at("config.email_domains"), json!(domains));
            }
        }
        let from = authorizer("principalDomain");
        if let Some(domain) = self.text(&from).filter(|_| enforced) {
            self.give(&from, backend.at("config.email_domains"), json!([domain]));
        }
    }

    pub(super) fn roles(&mut self, backend: &Backend, by_roles: bool) {
        if by_roles {
            let from = authorizer("useRolesFromProvider");
            self.give(&from, backend.at("config.claims.groups"), json!("roles"));
            self.give(&from, backend.at("roles.pass"), json!(["*"]));
            self.give(&from, backend.at("roles.sync"), json!("replace"));
        }
        let from = authorizer("defaultOAuthRole");
        if let Some(role) = self.text(&from).filter(|role| role != "null") {
            self.give(&from, backend.at("roles.default"), json!([role]));
        }
        self.taken.insert(from);
        let from = auth("enableSelfSignup");
        let Some(registers) = self.flag(&from) else {
            return;
        };
        self.take(&["enableSelfSignup"]);
        self.give(&from, backend.at("registration"), json!(registers));
        if !registers && self.at(&backend.at("provision")).is_none() {
            let key = &backend.key;
            let message = format!(
                "`{from}` is false, and `{key}` has no `provision`: whomever the provider knows gets a token"
            );
            let notice = Notice::new(self.origin(&from).place, message);
            let help = format!(
                "write `{key}: {{ plugin: oauth, provision: {{ backend: users, link: username }} }}`: then only whose name has a row there"
            );
            self.said.notices.push(notice.help(help));
        }
    }
}

/// A claim's name as a JMESPath expression.
fn quoted(claim: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match claim.chars().all(plain) && !claim.starts_with(|c: char| c.is_ascii_digit()) {
        true => claim.to_owned(),
        false => Value::from(claim).to_string(),
    }
}
