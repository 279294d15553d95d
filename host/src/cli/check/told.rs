//! What a probe found, in the shape of `--json`.

use serde::Serialize;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// In the order of the file.
    pub(super) backends: Vec<Health>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) trust: Vec<Fetched>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Asked>,
}

/// Whether a backend can be reached.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    pub(super) backend: String,
    pub(super) reachable: bool,
    pub(super) millis: u64,
    /// Why not.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) error: String,
}

/// The keys of a trusted issuer.
#[derive(Debug, Default, Serialize)]
pub(super) struct Fetched {
    pub(super) issuer: String,
    /// From where, without a password.
    pub(super) url: String,
    pub(super) millis: u64,
    /// How many can be used.
    pub(super) keys: usize,
    /// Which cannot, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refused: Vec<String>,
    /// Why there are none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) error: String,
    /// What to do about it; may be empty.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(super) help: &'static str,
}

/// What the backends know of a name.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    pub(super) name: String,
    pub(super) backends: Vec<Answer>,
}

/// One backend's answer.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    pub(super) backend: String,
    pub(super) millis: u64,
    /// Why it would not be asked at a login of this name, or not by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) conditions: Vec<String>,
    pub(super) found: Found,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<Known>,
}

/// How a look-up ended.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome", content = "reason")]
pub(super) enum Found {
    Known,
    Unknown,
    /// It knows him, and would not let him in.
    Refused(String),
    /// It offers no look-up.
    NotOffered,
    /// It was not asked: its `match` excludes this name, or it logs nobody in.
    NotAsked,
    Failed(String),
}

/// A user whom a backend knows.
#[derive(Debug, Serialize)]
pub(super) struct Known {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) name: String,
    pub(super) groups: Vec<Group>,
    pub(super) roles: Vec<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) row: Option<Row>,
}

/// A group, and the roles that it gives.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) group: String,
    pub(super) roles: Vec<String>,
    /// By which rule; or which one it misses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) because: Vec<String>,
    /// Is it a key that it misses narrowly?
    pub(super) missed: bool,
}

/// A role, and where it comes from.
#[derive(Debug, Serialize)]
pub(super) struct Role {
    pub(super) role: String,
    pub(super) from: Vec<&'static str>,
}

/// What provisioning would do.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) backend: String,
    pub(super) what: String,
    /// Would he be let in?
    pub(super) admitted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) roles: Option<Vec<String>>,
}

impl Told {
    /// What is wrong, and what to do; none if nothing is.
    pub(super) fn verdict(&self) -> Option<(String, &'static str)> {
        let down: Vec<&str> = self
            .backends
            .iter()
            .filter(|health| !health.reachable)
            .map(|health| health.backend.as_str())
            .collect();
        if !down.is_empty() {
            let what = format!("cannot be reached: {}", down.join(", "));
            return Some((what, "what each said stands above; see backends.ID.config"));
        }
        let without: Vec<&str> = self
            .trust
            .iter()
            .filter(|fetched| !fetched.error.is_empty())
            .map(|fetched| fetched.url.as_str())
            .collect();
        if !without.is_empty() {
            let what = format!("no keys of a trusted issuer from {}", without.join(", "));
            return Some((
                what,
                "the reason stands above; see trust[].jwks_url and tls.ca",
            ));
        }
        let asked = self.user.as_ref()?;
        let answers = || asked.backends.iter();
        if let Some(failed) = answers().find(|answer| matches!(answer.found, Found::Failed(_))) {
            let what = format!("the look-up failed in {}", failed.backend);
            return Some((what, "what it said stands above; see backends.ID.config"));
        }
        let refused_row = |known: &Known| known.row.as_ref().is_some_and(|row| !row.admitted);
        match answers().find(|answer| matches!(answer.found, Found::Known | Found::Refused(_))) {
            Some(Answer {
                found: Found::Known,
                user: Some(known),
                ..
            }) if refused_row(known) => Some((
                format!("{} would not be let in: see his row", asked.name),
                "see backends.ID.provision and registration",
            )),
            Some(Answer {
                found: Found::Known,
                ..
            }) => None,
            Some(_) => Some((
                format!("{} would not be let in", asked.name),
                "the reason stands above",
            )),
            None if answers().any(|answer| answer.found == Found::NotOffered) => None,
            None => Some((
                format!("no backend knows {}", asked.name),
                "is the name spelt as it is typed at a log-in? see search and match of the backend that should know it",
            )),
        }
    }
}
