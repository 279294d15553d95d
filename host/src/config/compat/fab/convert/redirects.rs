//! Where a login may lead back to → `server.login.return_to`.

use super::Source;
use crate::config::compat::fab::document::{self, Map};
use crate::config::compat::fab::value::Value;

const KEY: &str = "FAB_SAFE_REDIRECT_HOSTS";

/// FAB lists hosts, by patterns; here are origins, each whole.
pub(super) fn convert(source: &mut Source<'_>, server: &mut Map) {
    let Some(at) = source.take(KEY) else { return };
    let hosts = match &at.value {
        Value::List(hosts) => hosts.as_slice(),
        other if other.truth() == Some(false) => return,
        other => return source.by_hand(KEY, at, other.kind(), "server.login.return_to"),
    };
    let mut origins = Vec::new();
    for host in hosts {
        match &host.value {
            Value::Text(name) if is_host(name) => origins.push(format!("https://{name}")),
            other => {
                let what = match other {
                    Value::Text(_) => "a pattern that is more than a host",
                    other => other.kind(),
                };
                let help = "write each origin, as in https://airflow.example.com, at server.login.return_to";
                source.lacking(KEY, host, what, help);
            }
        }
    }
    if origins.is_empty() {
        return;
    }
    let mut login = Map::default();
    let origins = document::list(origins.iter().map(String::as_str));
    login.put("return_to", origins, "FAB_SAFE_REDIRECT_HOSTS; over https");
    server.map("login", login, "");
}

fn is_host(name: &str) -> bool {
    let (host, port) = name.split_once(':').unwrap_or((name, "443"));
    let label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.split('.').all(label) && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_one_without_a_pattern() {
        for (name, expected) in [
            ("airflow.example.com", true),
            ("airflow:8443", true),
            ("*.example.com", false),
            ("a?.example.com", false),
            ("[ab].example.com", false),
            ("https://a", false),
            ("a@b", false),
            ("", false),
            ("a:b", false),
        ] {
            assert_eq!(is_host(name), expected, "{name}");
        }
    }
}
