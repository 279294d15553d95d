//! Which of Flask-AppBuilder's two flows the settings mean, and what it lacks.

use crate::config::Config;
use crate::name::BindName;

/// Flask-AppBuilder's two ways.
pub(crate) enum Flow {
    /// The service account finds the entry, then that is bound.
    Indirect,
    /// A name made of the typed one is bound at once.
    Direct(BindName),
}

/// Who looks users up.
pub(super) fn accounts(config: &Config) -> Vec<(&'static str, Result<(), String>)> {
    let mut found = Vec::new();
    // That `bind_dn` has a password is checked where it is bound.
    if config.bind_dn.is_none() && config.bind_password.is_some() {
        let text = "expected the name that `bind_password` belongs to, found none";
        found.push(("bind_dn", Err(text.to_owned())));
    }
    let ways = [
        ("bind_dn", config.bind_dn.is_some()),
        ("sasl_external", config.sasl_external),
        ("anonymous", config.anonymous),
    ];
    let set: Vec<&str> = ways
        .iter()
        .filter(|(_, is)| *is)
        .map(|(key, _)| *key)
        .collect();
    if let [_, second, ..] = set.as_slice() {
        let text = format!(
            "expected one way to look users up, found {}; keep one of them",
            set.join(" and ")
        );
        found.push((second, Err(text)));
    }
    found
}

/// How a user comes in, or the key that is missing.
pub(super) fn flow(config: &Config) -> Result<Flow, (&'static str, String)> {
    let has_base = !config.search.base.is_empty();
    if config.is_indirect() {
        if !has_base {
            let text = "expected the entry below which users are searched, found none; as in ou=people,dc=example,dc=com";
            return Err(("search.base", text.to_owned()));
        }
        return Ok(Flow::Indirect);
    }
    let domain = config.append_domain.as_deref();
    if domain
        .is_some_and(|domain| domain.starts_with('@') || domain.chars().any(char::is_whitespace))
    {
        return Err((
            "append_domain",
            "expected a domain without @, as in example.com".to_owned(),
        ));
    }
    if config.username_format.is_none() && domain.is_none() {
        return Err((
            "bind_dn",
            "expected `bind_dn` and `bind_password` (or `sasl_external`, or `anonymous`), which look users up, or \
             `username_format` or `append_domain`, which say by what name they are bound; found none of them"
                .to_owned(),
        ));
    }
    let name = BindName::parse(config.username_format.as_deref(), domain)
        .map_err(|text| ("username_format", text))?;
    if !has_base && !config.search.filter.trim().is_empty() {
        let text = "expected the entry below which users are searched, since without it `search.filter` keeps nobody out";
        return Err(("search.base", text.to_owned()));
    }
    if !has_base && config.attributes.id != "auto" {
        let text = "expected the entry below which users are searched, since `attributes.id` is read from their entries";
        return Err(("search.base", text.to_owned()));
    }
    if !has_base
        && !config.groups.base.is_empty()
        && !name.is_dn()
        && config.groups.filter.contains("{dn}")
    {
        let text =
            "expected the entry below which users are searched, since `groups.filter` needs {dn}";
        return Err(("search.base", text.to_owned()));
    }
    Ok(Flow::Direct(name))
}
