//! What stands on the right of an assignment.

/// A Python value as far as it is known without running anything.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    Text(String),
    /// A variable of the environment.
    Env(Env),
    /// `AUTH_DB` and its like.
    AuthType(AuthType),
    /// A list, a tuple or a set.
    List(Vec<At>),
    Dict(Vec<(At, At)>),
    Other(Other),
}

/// A value and its line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// `os.environ["X"]`, `os.environ.get("X", "default")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Env {
    pub(super) name: String,
    pub(super) default: Default,
}

/// What a variable that is not set stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Default {
    /// An error.
    Required,
    /// `None`.
    Nothing,
    Text(String),
}

/// What only Python could evaluate: what kind of thing it is, never its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Other {
    pub(super) what: String,
    pub(super) help: String,
}

/// Flask-AppBuilder's `AUTH_TYPE`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AuthType {
    OpenId,
    Db,
    Ldap,
    RemoteUser,
    OAuth,
    Saml,
}

/// Their names and numbers.
const AUTHS: [(&str, i64, AuthType); 6] = [
    ("AUTH_OID", 0, AuthType::OpenId),
    ("AUTH_DB", 1, AuthType::Db),
    ("AUTH_LDAP", 2, AuthType::Ldap),
    ("AUTH_REMOTE_USER", 3, AuthType::RemoteUser),
    ("AUTH_OAUTH", 4, AuthType::OAuth),
    ("AUTH_SAML", 5, AuthType::Saml),
];

impl AuthType {
    pub(super) fn named(name: &str) -> Option<AuthType> {
        let found = AUTHS.iter().find(|(known, _, _)| *known == name);
        found.map(|(_, _, auth)| *auth)
    }

    pub(super) fn numbered(number: i64) -> Option<AuthType> {
        let found = AUTHS.iter().find(|(_, known, _)| *known == number);
        found.map(|(_, _, auth)| *auth)
    }

    pub(super) fn name(self) -> &'static str {
        let found = AUTHS.iter().find(|(_, _, known)| *known == self);
        found.map_or("", |(name, _, _)| name)
    }
}

impl Value {
    /// Of what kind it is, for people.
    pub(super) fn kind(&self) -> &str {
        match self {
            Value::None => "None",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "a number",
            Value::Text(_) => "a text",
            Value::Env(_) => "a variable of the environment",
            Value::AuthType(auth) => auth.name(),
            Value::List(_) => "a list",
            Value::Dict(_) => "a dict",
            Value::Other(other) => &other.what,
        }
    }

    /// What Python's `if` makes of it, where that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Value::None => Some(false),
            Value::Bool(truth) => Some(*truth),
            Value::Int(number) => Some(*number != 0),
            Value::Text(text) => Some(!text.is_empty()),
            Value::List(items) => Some(!items.is_empty()),
            Value::Dict(items) => Some(!items.is_empty()),
            Value::AuthType(_) | Value::Env(_) | Value::Other(_) => None,
        }
    }

    /// How many values it is made of.
    pub(super) fn size(&self) -> usize {
        let sum =
            |values: &mut dyn Iterator<Item = &At>| values.map(|at| at.value.size()).sum::<usize>();
        1 + match self {
            Value::List(items) => sum(&mut items.iter()),
            Value::Dict(items) => sum(&mut items.iter().flat_map(|(key, value)| [key, value])),
            Value::Text(text) => text.len() / 64,
            _ => 0,
        }
    }
}
