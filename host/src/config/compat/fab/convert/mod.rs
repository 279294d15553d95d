//! Flask-AppBuilder's keys as keys of ours. The table of all that is known is split by what a
//! key is about: [`ldap`], [`oauth`], [`roles`], [`limits`], [`redirects`], and [`leftover`] for the rest.

mod ldap;
mod leftover;
mod limits;
mod oauth;
mod redirects;
mod roles;

use std::collections::BTreeSet;

use super::Remark;
use super::document::{self, Map};
use super::python::Module;
use super::value::{At, AuthType, Value};

/// Airflow's own database, by its own variables.
const AIRFLOW: &str =
    "${AIRFLOW__DATABASE__SQL_ALCHEMY_CONN:-sqlite:///${AIRFLOW_HOME:-/opt/airflow}/airflow.db}";

/// The configuration that does what the module's settings do.
pub(super) fn convert(module: &Module, remarks: &mut Vec<Remark>) -> String {
    let mut source = Source {
        module,
        remarks,
        taken: BTreeSet::new(),
    };
    let auth = source.auth();
    let mut document = Map::default();
    document.comment(
        "Made of a webserver_config.py by `countersign config import-fab`: read it, then run",
    );
    document.comment(
        "`countersign check`, and `countersign check --probe USER` for one of your users.",
    );
    let mut server = Map::default();
    limits::convert(&mut source, &mut server);
    if auth == AuthType::OAuth {
        redirects::convert(&mut source, &mut server);
    }
    document.map("server", server, "");
    let mut backends = Map::default();
    let registers = match auth {
        AuthType::Ldap => {
            ldap::convert(&mut source, &mut backends);
            true
        }
        AuthType::OAuth => oauth::convert(&mut source, &mut backends),
        _ => {
            roles::without_directory(&mut source, auth);
            false
        }
    };
    if registers {
        let mut tokens = Map::default();
        let comment = "`sub` is the bare ab_user.id, for users of the backends before it, too";
        tokens.put("subject_backend", "airflow", comment);
        document.map("tokens", tokens, "");
    }
    let mut airflow = Map::default();
    airflow.put("plugin", "db", "AUTH_DB");
    let mut config = Map::default();
    config.put("url", AIRFLOW, "Airflow's own database");
    let full = "users of the backends before it are registered here; `counters` writes log-in statistics only";
    match registers {
        true => config.put("access", "full", full),
        false => config.put("access", "counters", ""),
    }
    airflow.map("config", config, "");
    backends.map("airflow", airflow, "");
    document.map("backends", backends, "");
    leftover::tell(&mut source, auth);
    document.written()
}

/// The settings, as they are taken one by one, and what there is to say of them.
struct Source<'a> {
    module: &'a Module,
    remarks: &'a mut Vec<Remark>,
    taken: BTreeSet<String>,
}

impl<'a> Source<'a> {
    /// Which of FAB's ways holds.
    fn auth(&mut self) -> AuthType {
        const KEY: &str = "AUTH_TYPE";
        let unsure = self.module.is_unsure(KEY);
        let nowhere = At {
            line: 0,
            value: Value::None,
        };
        let at = match self.take(KEY) {
            Some(at) => at,
            None if unsure => &nowhere,
            // Flask-AppBuilder's default.
            None => return AuthType::Db,
        };
        let auth = match &at.value {
            _ if unsure => None,
            Value::AuthType(auth) => Some(*auth),
            Value::Int(number) => AuthType::numbered(*number),
            _ => None,
        };
        let Some(auth) = auth else {
            let module = self.module;
            let is_set = |key| module.assigned.contains_key(key) || module.is_unsure(key);
            let guess = if is_set("AUTH_LDAP_SERVER") {
                AuthType::Ldap
            } else if is_set("OAUTH_PROVIDERS") {
                AuthType::OAuth
            } else {
                AuthType::Db
            };
            let help = format!("taken for {}, by the other settings", guess.name());
            let what = match unsure {
                true => "it depends on a condition",
                false => at.value.kind(),
            };
            self.lacking(KEY, at, what, &help);
            return guess;
        };
        match auth {
            AuthType::Db | AuthType::Ldap | AuthType::OAuth => {}
            AuthType::RemoteUser => {
                let help = "let the proxy exchange its own log-in for a token by a plugin of yours; the database answers passwords";
                self.lacking("AUTH_TYPE", at, "AUTH_REMOTE_USER", help);
            }
            AuthType::OpenId | AuthType::Saml => {
                let help = "there is no plugin for it; the database answers passwords";
                self.lacking("AUTH_TYPE", at, auth.name(), help);
            }
        }
        auth
    }

    /// The setting of this name, if it is there. It is dealt with from now on.
    fn take(&mut self, key: &str) -> Option<&'a At> {
        let at = self.module.assigned.get(key)?;
        self.taken.insert(key.to_owned());
        Some(at)
    }

    /// A text as YAML; none if there is none, or an empty one.
    fn text(&mut self, key: &str, to: &str) -> Option<String> {
        let at = self.take(key)?;
        self.text_of(key, at, to)
    }

    /// The same of a value inside of a setting.
    fn text_of(&mut self, key: &str, at: &At, to: &str) -> Option<String> {
        match &at.value {
            Value::None => None,
            Value::Text(text) if text.is_empty() => None,
            Value::Text(text) => Some(document::text(text)),
            Value::Env(env) => {
                let written = document::variable(env);
                if written.is_none() {
                    let what = "a variable whose default has signs that a default cannot have";
                    let help = format!("set {}, and write ${{{}}} at {to}", env.name, env.name);
                    self.lacking(key, at, what, &help);
                }
                written
            }
            other => {
                self.by_hand(key, at, other.kind(), to);
                None
            }
        }
    }

    /// A text that must be known to be looked at.
    fn literal(&mut self, key: &str, to: &str) -> Option<&'a str> {
        let at = self.take(key)?;
        match &at.value {
            Value::None => None,
            Value::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            other => {
                self.by_hand(key, at, other.kind(), to);
                None
            }
        }
    }

    fn flag(&mut self, key: &str, to: &str) -> Option<bool> {
        let at = self.take(key)?;
        let truth = at.value.truth();
        if let Value::Env(env) = &at.value {
            let help = format!(
                "Python takes every text but an empty one for true, False as well; decide, and write it at {to}"
            );
            let what = format!("a boolean of the variable {}", env.name);
            self.lacking(key, at, &what, &help);
        } else if truth.is_none() {
            self.by_hand(key, at, at.value.kind(), to);
        }
        truth
    }

    /// A value that only Python could evaluate.
    fn by_hand(&mut self, key: &str, at: &At, what: &str, to: &str) {
        let help = match &at.value {
            Value::Other(other) if !other.help.is_empty() => format!("at {to} {}", other.help),
            _ => format!("write what it is at {to}"),
        };
        self.lacking(key, at, what, &help);
    }

    fn lacking(&mut self, key: &str, at: &At, what: &str, help: &str) {
        let remark = Remark::new(at.line, key, what).help(help);
        self.remarks.push(remark);
    }

    fn note(&mut self, key: &str, at: &At, what: &str, help: &str) {
        let remark = Remark::new(at.line, key, what).help(help).note();
        self.remarks.push(remark);
    }
}
