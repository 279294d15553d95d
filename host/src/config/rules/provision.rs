//! Rules about provisioning: its target is another backend, and no two backends keep
//! each other's users; and about roles that nothing would ever give or write.

use serde_json::{Map, Value};

use super::Rules;
use crate::config::key::{KeyPath, nearest};

impl<'a> Rules<'a> {
    pub(super) fn provision(&mut self) {
        let Some(backends) = self.get("backends").and_then(Value::as_object) else {
            return;
        };
        for (id, backend) in backends {
            let Some(into) = target(backend) else {
                continue;
            };
            let key = KeyPath::parse("backends").child(id).child("provision");
            if !backends.contains_key(into) {
                let near = nearest(into, backends.keys().map(String::as_str));
                let ids: Vec<&str> = backends.keys().map(String::as_str).collect();
                let help = near.map_or_else(
                    || format!("configured backends: {}", ids.join(", ")),
                    |near| format!("did you mean {near}?"),
                );
                self.error_at(&key, "there is no backend of this id", &help);
            } else if into == id {
                let help = "name another backend, or leave it out: its users are its own";
                self.error_at(&key, "a backend cannot provision into itself", help);
            } else if let Some(way) = circle(backends, id) {
                let message = format!("these backends provision in a circle: {}", way.join(" → "));
                let help = "one of them must keep its own users: leave its provision out";
                self.error_at(&key, &message, help);
            }
            let settings = backend.get("provision");
            let given = |name: &str| settings.and_then(|settings| settings.get(name));
            let linked = given("link").is_some_and(|link| !link.is_null());
            if given("adopt_password_rows") == Some(&Value::Bool(true)) && !linked {
                let help = "add link: username, or leave it out";
                let key = key.child("adopt_password_rows");
                self.notice_at(&key, "without link, no row is ever adopted", help);
            }
        }
    }

    pub(super) fn roles(&mut self) {
        let backends = self.get("backends").and_then(Value::as_object);
        for (id, backend) in backends.into_iter().flatten() {
            let key = KeyPath::parse("backends").child(id);
            let roles = backend.get("roles");
            let given = |name: &str| roles.and_then(|roles| roles.get(name));
            let registers = backend.get("registration") == Some(&Value::Bool(true));
            let some = |list: &Value| list.as_array().is_some_and(|list| !list.is_empty());
            if given("registration").is_some_and(some) && !registers {
                self.notice_at(
                    &key.child("roles").child("registration"),
                    "these roles are given only while the backend's registration is true",
                    "set registration: true, or use roles.default",
                );
            }
            let sync = given("sync").and_then(Value::as_str).unwrap_or("off");
            if sync != "off" && target(backend).is_none() {
                self.notice_at(
                    &key.child("roles").child("sync"),
                    "without provision there is no row whose roles could be written",
                    "leave it out, or add provision",
                );
            }
        }
    }
}

/// The id that a backend provisions into, however it is written.
fn target(backend: &Value) -> Option<&str> {
    let provision = backend.get("provision")?;
    provision
        .as_str()
        .or_else(|| provision.get("backend")?.as_str())
}

/// The way from a backend back to itself.
fn circle<'a>(backends: &'a Map<String, Value>, from: &'a str) -> Option<Vec<&'a str>> {
    let mut way = vec![from];
    while way.len() <= backends.len() {
        let next = target(backends.get(*way.last()?)?)?;
        way.push(next);
        if next == from {
            return Some(way);
        }
    }
    None
}
