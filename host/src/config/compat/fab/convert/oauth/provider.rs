//! One of OAUTH_PROVIDERS: its members by name, which are taken one by one. Nothing is written
//! out of it but what is known to be no secret.

use std::collections::BTreeMap;

use super::{KEY, Source};
use crate::config::compat::fab::document;
use crate::config::compat::fab::value::{At, Default, Env, Value};

/// Members that have no part in how people come in here.
const OF_NO_MEANING: [&str; 9] = [
    "icon",
    "token_key",
    "token_secret",
    "remote_app.access_token_method",
    "remote_app.grant_type",
    "remote_app.name",
    "remote_app.request_token_url",
    "remote_app.response_type",
    "remote_app.client_kwargs.response_type",
];

/// A provider's members: `name`, `remote_app.client_id`, `remote_app.client_kwargs.scope`.
pub(super) struct Provider<'a> {
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) id: String,
    members: BTreeMap<String, &'a At>,
    /// What the discovery document tells again.
    discovered: Vec<String>,
}

impl<'a> Provider<'a> {
    pub(super) fn new(source: &mut Source<'_>, line: usize, members: &'a [(At, At)]) -> Self {
        let mut provider = Provider {
            line,
            name: String::new(),
            id: String::new(),
            members: BTreeMap::new(),
            discovered: Vec::new(),
        };
        provider.flatten(source, "", members);
        if let Some(At {
            value: Value::Text(name),
            ..
        }) = provider.take("name")
        {
            let name = name.chars().filter(|c| !c.is_control());
            provider.name = name.take(64).collect();
        }
        provider
    }

    fn flatten(&mut self, source: &mut Source<'_>, within: &str, members: &'a [(At, At)]) {
        for (key, at) in members {
            let Value::Text(name) = &key.value else {
                let what = format!("a key that is {}", key.value.kind());
                source.lacking(KEY, key, &what, "");
                continue;
            };
            let path = format!("{within}{name}");
            let maps = ["remote_app", "remote_app.client_kwargs"];
            match &at.value {
                Value::Dict(inner) if maps.contains(&path.as_str()) => {
                    self.flatten(source, &format!("{path}."), inner);
                }
                // As in Python, the last one of a name counts.
                _ => drop(self.members.insert(path, at)),
            }
        }
    }

    /// A member that is dealt with from now on.
    pub(super) fn take(&mut self, member: &str) -> Option<&'a At> {
        self.members.remove(member)
    }

    /// A member of `remote_app`, or of its `client_kwargs` by `client_kwargs.NAME`.
    pub(super) fn app(&mut self, member: &str) -> Option<&'a At> {
        self.take(&format!("remote_app.{member}"))
    }

    /// The text of a member of `remote_app`, if it is known; the member stays.
    pub(super) fn known(&self, member: &str) -> Option<&'a str> {
        match &self.members.get(&format!("remote_app.{member}"))?.value {
            Value::Text(text) => Some(text.as_str()).filter(|text| is_open(text)),
            _ => None,
        }
    }

    /// These members of `remote_app` say what the discovery document says.
    pub(super) fn discover(&mut self, members: &[&str]) {
        for member in members {
            if self.app(member).is_some_and(|at| at.value != Value::None) {
                self.discovered.push((*member).to_owned());
            }
        }
    }

    /// A member as YAML.
    pub(super) fn text(
        &self,
        source: &mut Source<'_>,
        member: &str,
        at: &'a At,
        to: &str,
    ) -> Option<String> {
        let key = self.key(member);
        let to = format!("backends.{}.config.{to}", self.id);
        let closed = match &at.value {
            Value::Text(text)
            | Value::Env(Env {
                default: Default::Text(text),
                ..
            }) => !is_open(text),
            _ => false,
        };
        if closed {
            let what = "a url with a user or a query in it, which was not written out";
            let help = format!("write it without them at {to}");
            source.lacking(&key, at, what, &help);
            return None;
        }
        source.text_of(&key, at, &to)
    }

    /// A variable of our own for what must be decided: nobody comes in before it is set.
    pub(super) fn variable(&self, what: &str) -> String {
        let id = self.id.to_ascii_uppercase();
        format!("OAUTH_{id}_{what}")
    }

    /// Tells that something is to be decided, and gives the variable that waits for it.
    pub(super) fn undecided(&self, source: &mut Source<'_>, key: &str, why: &str) -> String {
        let variable = self.variable(&key.to_ascii_uppercase());
        let at = self.here();
        let to = format!("backends.{}.config.{key}", self.id);
        let help = format!("write it at {to}, or set {variable}");
        source.lacking(&self.key(key), &at, why, &help);
        format!("\"${{{variable}}}\"")
    }

    pub(super) fn here(&self) -> At {
        At {
            line: self.line,
            value: Value::None,
        }
    }

    /// A member's name, for a remark.
    pub(super) fn key(&self, member: &str) -> String {
        let member = member.rsplit('.').next().unwrap_or(member);
        format!("{KEY} \"{}\" {member}", self.name)
    }

    /// Says what became of the members that nothing took.
    pub(super) fn leftover(&mut self, source: &mut Source<'_>) {
        let mut unread = Vec::new();
        for (member, at) in std::mem::take(&mut self.members) {
            if at.value == Value::None {
                continue;
            }
            if OF_NO_MEANING.contains(&member.as_str()) {
                unread.push(member.rsplit('.').next().unwrap_or_default().to_owned());
                continue;
            }
            let shown: String = member
                .chars()
                .filter(|c| !c.is_control())
                .take(64)
                .collect();
            let help = "see what it does, and write what is needed into the backend";
            let kind = at.value.kind();
            source.lacking(&self.key(&shown), at, kind, help);
        }
        let here = self.here();
        let key = format!("{KEY} \"{}\"", self.name);
        for (members, what) in [
            (unread, "of no meaning here"),
            (
                std::mem::take(&mut self.discovered),
                "what the provider says of itself",
            ),
        ] {
            if !members.is_empty() {
                source.note(&key, &here, &format!("{what}: {}", members.join(", ")), "");
            }
        }
    }
}

/// Texts as YAML on one line, where all of them are known.
pub(super) fn list(texts: &[&str]) -> String {
    document::list(texts.iter().copied())
}

/// A url may hold a password before its host, or in its query.
fn is_open(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return true;
    };
    let host = rest.split('/').next().unwrap_or_default();
    !host.contains('@') && !rest.contains(['?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_with_a_secret_is_not_written_out() {
        for (url, open) in [
            ("https://a:b@c/d", false),
            ("https://c/d?code=x", false),
            ("https://c/d@e", true),
            ("a@b", true),
        ] {
            assert_eq!(is_open(url), open, "{url}");
        }
    }
}
